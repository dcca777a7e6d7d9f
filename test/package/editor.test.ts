/** What an editor shows to somebody who installed gatewise: docblocks on hover, known names to choose from. */
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import ts from "typescript";
import * as gatewise from "../../bindings/index.ts";
import * as data from "../../bindings/data/index.ts";
import * as words from "../../bindings/text/index.ts";
import { ROOT } from "../support/child.ts";

/** Namespaces whose every factory has a docblock. */
const NAMESPACES = [
  ...(["layers", "cells", "initializers", "regularizers", "constraints"] as const),
  ...(["losses", "metrics", "optimizers", "schedules", "callbacks", "ops"] as const),
];

/** Calls, with what the docblock of the name before the bracket says: shapes, equations, weights, defaults. */
const HOVERS: Readonly<Record<string, readonly string[]>> = {
  "layers.lstm({ units: 1, returnState: true })": ["[batch, time, features]", "c = f⊙c + i⊙g", "order i f g o"],
  "layers.gru({ units: 1 })": ["[batch, time, features]", "h = z⊙h + (1 − z)⊙n", "order z r n"],
  "layers.simpleRNN({ units: 1 })": ["[batch, time, features]", "h = tanh(x·W + h·U + b)", "recurrent_kernel"],
  "layers.dense({ units: 1 })": ["[batch, .., units]", "activation(x·kernel + bias)", "kernel [features, units]"],
  "cells.gru({ units: 1 })": ["one step", "State: h [batch, units]"],
  "initializers.randomNormal()": ["`mean`, 0 by default", "`stddev`, 0.05 by default"],
  "regularizers.l2()": ["l2·Σw²", "0.01 by default"],
  "constraints.maxNorm()": ["`maxValue`, 2 by default"],
  "losses.huber()": ["delta"],
  "optimizers.adam()": ["Learning rate 0.001", "m ← beta1·m"],
  "ops.concat([], 0)": ["axis"],
  "data.windows([[1]], { length: 1 })": ["length"],
  "compiled.fit([], [])": ["[rows, ..]", "NonFiniteError"],
  "compiled.compile({})": ["optimizer"],
};

/** Programs in which a name is about to be written at |, with some of those to choose from. */
const COMPLETIONS: Readonly<Record<string, readonly string[]>> = {
  'layers.gru({ units: 1, activation: "|" })': ["tanh", "relu", "leakyRelu", "softmax"],
  'layers.lstm({ units: 1, recurrentActivation: "|" })': ["sigmoid", "hardSigmoid"],
  'layers.gru({ units: 1, kernelInitializer: "|" })': ["glorotUniform", "orthogonal", "identity"],
  'layers.dense({ units: 1, kernelRegularizer: "|" })': ["l1", "l2", "l1l2"],
  'layers.dense({ units: 1, kernelConstraint: "|" })': ["maxNorm", "unitNorm", "nonNeg"],
  'compiled.compile({ optimizer: "|", loss: "mse" })': ["adam", "sgd", "rmsprop"],
  'compiled.compile({ loss: "|" })': ["mse", "meanSquaredError", "huber", "binaryCrossentropy"],
  'compiled.compile({ loss: "mse", metrics: ["|"] })': ["mae", "accuracy", "auc"],
  'layers.bidirectional({ layer: layers.gru({ units: 1 }), mergeMode: "|" })': ["concat", "sum", "mul", "ave"],
};

const FILE = join(ROOT, "test/package/written.ts");
const members = Object.entries({ ...gatewise, data, words })
  .filter(([space]) => ["data", "words", ...NAMESPACES].includes(space))
  .flatMap(([space, names]) => Object.keys(names).map((name) => `${space}.${name}`));
const lines = [
  `import { ${NAMESPACES.join(", ")}, type Model } from "gatewise"`,
  `import * as data from "gatewise/data"`,
  `import * as words from "gatewise/text"`,
  "declare const compiled: Model",
  ...members,
  ...Object.keys(HOVERS),
  ...Object.keys(COMPLETIONS).map((line) => line.replace("|", "")),
];
const text = lines.map((line) => `${line};\n`).join("");

const { config } = ts.readConfigFile(join(ROOT, "test/tsconfig.json"), (path) => ts.sys.readFile(path));
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(ROOT, "test"));
const service = ts.createLanguageService({
  getCompilationSettings: () => options,
  getCurrentDirectory: () => ROOT,
  getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
  getScriptFileNames: () => [FILE],
  getScriptVersion: () => "1",
  getScriptSnapshot(path) {
    const content = path === FILE ? text : ts.sys.readFile(path);
    return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
  },
  fileExists: (path) => path === FILE || ts.sys.fileExists(path),
  readFile: (path) => ts.sys.readFile(path),
});

/** Where a line of the program begins. */
const startOf = (line: string): number => text.indexOf(`\n${line};`) + 1;

/** What hovering over the last name of `line` shows below its type: the text, then the tags. */
function hover(line: string): string {
  const [name] = /^[\w.]+/.exec(line)!;
  const info = service.getQuickInfoAtPosition(FILE, startOf(line) + name.length - 1);
  const tags = info?.tags?.map((tag) => ts.displayPartsToString(tag.text)) ?? [];
  return [ts.displayPartsToString(info?.documentation), ...tags].join("\n").trim();
}

const test = suite("editor");

test("every factory has a docblock", () => {
  assert.equal(
    members.filter((member) => hover(member) === ""),
    [],
  );
});

for (const [line, parts] of Object.entries(HOVERS)) {
  test(`hovering over ${line} shows shapes, equations, defaults`, () => {
    const shown = hover(line);
    for (const part of parts) assert.ok(shown.includes(part), `${part} in ${shown}`);
  });
}

for (const [line, names] of Object.entries(COMPLETIONS)) {
  test(`${line} completes`, () => {
    const found = service.getCompletionsAtPosition(FILE, startOf(line.replace("|", "")) + line.indexOf("|"), undefined);
    const offered = found?.entries.map(({ name }) => name) ?? [];
    assert.equal(
      names.filter((name) => !offered.includes(name)),
      [],
    );
  });
}

test.run();
