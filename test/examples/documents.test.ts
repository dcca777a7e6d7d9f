/** The documents: their programs run, their links lead somewhere. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROOT, runNode } from "../support/child.ts";

/** Every document but those of installed packages. */
const DOCUMENTS = readdirSync(ROOT, { withFileTypes: true })
  .filter(({ name }) => !["node_modules", "build", "dist"].includes(name) && !name.startsWith("."))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(ROOT, entry.name), { recursive: true }).map((file) => `${entry.name}/${String(file)}`)
      : [entry.name],
  )
  .filter((file) => file.endsWith(".md") && !file.includes("node_modules")); // bench/peers may be installed

/** Those that show programs. */
const PROGRAMS = ["README.md", ...["", "data/", "graph/", "text/"].map((room) => `bindings/${room}README.md`)];

/** The blocks marked `js` of a document, as one program from its top to its bottom. */
const programOf = (text: string): string =>
  [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block).join("\n");

const test = suite("documents");

/** The blocks marked with a file's name, which the program finds beside itself. */
const filesOf = (text: string): [name: string, block: string][] =>
  [...text.matchAll(/^```js (\S+\.js)\n(.*?)^```$/gms)].map(([, name, block]) => [name, block]);

// inside the project, where its own name can be imported
const FOLDER = "build/documents";
test.before(() => {
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
});
test.after(() => {
  rmSync(join(ROOT, FOLDER), { recursive: true });
});

for (const document of PROGRAMS) {
  test(`${document}: its program runs`, () => {
    const text = readFileSync(join(ROOT, document), "utf8");
    const program = programOf(text);
    for (const [name, block] of filesOf(text)) writeFileSync(join(ROOT, FOLDER, name), block);
    assert.ok(program.length > 0, "no js block found");
    const file = `${FOLDER}/${document.replaceAll("/", "_")}.mjs`;
    writeFileSync(join(ROOT, file), program);
    const { status, errors } = runNode(file);
    assert.is(status, 0, errors);
    assert.is(errors, "", "nothing to warn of, and every console.assert holds");
  });
}

/** Gives a processor what an AudioWorkletGlobalScope has, and compares a block with the model's stream. */
const WORKLET = `import { layers, sequential } from "gatewise";

let Processor;
globalThis.AudioWorkletProcessor = class {};
globalThis.registerProcessor = (_name, it) => (Processor = it);
await import("./processor.js");

const model = sequential([layers.lstm({ units: 4, returnSequences: true }), layers.dense({ units: 1 })], {
  inputShape: [null, 1],
});
const input = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i));
const output = new Float32Array(128);
console.log(new Processor({ processorOptions: { bytes: model.save() } }).process([[input]], [[output]]));
const expected = model.stream({ block: 128 }).process(input);
console.log(output.every((value, i) => value === expected[i]), output.some((value) => value !== 0));
`;

test("README.md: its worklet processor gives what a stream gives", () => {
  const [, block] = /^```js page\n(.*?)^```$/ms.exec(readFileSync(join(ROOT, "README.md"), "utf8"))!;
  const packages = join(ROOT, FOLDER, "node_modules");
  mkdirSync(packages);
  symlinkSync(ROOT, join(packages, "gatewise"), "junction");
  writeFileSync(join(ROOT, FOLDER, "processor.js"), block);
  writeFileSync(join(ROOT, FOLDER, "worklet.mjs"), WORKLET);
  const { output, errors } = runNode(`${FOLDER}/worklet.mjs`);
  assert.is(errors, "");
  assert.is(output, "true\ntrue true\n");
});

for (const document of DOCUMENTS) {
  test(`${document}: its links lead to files`, () => {
    const links = [...readFileSync(join(ROOT, document), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, link]) => link,
    );
    assert.equal(
      links.filter((link) => !existsSync(join(ROOT, dirname(document), link))),
      [],
    );
  });
}

test("bench/README.md: its commands are files", () => {
  const text = readFileSync(join(ROOT, "bench/README.md"), "utf8");
  const files = [...text.matchAll(/`node (?:--import tsx )?([\w/.]+)/g)].map(([, file]) => file);
  assert.ok(files.length > 5, "no commands found");
  assert.equal(
    files.filter((file) => !existsSync(join(ROOT, file))),
    [],
  );
});

interface Bound {
  ulp?: number;
  mixed?: number;
  grad: number;
}

/** Functions of equal bounds in a row, in the order of their first one. */
function accuracyTable(bounds: Record<string, Bound>): string {
  const rows = new Map<string, string[]>();
  for (const [name, { ulp, mixed, grad }] of Object.entries(bounds)) {
    const value = ulp === undefined ? `mixed ${mixed!.toExponential()}` : `${ulp} ULP`;
    const bound = `${value} | ${grad === 0 ? 0 : grad.toExponential()}`;
    rows.set(bound, [...(rows.get(bound) ?? []), `\`${name}\``]);
  }
  return [...rows].map(([bound, names]) => `| ${names.join(", ")} | ${bound} |`).join("\n");
}

test("assembly/README.md: the table is that of accuracy.json", () => {
  const table = accuracyTable(
    JSON.parse(readFileSync(join(ROOT, "assembly/accuracy.json"), "utf8")) as Record<string, Bound>,
  );
  assert.ok(readFileSync(join(ROOT, "assembly/README.md"), "utf8").includes(table), `the table should be\n${table}`);
});

test.run();
