/** Browsers without a window, and a server of dist and the tests for them. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The first of these programs that is installed. */
function find(...names: string[]): string | undefined {
  for (const name of names) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // the next name
    }
  }
  return undefined;
}

/** Where Chromium is installed, if it is. */
export const findChromium = (): string | undefined => find("chromium", "chromium-browser", "google-chrome");
/** Where Firefox is installed, if it is. */
export const findFirefox = (): string | undefined => find("firefox-esr", "firefox");

/** Pages may run our scripts and wasm, but nothing made of strings: no eval, no data: URLs. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/** What a page asks for in its address: `?isolated` to have shared memory, `&workers` to start workers from texts. */
function headersFor(wishes: URLSearchParams): Record<string, string> {
  const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
  const policy = wishes.has("workers") ? `${POLICY}; worker-src blob:` : POLICY;
  return { "Content-Security-Policy": policy, ...(wishes.has("isolated") ? isolation : {}) };
}

/** Files by the first part of their URL: of the project, and of what a test adds. */
type Sources = Readonly<Record<string, (path: string) => Uint8Array | string>>;

const PROJECT: Sources = {
  dist: (path) => readFileSync(`${root}dist/${path}`),
  test: (path) => readFileSync(`${root}test/${path}`),
};

/** The files of a folder by their paths in it; its listing under a path that ends with a slash. */
export const folder =
  (base: string) =>
  (path: string): Uint8Array | string =>
    path.endsWith("/") ? JSON.stringify(readdirSync(`${base}/${path}`)) : readFileSync(`${base}/${path}`);

export interface Server {
  readonly origin: string;
  /** What a page posts to /report. */
  readonly report: Promise<unknown>;
  close(): void;
}

/** Serves dist, test, and what is added. */
export async function serve(added: Sources = {}): Promise<Server> {
  const sources = { ...PROJECT, ...added };
  let reported = (_report: unknown): void => {};
  const report = new Promise<unknown>((resolve) => (reported = resolve));
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const path = posix.normalize(decodeURIComponent(url.pathname));
    const [, first, rest] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
    if (request.method === "POST") {
      let body = "";
      request
        .setEncoding("utf8")
        .on("data", (text) => (body += text))
        .on("end", () => {
          response.writeHead(204).end();
          reported(JSON.parse(body));
        });
      return;
    }
    try {
      const body = sources[first](rest);
      response
        .writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "text/plain", ...headersFor(url.searchParams) })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, report, close: () => server.close() };
}

/** Switches off what a fresh Firefox does by itself. */
const FIREFOX_PREFERENCES = [
  "app.update.enabled",
  "browser.shell.checkDefaultBrowser",
  "datareporting.policy.dataSubmissionEnabled",
  "toolkit.telemetry.enabled",
]
  .map((name) => `user_pref("${name}", false);`)
  .join("\n");

/**
 * Opens a page in a browser of its own, without a window, until it posts a report.
 *
 * @throws Error with what the browser said when it ends before, or when five minutes have passed
 */
export async function reportOf(
  browser: "chromium" | "firefox",
  executable: string,
  path: string,
  server: Server,
): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), "gatewise-browser-"));
  writeFileSync(join(profile, "user.js"), FIREFOX_PREFERENCES);
  const args =
    browser === "firefox"
      ? ["--headless", "--no-remote", "--profile", profile]
      : ["--headless", ...FLAGS, `--user-data-dir=${profile}`];
  const child = spawn(executable, [...args, server.origin + path], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${browser}: expected a report within five minutes, got none; it said:\n${said}`)),
      300000,
    );
    child.on("close", (code) =>
      reject(new Error(`${browser}: expected a report, got the browser's end with ${code}; it said:\n${said}`)),
    );
    child.on("error", reject);
  });
  try {
    return await Promise.race([server.report, failed]);
  } finally {
    clearTimeout(timer);
    child.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** A Chromium without a window, to be driven. */
export const launch = (executablePath: string): Promise<Browser> => chromium.launch({ executablePath, args: FLAGS });

export class Pages {
  private readonly browser: Browser;
  private readonly server: Server;

  private constructor(browser: Browser, server: Server) {
    this.browser = browser;
    this.server = server;
  }

  static async open(executablePath: string): Promise<Pages> {
    return new Pages(await launch(executablePath), await serve());
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
