/** The reference that `npm run docs` makes of the docblocks: it has all exports, and its defaults are right. */
import { type DeclarationReflection, ReflectionKind, type SomeType } from "typedoc";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readReference } from "../../scripts/docs.mjs";
import { cellDefinitions, layerDefinitions } from "../../bindings/layers/index.ts";
import { RULES } from "../../bindings/optimizers/rules.ts";

const test = suite("reference");
let modules: DeclarationReflection[];
let messages: string[];

test.before(async () => {
  const reference = await readReference();
  messages = reference.messages;
  modules = reference.project.children as DeclarationReflection[];
});

test("every export has a docblock, every type that signatures name is exported, every link leads somewhere", () => {
  assert.equal(messages, []);
});

test("modules are called what users import", () => {
  const paths = [
    "gatewise",
    "gatewise/csv",
    "gatewise/data",
    "gatewise/exported",
    "gatewise/infer",
    "gatewise/reference",
    "gatewise/text",
    "gatewise/worker",
  ];
  assert.equal(modules.map(({ name }) => name).sort(), paths);
});

/** What the docblocks of a factory's options say of defaults, by option: that of Keras where PyTorch has another. */
function documented(namespace: string, factory: string): Map<string, string> {
  const main = modules.find(({ name }) => name === "gatewise")!;
  const found = main.getChildByName([namespace, factory]) as DeclarationReflection;
  const signatures =
    found.signatures ?? (found.type?.type === "reflection" ? found.type.declaration.signatures : undefined);
  const options = optionsOf(signatures!.at(-1)!.parameters![0].type!);
  return new Map(
    options.flatMap(({ name, comment }) => {
      const text = comment
        ?.getTag("@default")
        ?.content.map((part) => part.text)
        .join("")
        .replace(/^```ts\n|\n```$/g, "");
      return text === undefined ? [] : [[name, text.split(", PyTorch")[0]]];
    }),
  );
}

function optionsOf(type: SomeType): DeclarationReflection[] {
  if (type.type === "intersection") return type.types.flatMap(optionsOf);
  if (type.type === "reference" && type.reflection)
    return ((type.reflection as DeclarationReflection).children ?? []).filter(
      ({ kind }) => kind === ReflectionKind.Property,
    );
  return [];
}

function compare(
  what: string,
  said: Map<string, string>,
  defaults: Readonly<Record<string, unknown>>,
  left: readonly string[],
): void {
  const wrong = Object.entries(defaults)
    .filter(([name, value]) => value !== undefined && !left.includes(name))
    .filter(([name, value]) => said.get(name) !== JSON.stringify(value) && Number(said.get(name)) !== value)
    .map(
      ([name, value]) =>
        `${what}: expected the docblock of ${name} to say @default ${JSON.stringify(value)}, got ${said.get(name)}`,
    );
  assert.equal(wrong, []);
}

test("defaults of layers and cells are those of their docblocks", () => {
  for (const [namespace, table] of Object.entries({ layers: layerDefinitions, cells: cellDefinitions })) {
    for (const [name, { defaults }] of Object.entries(table))
      compare(`${namespace}.${name}`, documented(namespace, name), defaults, []);
  }
});

test("defaults of optimizers are those of their docblocks", () => {
  // the rate and the decay are in the docblock of the factory, since options share their interface
  for (const [name, { defaults }] of Object.entries(RULES))
    compare(`optimizers.${name}`, documented("optimizers", name), defaults, ["learningRate", "weightDecay"]);
});

test.run();
