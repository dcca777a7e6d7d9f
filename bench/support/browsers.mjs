// Pages for benchmarks: a server of this project, with the headers that give pages a precise clock, and two browsers.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { json } from "node:stream/consumers";
import { root } from "../../scripts/files.mjs";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

/** A page that runs one module. */
export const pageOf = (module, attributes = "") =>
  `<!doctype html><link rel="icon" href="data:,"><body ${attributes}><script type="module" src="${module}"></script>`;

/** Code by which a page reports some of its variables. */
export const post = (names) =>
  `await fetch("/result", {
    method: "POST",
    body: JSON.stringify({ ${names}, userAgent: navigator.userAgent }),
  });`;

/**
 * Serves dist, bench and build, and the texts in `pages` by their path.
 *
 * `result()` resolves to the next JSON that a page posts to /result.
 */
export async function serve(pages) {
  let tell;
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    // isolated pages have a clock with a resolution of microseconds
    const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
    if (path === "/result") {
      const result = await json(request);
      response.writeHead(204).end();
      tell?.(result);
      return;
    }
    try {
      if (pages[path] === undefined && !/^\/(dist|bench|build)\//.test(path)) throw new Error(`not served: ${path}`);
      const content = pages[path] ?? readFileSync(root + path);
      response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(path)] ?? "text/html" }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    result: () => new Promise((resolve) => (tell = resolve)),
    close: () => server.close(),
  };
}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000).unref());

/**
 * The result that a page posts, or undefined if it posts none in time.
 *
 * @param open  opens a URL and resolves to a function that closes it
 */
async function resultOf(server, path, seconds, open) {
  const result = server.result();
  const close = await open(server.origin + path);
  const value = await Promise.race([result, wait(seconds)]);
  await close();
  return value;
}

/** Opens a page in a fresh Chromium; resolves to its version and the result. */
export async function inChromium(executablePath, server, path, seconds = 300) {
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const version = browser.version();
  const value = await resultOf(server, path, seconds, async (url) => {
    const page = await browser.newPage();
    page.on("console", (message) => console.error(`chromium: ${message.text()}`));
    page.on("pageerror", (error) => console.error(`chromium: ${error.stack}`));
    await page.goto(url);
    return () => browser.close();
  });
  return { version, value };
}

const FIREFOX_PREFERENCES = {
  "app.update.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "toolkit.telemetry.enabled": false,
  "browser.aboutwelcome.enabled": false,
};

/** Opens a page in a fresh Firefox; resolves to its version and the result. */
export async function inFirefox(executablePath, server, path, seconds = 300) {
  const profile = mkdtempSync(join(tmpdir(), "gatewise-firefox-"));
  const preferences = Object.entries(FIREFOX_PREFERENCES).map(([name, value]) => `user_pref("${name}", ${value});\n`);
  writeFileSync(join(profile, "user.js"), preferences.join(""));
  const value = await resultOf(server, path, seconds, (url) => {
    const child = spawn(executablePath, ["--headless", "--no-remote", "--profile", profile, url], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.on("exit", resolve));
    return async () => {
      child.kill();
      await ended;
    };
  });
  rmSync(profile, { recursive: true, force: true });
  return { version: value?.userAgent.match(/Firefox\/([\d.]+)/)?.[1], value };
}
