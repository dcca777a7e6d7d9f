/** The page of examples/browser in Chromium, for the tests of it. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROOT } from "../support/child.ts";
import { findChromium, launch } from "./support.ts";

export const status = async (page: Page): Promise<string> => (await page.textContent("#status")) ?? "";

/** Waits for the end of what runs. @returns what the page says then */
export async function done(page: Page): Promise<string> {
  await page.waitForSelector("#save:enabled", { timeout: 60000 });
  return status(page);
}

type OnPage = (name: string, run: (page: Page) => Promise<void>) => void;

/** Runs a suite whose tests each get the page anew; it must log no error. */
export function examplePage(name: string, declare: (onPage: OnPage) => void): void {
  const executable = findChromium();
  const test = suite(name);
  let server: ChildProcess;
  let browser: Browser;
  let url: string;

  test.before(async () => {
    if (executable === undefined) return;
    server = spawn(process.execPath, ["examples/browser.mjs"], { cwd: ROOT });
    url = await new Promise<string>((resolve) =>
      server.stdout!.on("data", (text) => resolve(/http\S+/.exec(String(text))![0])),
    );
    browser = await launch(executable);
  });
  test.after(async () => {
    await browser?.close();
    server?.kill();
  });

  declare((title, run) => {
    if (executable === undefined) {
      console.log(`SKIP ${title}: no Chromium is installed`);
      test.skip(title);
      return;
    }
    test(title, async () => {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error.stack)));
      await page.goto(url);
      await done(page);
      await run(page);
      assert.equal(errors, []);
      await page.close();
    });
  });

  test.run();
}
