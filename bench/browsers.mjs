// Pages for benchmarks: a server of this project with the headers that make clocks fine, and the two browsers.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
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

/**
 * Serves dist, bench and build, and pages given as text by their path.
 *
 * A page that posts to /result hands its JSON to whoever waits for `result()`.
 */
export async function serve(pages) {
  let tell;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    // a page alone with its own origin has a clock of some microseconds
    const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
    if (path === "/result") {
      let text = "";
      request
        .setEncoding("utf8")
        .on("data", (part) => (text += part))
        .on("end", () => {
          response.writeHead(204).end();
          tell?.(JSON.parse(text));
        });
      return;
    }
    try {
      if (pages[path] === undefined && !/^\/(dist|bench|build)\//.test(path)) throw new Error(`not served: ${path}`);
      response
        .writeHead(200, { ...headers, "Content-Type": TYPES[extname(path)] ?? "text/html" })
        .end(pages[path] ?? readFileSync(root + path));
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

/** What a page posts, or undefined when it posts nothing in time. `open` opens a URL and gives what closes it. */
async function resultOf(server, path, seconds, open) {
  const result = server.result();
  const close = await open(server.origin + path);
  const value = await Promise.race([result, wait(seconds)]);
  await close();
  return value;
}

/** Opens a page in a Chromium of its own. */
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

/** Opens a page in a Firefox of its own. */
export async function inFirefox(executablePath, server, path, seconds = 300) {
  const profile = mkdtempSync(join(tmpdir(), "gatewise-firefox-"));
  writeFileSync(
    join(profile, "user.js"),
    Object.entries(FIREFOX_PREFERENCES)
      .map(([name, value]) => `user_pref("${name}", ${value});\n`)
      .join(""),
  );
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
