/** What documents show compiles against the published types: without the DOM, whatever resolves modules. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import ts from "typescript";
import { ROOT } from "../support/child.ts";

const DOCUMENTS = ["README.md", ...["", "data/", "graph/", "text/"].map((room) => `bindings/${room}README.md`)];

/** Programs that strict TypeScript must take. */
const STRICT = `
import { Module, functional, input, layers, ops, sequential, type Tensor } from "gatewise";

export class Leaky extends Module {
  stateSize = 8;
  inner = layers.dense({ units: 8 });
  override call(x: Tensor, [h]: Tensor[]) {
    const next = ops.add(ops.mul(h, 0.9), this.inner.call(ops.concat([x, h])));
    return [next, [next]];
  }
}
export const model = sequential([layers.rnn({ cell: new Leaky() })]);

export async function* batches() {
  for (let i = 0; i < 3; i++) yield [{ data: new Float32Array(4), shape: [1, 2, 2] }, [[1]]];
}
await model.fit(batches, { epochs: 1 });

const x = input({ shape: [null, 2] });
const named = functional({ inputs: x, outputs: { pitch: layers.dense({ units: 1 }).apply(x) } });
export const pitch: Float32Array = named.predict([[[1, 2]]]).pitch.data;
export const stepped: Float32Array = named.stream().step([1, 2]).pitch;

class Two extends Module {
  dense = layers.dense({ units: 1 });
  override call(x: Tensor) {
    return { pitch: this.dense.call(x), vowel: this.dense.call(x) };
  }
}
export const vowel: Float32Array = new Two().predict([[1]]).vowel.data;
`;

const FOLDER = "build/snippets"; // inside the project, where its own name can be imported
const SETTINGS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
};
const RESOLUTIONS: Readonly<Record<string, ts.CompilerOptions>> = {
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  node16: { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
};

const test = suite("snippets");

/** The blocks of one language of a document, as one program. */
const programOf = (document: string, language: string): string =>
  [...readFileSync(join(ROOT, document), "utf8").matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))]
    .map(([, block]) => block)
    .join("\n");

function write(name: string, text: string): string {
  const file = join(ROOT, FOLDER, name);
  writeFileSync(file, `${text}\nexport {};\n`);
  return file;
}

/** What the compiler says of these files, a line each. */
function complaints(files: string[], options: ts.CompilerOptions): string[] {
  const program = ts.createProgram(files, { ...SETTINGS, ...options });
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file ? ts.getLineAndCharacterOfPosition(file, start).line + 1 : 0;
    return `${file?.fileName ?? ""}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

test.before(() => void mkdirSync(join(ROOT, FOLDER), { recursive: true }));
test.after(() => rmSync(join(ROOT, FOLDER), { recursive: true }));

for (const [name, options] of Object.entries(RESOLUTIONS)) {
  test(`strict TypeScript, resolved by ${name}`, () => {
    const shown = DOCUMENTS.map((document) => write(`${document.replaceAll("/", "_")}.ts`, programOf(document, "ts")));
    assert.equal(complaints([write("strict.ts", STRICT), ...shown], options), []);
  });

  test(`JavaScript of the documents, resolved by ${name}`, () => {
    const shown = DOCUMENTS.map((document) =>
      write(`${document.replaceAll("/", "_")}.js.ts`, programOf(document, "js")),
    );
    assert.equal(complaints(shown, { ...options, noImplicitAny: false }), []);
  });
}

/** The members of `Model`, as `file` declares or imports it, that are not private. */
function membersOfModel(file: string): ts.Symbol[] {
  const program = ts.createProgram([file], { ...SETTINGS, ...RESOLUTIONS.bundler, allowImportingTsExtensions: true });
  const checker = program.getTypeChecker();
  const declared = program.getSourceFile(file)!.statements.find((each) => ts.isTypeAliasDeclaration(each))!;
  return checker.getTypeAtLocation(declared).getProperties();
}

test("a model offers public members only", () => {
  const [sources, published] = ["../../bindings/index.ts", "gatewise"].map((from, i) =>
    membersOfModel(write(`members${i}.ts`, `import type { Model } from "${from}";\nexport type Shown = Model;`)),
  );
  const isInternal = (member: ts.Symbol): boolean => member.getJsDocTags().some(({ name }) => name === "internal");
  const internal = sources.filter(isInternal).map(({ name }) => name);
  assert.ok(internal.length > 20);
  assert.ok(internal.includes("parameterBlocks"));
  const offered = published.map(({ name }) => name);
  assert.equal(
    internal.filter((name) => offered.includes(name)),
    [],
  );
  for (const name of ["predict", "explain", "getLayer", "trainable"]) assert.ok(offered.includes(name), name);
});

test("a program that is wrong is found", () => {
  const file = write("wrong.ts", 'import { layers } from "gatewise";\nlayers.lstm({ unit: 4 });');
  assert.match(complaints([file], RESOLUTIONS.bundler).join(), /unit/);
});

test.run();
