/** The page that examples/one_file.mjs writes: opened as a file, it says what the program said it would. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runNode } from "../support/child.ts";
import { findChromium, launch } from "./support.ts";

const NAME = "hears names letter by letter";

const executable = findChromium();
const test = suite("page of one file");

async function hears(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gatewise-"));
  const browser = await launch(executable!);
  try {
    const out = join(folder, "page.html");
    const { status, output, errors } = runNode("examples/one_file.mjs", "--quick", "--out", out);
    assert.is(status, 0, errors);
    const said = [...output.matchAll(/^(\S+) \(\w+\): (\w+) (\d+ %)$/gm)];
    assert.is(said.length, 5);
    const page = await browser.newPage();
    const requests: string[] = [];
    page.on("pageerror", (error) => requests.push(String(error.stack)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(out).href);
    for (const [, name, language, share] of said) {
      await page.fill("#name", name);
      assert.is(await page.textContent(`#guesses li:has-text("${language}") span:last-child`), share, name);
    }
    await page.fill("#name", "☃"); // which nobody has taught it
    assert.match((await page.textContent("#note")) ?? "", /^Awake after \d+ ms\.$/);
    assert.equal(
      requests.filter((each) => !each.startsWith("data:")),
      [pathToFileURL(out).href],
      "nothing else is loaded, nothing fails",
    );
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
}

if (executable === undefined) {
  console.log(`SKIP ${NAME}: no Chromium is installed`);
  test.skip(NAME);
} else {
  test(NAME, hears);
}

test.run();
