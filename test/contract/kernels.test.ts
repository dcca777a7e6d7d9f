// One table of kernels, told several times: in every wasm build, in the reference and in types.
import { readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KERNEL_COSTS } from "../../bindings/abi/kernel_costs.ts";
import { KERNEL_EXTENTS } from "../../bindings/abi/kernel_extents.ts";
import type { KernelName } from "../../bindings/graph/ir.ts";
import { ARENA_BASE, INT8_DATA } from "../../bindings/abi/memory.ts";
import { ABI_VERSION, PACKAGE_VERSION } from "../../bindings/abi/version.ts";
import { forwardKernels, referenceKernels } from "../../bindings/reference/index.ts";
import { viewsOf } from "../../bindings/reference/views.ts";
import { hasDot, hasRelaxed } from "../support/builds.ts";
import { DTYPES, OPS, OWN_GRADIENT, parse, VARIANTS } from "./grammar.ts";

type Table = Record<string, Function>;

const root = new URL("../../", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), "utf8");
const compile = (build: string): WebAssembly.Module =>
  new WebAssembly.Module(readFileSync(new URL(`build/wasm/${build}.wasm`, root)));

/** Elementwise steps, which the modules of int8 kernels take from the others. */
const STEPS = [
  "f32_gru_blend_step",
  "f32_gru_reset_after_step",
  "f32_gru_reset_step",
  "f32_lstm_step",
  "f32_simple_rnn_step",
];
const isSecond = (build: string): boolean => build.startsWith("q8-");

/** A module's functions; the steps it may want do nothing here. */
function instantiate(module: WebAssembly.Module, memory = new WebAssembly.Memory({ initial: 1 })): Table {
  const steps = Object.fromEntries(STEPS.map((name) => [name, () => undefined]));
  return new WebAssembly.Instance(module, { env: { ...steps, memory, abort() {} } }).exports as Table;
}

/** The range of the bytes that instantiation writes, its constants. Filling memory with 0 and with 255 finds it. */
function dataRange(module: WebAssembly.Module): [begin: number, end: number] {
  const ranges = [0x00, 0xff].map((fill) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = new Uint8Array(memory.buffer).fill(fill);
    instantiate(module, memory);
    return [bytes.findIndex((byte) => byte !== fill), bytes.findLastIndex((byte) => byte !== fill) + 1];
  });
  return [Math.min(...ranges.map(([begin]) => begin)), Math.max(...ranges.map(([, end]) => end))];
}

/** name → parameters, from the interface that is generated from the wasm. */
function declared(): Map<string, string[]> {
  const rows = [...text("bindings/generated/kernels.ts").matchAll(/^ {2}(\w+)\(([^)]*)\): /gm)];
  return new Map(rows.map(([, name, args]) => [name!, [...args!.matchAll(/(\w+):/g)].map(([, arg]) => arg!)]));
}

/** name → file of the kernels that are exported from assembly/kernels. */
function sources(): Map<string, string> {
  const found = new Map<string, string>();
  const files = readdirSync(new URL("assembly/kernels", root), { recursive: true }) as string[];
  for (const file of files.filter((each) => each.endsWith(".ts"))) {
    for (const [, name] of text(`assembly/kernels/${file}`).matchAll(/^export function (\w+)/gm))
      found.set(name!, file);
  }
  return found;
}

const parametersOf = (f: Function): string[] =>
  /\(([^)]*)\)/
    .exec(f.toString())![1]!
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
/** Twins write their parameters in camelCase and mark those they do without. */
const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();

const BUILDS = [
  "simd",
  "check",
  "simd-infer",
  "q8-simd",
  "q8-check",
  ...(hasRelaxed ? ["relaxed", "relaxed-infer"] : []),
  ...(hasDot ? ["q8-relaxed"] : []),
];
const modules = new Map(BUILDS.map((build) => [build, compile(build)]));
const first = instantiate(modules.get("simd")!);
const second = instantiate(modules.get("q8-simd")!);
/** The whole table. */
const all: Table = { ...second, ...first };
const names = Object.keys(all).sort();
const reference = referenceKernels({ buffer: new ArrayBuffer(65536) }) as unknown as Table;

const test = suite("kernels");

test("names follow the grammar", () => {
  const wrong = names.filter((name) => parse(name) === undefined);
  assert.equal(wrong, [], "parts are in the lists of test/contract/grammar.ts");
});

test("extents are known of every kernel that a program of a file may call", () => {
  const called = ["simd-infer", "q8-simd"].flatMap((build) => Object.keys(instantiate(modules.get(build)!)));
  const kernels = [...new Set(called)].filter((name) => !/^abi_|^memory$|^f32_copy_strided$/.test(name));
  assert.equal(Object.keys(KERNEL_EXTENTS).sort(), kernels.sort());
});

test("no word of the grammar is left over", () => {
  const parsed = names.map((name) => parse(name)!);
  assert.equal(
    OPS.filter((op) => !parsed.some((each) => each.op === op)),
    [],
    "ops",
  );
  const variants = new Set(parsed.flatMap((each) => each.variants));
  assert.equal(
    VARIANTS.filter((word) => !variants.has(word)),
    [],
    "variants",
  );
  assert.equal(
    DTYPES.filter((word) => !parsed.some((each) => each.dtype === word)),
    [],
    "dtypes",
  );
});

