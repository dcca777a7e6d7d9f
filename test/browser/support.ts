/** A headless Chromium, and a server of this folder and of dist for it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Where Chromium is installed, if it is. */
export function findChromium(): string | undefined {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // the next name
    }
  }
  return undefined;
}

/** Pages may run our scripts and wasm, but nothing made of strings: no eval, no data: URLs. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/** Serves dist and test/browser; resolves to the origin and what stops it. */
async function serve(): Promise<{ origin: string; close(): void }> {
  const server = createServer(({ url = "" }, response) => {
    const path = normalize(new URL(url, "http://localhost").pathname);
    try {
      if (!/^\/(dist|test\/browser)\//.test(path)) throw new Error(`not served: ${path}`);
      const body = readFileSync(root + path);
      response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "text/plain", "Content-Security-Policy": POLICY }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

export class Pages {
  private readonly browser: Browser;
  private readonly server: { origin: string; close(): void };

  private constructor(browser: Browser, server: { origin: string; close(): void }) {
    this.browser = browser;
    this.server = server;
  }

  static async open(executablePath: string): Promise<Pages> {
    return new Pages(await chromium.launch({ executablePath, args: FLAGS }), await serve());
  }

  /**
   * Opens a page of this folder.
   *
   * @returns what its script reports: the JSON in its body's data-result
   * @throws Error with what the page logged when it reports an error, or nothing within a minute
   */
  async run(name: string): Promise<unknown> {
    const page = await this.browser.newPage();
    const log: string[] = [];
    page.on("console", (message) => log.push(message.text()));
    page.on("pageerror", (error) => log.push(String(error.stack)));
    page.on("requestfailed", (request) => log.push(`no ${request.url()}`));
    try {
      await page.goto(`${this.server.origin}/test/browser/${name}`);
      const body = page.locator("body[data-result]");
      await body.waitFor({ timeout: 60000, state: "attached" });
      return JSON.parse((await body.getAttribute("data-result"))!) as unknown;
    } catch (cause) {
      throw new Error(`${name}: no result; the page said:\n${log.join("\n")}`, { cause });
    } finally {
      await page.close();
    }
  }

  async close(): Promise<void> {
    this.server.close();
    await this.browser.close();
  }
}
