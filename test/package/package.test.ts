/** The published package: it installs, loads as ESM and as CJS, its types are right, and it needs nothing optional. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Linter } from "eslint";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { downloadSize } from "../../scripts/sizes.mjs";
import { Consumer, root, tool } from "./support.ts";

interface Target {
  types: string;
  default: string;
}

type Exports = Record<string, string | { import: Target; require: Target }>;

const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: Exports };
const files = Object.keys(exports).filter((path) => typeof exports[path] === "string");
const modules = Object.keys(exports)
  .filter((path) => typeof exports[path] !== "string")
  .map((path) => path.replace(".", "gatewise"));
/** The bundles themselves. */
const bundles = ["", "shared"]
  .flatMap((folder) => readdirSync(join(root, "dist", folder)).map((name) => join(root, "dist", folder, name)))
  .filter((path) => /\.c?js$/.test(path));

/** What pages download at most, in kB, minified and compressed: raised only for a reason. */
const DOWNLOADS = {
  index: 142, // graphs of layers, explain
  infer: 79,
  exported: 37, // streams of several inputs and outputs, checks of programs
  worklet: 79,
  external: 102,
  data: 6.5,
  text: 6,
  csv: 12,
  worker: 6,
  reference: 12,
};

const TRAIN = `
  const model = sequential([layers.lstm({ units: 4 }), layers.dense({ units: 1 })], { seed: 1, inputShape: [3, 2] });
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.meanSquaredError() });
  const x = { data: new Float32Array(6).fill(0.5), shape: [1, 3, 2] };
  const first = model.trainOnBatch(x, [[1]]).loss;
  for (let i = 0; i < 20; i++) model.trainOnBatch(x, [[1]]);
  const same = loadModel(model.save());
  console.log(model.trainOnBatch(x, [[1]]).loss < first, same.stream().step(Float32Array.of(1, 2)).length);
`;
const NAMES = "{ sequential, layers, optimizers, losses, loadModel }";

const test = suite("package");
let consumer: Consumer;

test.before(() => {
  consumer = new Consumer();
});
test.after(() => consumer.remove());

test("trains, saves and streams as ESM", () => {
  assert.is(consumer.node("train.mjs", `import ${NAMES} from "gatewise";${TRAIN}`), "true 1\n");
});

test("trains, saves and streams as CJS", () => {
  assert.is(consumer.node("train.cjs", `const ${NAMES} = require("gatewise");${TRAIN}`), "true 1\n");
});

test("gatewise/csv names the peer that it lacks", () => {
  const program = 'try { await import("gatewise/csv") } catch ({ message }) { console.log(message) }';
  assert.match(consumer.node("lacks.mjs", program), "Cannot find package 'papaparse' imported from");
  consumer.add("papaparse");
  assert.is(
    consumer.node("has.mjs", 'import { readCsv } from "gatewise/csv"; console.log(readCsv("a\\n1.5").data[0])'),
    "1.5\n",
  );
});

test("every sub-path has the same names as ESM and as CJS", () => {
  const report = consumer.node(
    "names.mjs",
    `
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    for (const path of ${JSON.stringify(modules)}) {
      const isOwn = (name) => name !== "default" && name !== "module.exports";
      const names = Object.keys(await import(path)).filter(isOwn).sort();
      const same = names.join() === Object.keys(require(path)).sort().join();
      console.log(path, names.length > 0 && same ? "ok" : "differs");
    }`,
  );
  assert.is(report, modules.map((path) => `${path} ok\n`).join(""));
});

test("every file that exports name is packed", () => {
  const named = Object.values(exports).flatMap((target) =>
    typeof target === "string"
      ? [target]
      : [target.import, target.require].flatMap((each) => [each.types, each.default]),
  );
  assert.equal(
    named.filter((path) => !existsSync(join(consumer.installed, path))),
    [],
  );
});

test("nothing but the package is packed", () => {
  const expected = ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json"];
  assert.equal(
    readdirSync(consumer.installed).filter((name) => !expected.includes(name)),
    [],
  );
});

test("wasm files are found by name, and run where compiling is forbidden", () => {
  const report = consumer.node(
    "external.mjs",
    `
    import { readFileSync } from "node:fs";
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    const module = new WebAssembly.Module(readFileSync(require.resolve("gatewise/simd.wasm")));
    const forbid = () => { throw new Error("compiled") };
    WebAssembly.Module = new Proxy(WebAssembly.Module, { construct: forbid });
    WebAssembly.compile = WebAssembly.instantiate = forbid;
    const ${NAMES.replace("}", ", init, backendInfo }")} = await import("gatewise/external");
    await init({ module });
    console.log(backendInfo().build);${TRAIN}`,
  );
  assert.is(report, "simd\ntrue 1\n");
});