test("forward and backward come in pairs, in one file", () => {
  const file = sources();
  for (const name of names) {
    const { op, phase } = parse(name)!;
    if (phase === undefined || OWN_GRADIENT.includes(op)) continue;
    const partner = name.replace(/_(fwd|bwd)$/, (_, word) => (word === "fwd" ? "_bwd" : "_fwd"));
    assert.ok(file.has(partner), `${name} has no ${partner}`);
    assert.is(file.get(name), file.get(partner), name);
  }
});

test("the reference has the same kernels with the same arguments in the same order", () => {
  assert.equal(Object.keys(reference).sort(), names);
  const types = declared();
  for (const name of names) {
    assert.is(reference[name]!.length, all[name]!.length, name);
    assert.equal(parametersOf(reference[name]!).map(plain), types.get(name)!.map(plain), name);
  }
});

test("the table of costs has every kernel, and calls its extents as the kernel does", () => {
  assert.equal(Object.keys(KERNEL_COSTS).sort(), names);
  const types = declared();
  for (const name of names) {
    const { extents } = KERNEL_COSTS[name as KernelName];
    const arguments_ = types.get(name)!.slice(0, extents.length);
    assert.equal(
      extents.map((extent, i) => (extent === "-" ? arguments_[i] : extent)),
      arguments_,
      name,
    );
  }
});

test("the table of costs counts a product less where a sequence has no initial state", () => {
  const count = (name: KernelName, without: Record<string, number>): number => {
    const given: Record<string, number> = { T: 5, B: 2, H: 8, h0: 1, initial: 1, ...without };
    return KERNEL_COSTS[name].multiplyAdds(
      ...declared()
        .get(name)!
        .map((each) => given[each] ?? 1),
    );
  };
  const sequences = names.filter((name) => /_seq(_|$)/.test(name) && !/^q8_gru/.test(name)) as KernelName[];
  assert.is(sequences.length, 10);
  for (const name of sequences) {
    const first = name.endsWith("_bwd") ? "initial" : "h0";
    const gates = name.includes("lstm") ? 4 : name.includes("gru") ? 3 : 1;
    const whole = 5 * 2 * gates * 8 * 8;
    const candidate = name === "f32_gru_reset_before_seq_bwd" ? 2 * 8 * 8 : 0; // its product is there in every step
    assert.is(count(name, {}), whole, name);
    assert.is(count(name, { [first]: 0 }), (whole * 4) / 5 + candidate, name);
  }
});

test("the generated types are those of the wasm", () => {
  const types = declared();
  assert.equal([...types.keys()].sort(), names);
  for (const name of names) assert.is(types.get(name)!.length, all[name]!.length, name);
});

for (const build of BUILDS) {
  test(`${build}: functions of the table, nothing else`, () => {
    const module = modules.get(build)!;
    const exports = WebAssembly.Module.exports(module);
    assert.ok(
      exports.every(({ kind }) => kind === "function"),
      "no memory, global or table is exported",
    );
    const table = instantiate(module);
    const own = Object.keys(table).sort();
    const whole = isSecond(build) ? second : first;
    if (build.endsWith("-infer"))
      assert.equal(
        own.filter((name) => !(name in first)),
        [],
      );
    else assert.equal(own, Object.keys(whole).sort());
    for (const name of own) assert.is(table[name]!.length, whole[name]!.length, name);
  });

  const imported = ["memory", build.endsWith("check") && "abort", isSecond(build) && "elementwise steps"].filter(
    Boolean,
  );
  test(`${build}: imports only ${imported.join(", ")}`, () => {
    const imports = WebAssembly.Module.imports(modules.get(build)!).map(
      ({ module, name, kind }) => `${module}.${name} ${kind}`,
    );
    const functions = [...(build.endsWith("check") ? ["abort"] : []), ...(isSecond(build) ? STEPS : [])];
    assert.equal(imports.sort(), [...functions.map((name) => `env.${name} function`), "env.memory memory"]);
  });

  test(`${build}: constants lie below the arena, those of int8 kernels behind the others`, () => {
    const [begin, end] = dataRange(modules.get(build)!);
    const [low, high] = isSecond(build) ? [INT8_DATA, ARENA_BASE] : [0, INT8_DATA];
    assert.ok(end > 1024, "constants were found");
    assert.ok(begin >= low && end <= high, `constants lie in ${begin}…${end}, expected in ${low}…${high}`);
  });
}

test("the reference parts kernels that run a model from those that train it as the modules do", () => {
  const running = ["simd-infer", "q8-simd"].flatMap((build) => Object.keys(instantiate(modules.get(build)!)));
  const forward = forwardKernels(viewsOf({ buffer: new ArrayBuffer(8) }));
  assert.equal(Object.keys(forward).sort(), [...new Set(running)].sort());
});

test("models that only run need no training kernel", () => {
  const infer = Object.keys(instantiate(modules.get("simd-infer")!));
  assert.equal(
    infer.filter((name) => parse(name)!.phase === "bwd"),
    [],
  );
  assert.ok(infer.length < names.length);
});

test("the version of the package is that of package.json", () => {
  const { version } = JSON.parse(text("package.json")) as { version: string };
  assert.is(PACKAGE_VERSION, version);
});

test("every table says the same version", () => {
  assert.is(reference.abi_version!(), ABI_VERSION);
  for (const build of BUILDS) {
    const table = instantiate(modules.get(build)!);
    assert.is(table.abi_version!(), ABI_VERSION, build);
    assert.is(table.abi_relaxed!(), Number(build.includes("relaxed")), build);
  }
});

test.run();
