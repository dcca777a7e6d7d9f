// A page that trains a model, draws its progress, streams it, saves and loads it; in a Worker on request. This file
// only serves the page, examples/browser: plain files without a build step.
//
//   npm run example browser
//   npm run example browser -- --port 8080
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, readOptions } from "./support/options.mjs";

const { port } = readOptions({ port: 0 });
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SERVED = /^\/(dist|examples\/browser|node_modules\/uplot\/dist)\//;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};
/** Together they give a page SharedArrayBuffer, which threads need; this page does without. */
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const server = createServer(({ url }, response) => {
  const path = posix.normalize(new URL(url, "http://localhost").pathname);
  if (path === "/") {
    response.writeHead(302, { Location: "/examples/browser/index.html" }).end();
    return;
  }
  try {
    if (!SERVED.test(path)) throw new Error(`not served: ${path}`);
    const body = readFileSync(ROOT + path);
    response
      .writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", ...ISOLATED })
      .end(body);
  } catch {
    response.writeHead(404).end();
  }
});
server.on("error", (error) => fail(`--port: expected one that is free, got ${port}: ${error.message}`));
server.listen(port, "127.0.0.1", () =>
  console.log(`open http://127.0.0.1:${server.address().port}/ (end with Ctrl+C)`),
);
