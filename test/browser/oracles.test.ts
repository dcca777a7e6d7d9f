/** Runs each test of test/oracles in Chromium and in Firefox. A browser that is not installed is one skipped test. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { suite } from "uvu";
import { oracleRoot } from "../support/oracles.ts";
import type { Result } from "./stand_in/uvu.ts";
import { findChromium, findFirefox, folder, reportOf, serve } from "./support.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What the tests import that browsers lack, and what stands in for it. */
const STAND_IN: Record<string, string> = {
  uvu: "uvu.ts",
  "node:fs": "node.ts",
  "node:path": "node.ts",
  "node:url": "node.ts",
};

/** Every oracle test but the one that reads the tests themselves, as one module that posts its results. */
async function bundle(): Promise<string> {
  const tests = readdirSync(here("../oracles")).filter(
    (file) => file.endsWith(".test.ts") && file !== "complete.test.ts",
  );
  const imports = tests.map((file) => `import "../oracles/${file}";`).join("\n");
  const { outputFiles } = await build({
    stdin: {
      contents: `${imports}\nimport { runAll } from "./stand_in/uvu.ts";\npostMessage({ results: await runAll() });`,
      resolveDir: here("."),
    },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    ignoreAnnotations: true,
    define: { "process.env.GATEWISE_ORACLES": '"/oracles"' },
    plugins: [
      {
        name: "stand in",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^(uvu|node:\w+)$/ }, ({ path }) => ({
            path: here(`stand_in/${STAND_IN[path] ?? path}`),
          })),
      },
    ],
  });
  return outputFiles[0].text;
}

interface Report {
  readonly results?: readonly Result[];
  readonly error?: string;
}

async function runIn(browser: "chromium" | "firefox", executable: string, script: string): Promise<Report> {
  const server = await serve({
    oracles: folder(oracleRoot()!),
    bundle: () => script,
    build: (path) => readFileSync(here(`../../build/${path}`)),
  });
  try {
    return (await reportOf(browser, executable, "/test/browser/oracles.html", server)) as Report;
  } catch (error) {
    return { error: String(error) };
  } finally {
    server.close();
  }
}

const browsers = { chromium: findChromium(), firefox: findFirefox() };
const script = oracleRoot() === undefined ? "" : await bundle();
// before any suite is declared: uvu runs what is declared after a wait as a round of its own
const reports = new Map<string, Report>();
await Promise.all(
  (["chromium", "firefox"] as const).map(async (name) => {
    if (script && browsers[name]) reports.set(name, await runIn(name, browsers[name], script));
  }),
);

for (const [browser, executable] of Object.entries(browsers)) {
  const test = suite(`oracles in ${browser}`);
  const report = reports.get(browser);
  if (!report) {
    console.log(`SKIP oracles in ${browser}: ${executable ? "there are no oracles" : "it is not installed"}`);
    test.skip(browser);
  } else {
    test("ran to the end", () => {
      if (!report.results || report.results.length === 0) throw new Error(report.error ?? "no test ran");
    });
    for (const { suite: of, name, error } of report.results ?? []) {
      test(`${of}: ${name}`, () => {
        if (error !== undefined) throw new Error(error);
      });
    }
  }
  test.run();
}