test("an exported model runs, of floats and of int8", () => {
  consumer.node(
    "export.mjs",
    `
    import { writeFileSync } from "node:fs";
    import { sequential, layers } from "gatewise";
    const stack = [layers.lstm({ units: 64 }), layers.dense({ units: 1 })];
    const model = sequential(stack, { seed: 1, inputShape: [null, 64] });
    writeFileSync("model.exported", model.export({ stream: true, predict: [1, 3, 64] }));
    writeFileSync("small.exported", model.quantize().export({ stream: true, predict: [1, 3, 64] }));
    process.exit();`,
  );
  const report = consumer.node(
    "play.mjs",
    `
    import { readFileSync } from "node:fs";
    import { loadExported } from "gatewise/exported";
    const [model, small] = ["model", "small"].map((name) => loadExported(readFileSync(name + ".exported")));
    const x = { data: Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)), shape: [1, 3, 64] };
    const [a, b] = [model, small].map((each) => each.predict(x).data[0]);
    console.log(Math.abs(a - b) < 0.02, a !== b, model.stream.process(x.data)[2] - a < 1e-6);`,
  );
  assert.is(report, "true true true\n");
});

test("the smallest entry says when an engine cannot run it", () => {
  const report = consumer.node(
    "old.mjs",
    `
    import { readFileSync } from "node:fs";
    WebAssembly.validate = () => false;
    const { loadExported } = await import("gatewise/exported");
    try { loadExported(readFileSync("model.exported")) } catch ({ code, message }) { console.log(code, message) }`,
  );
  assert.match(report, /^ERR_UNSUPPORTED init: expected an engine with WebAssembly SIMD, got one without/);
});

test("the entry without wasm says what it needs", () => {
  const report = consumer.node(
    "needs.mjs",
    `
    import { initSync } from "gatewise/external";
    try { initSync() } catch (error) { console.log(error.code, error.message) }`,
  );
  assert.match(report, /^ERR_OPTION init: expected a WebAssembly\.Module in `module`/);
});

test("types hold for ESM and CJS consumers who check libraries", () => {
  const body = `
    const model = sequential([layers.gru({ units: 4 })], { inputShape: [null, 2] });
    const stream: Stream = model.stream();
    const output: Float32Array = stream.step(new Float32Array(2));
    const array: NDArray = model.predict([[[1, 2]]]);
    const scaled = minMaxScaler().fit(array).transform(array);
    const prices: number[] = readCsv("a", { columns: ["a"] }).shape;
    const small: Model = loadModel(model.save());
    const smallest: Exported = loadExported(model.export({ stream: { block: 16 }, predict: [1, 5, 2] }));
    // @ts-expect-error
    layers.gru({ unit: 4 });
    const remote: Promise<RemoteModel> = connect(new URL("file:///model.js"), { data: 1 });
    const predicted = [small.predict(array), smallest.stream.step([1, 2]), smallest.predict(array)];
    export const result = [remote, output, scaled, prices, predicted, referenceKernels, sample];`;
  const imports = (keyword: (names: string, path: string) => string): string =>
    [
      keyword("layers, sequential, type NDArray, type Stream", "gatewise"),
      keyword("loadModel, type Model", "gatewise/infer"),
      keyword("loadExported, type Exported", "gatewise/exported"),
      keyword("minMaxScaler", "gatewise/data"),
      keyword("sample", "gatewise/text"),
      keyword("readCsv", "gatewise/csv"),
      keyword("connect, type RemoteModel", "gatewise/worker"),
      keyword("referenceKernels", "gatewise/reference"),
    ].join("\n");
  const text = imports((names, path) => `import { ${names} } from "${path}";`) + body;
  const options = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "false",
    "--target",
    "es2022",
    "--lib",
    "es2022,dom",
    "--module",
    "nodenext",
  ];
  for (const name of ["types.mts", "types.cts"])
    tool("typescript/bin/tsc", [...options, consumer.write(name, text)], consumer.folder);
});

for (const [entry, limit] of Object.entries(DOWNLOADS)) {
  test(`${entry} is at most ${limit} kB to download`, () => {
    const size = downloadSize(entry) / 1000;
    assert.ok(size <= limit, `${size} kB, minified and compressed`);
  });
}

test("publint finds nothing", () => {
  assert.match(tool("publint/src/cli.js", ["--strict", consumer.tarball]), "All good!");
});

test("types resolve for every kind of consumer", () => {
  const left = files.flatMap((path) => ["--exclude-entrypoints", path]);
  tool("@arethetypeswrong/cli/dist/index.js", [consumer.tarball, "--profile", "node16", ...left]);
});

test("bundles leave alone what pages, worklets and bundlers lack", () => {
  for (const path of bundles) {
    const text = readFileSync(path, "utf8");
    for (const [, specifier] of text.matchAll(/(?:\bfrom|\bimport|\brequire\()\s*"([^"]+)"/g)) {
      assert.match(specifier, /\/csv\.c?js$/.test(path) ? /^(\.\.?\/|papaparse$)/ : /^\.\.?\//, path);
    }
    assert.not.match(text, /import\.meta|\beval\(|new Function/, path);
  }
});

test("the worklet's bundle is one file without the globals worklets lack", () => {
  for (const name of ["worklet.js", "worklet.cjs"]) {
    const text = readFileSync(join(root, "dist", name), "utf8");
    const unknown = new Linter().verify(text, {
      languageOptions: {
        sourceType: name.endsWith(".cjs") ? "commonjs" : "module",
        globals: { WebAssembly: false, console: false },
      },
      rules: { "no-undef": "error" },
    });
    assert.equal(
      unknown.map(({ message }) => message),
      [],
      name,
    );
    assert.not.match(text, /\bimport[ ("{*]|\brequire\("/, name);
  }
});

test.run();
