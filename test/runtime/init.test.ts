/** Choosing a backend: options, modules given by hand, wrong arithmetic, and which backend a model is on. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UnsupportedError, backendInfo, init, initSync, layers, sequential } from "../../bindings/index.ts";
import { wasm } from "../../bindings/runtime/wasm/inline.ts";
import type { Backend } from "../../bindings/runtime/backend.ts";
import { passesKnownAnswer } from "../../bindings/runtime/load.ts";
import { backendOf, builds } from "../support/backends.ts";
import { hasRelaxed } from "../support/builds.ts";
import { floats } from "../support/models.ts";
import { refused, rejected } from "../support/refused.ts";

const test = suite("init");
test.after.each(() => initSync());

const file = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../build/wasm/${name}.wasm`, import.meta.url)));
const small = () =>
  sequential([layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 1 })], {
    seed: 1,
    inputShape: [null, 2],
  });
const [x, y] = [floats([2, 4, 2]), floats([2, 4, 1], 1)];

test("auto, by either way, takes the fastest build of this engine", async () => {
  const best = hasRelaxed ? "relaxed" : "simd";
  await init();
  assert.is(backendInfo().build, best);
  initSync({ build: "auto" });
  assert.equal(backendInfo(), { build: best, simd: true, relaxed: hasRelaxed, threads: 1, memoryBytes: 0 });
  initSync({ deterministic: true });
  assert.is(backendInfo().build, "simd");
});

test("named builds", async () => {
  for (const build of builds) {
    await init({ build });
    assert.is(backendInfo().build, build);
    assert.is(backendInfo().simd, build !== "reference");
    assert.is(backendInfo().relaxed, build === "relaxed");
    assert.is(backendInfo().memoryBytes, 0);
    const model = small();
    assert.ok(backendInfo().memoryBytes > 0);
    model.dispose();
    assert.is(backendInfo().memoryBytes, 0);
  }
});

test("models keep the backend they were made on", () => {
  const made = builds.map((build) => {
    initSync({ build });
    const model = small();
    model.compile({ loss: "mse" });
    return model;
  });
  const predict = () => made.map((model) => model.predict(x).data);
  const all = predict();
  for (const data of all) data.forEach((value, i) => assert.ok(Math.abs(value - all[0][i]) < 1e-6));
  made.forEach((model, i) => {
    const used = made.map(({ backend }) => backend.arena.bytes);
    model.trainOnBatch(x, y);
    const stream = model.stream();
    stream.step([1, 2]);
    made.forEach(({ backend }, k) =>
      assert.is(backend.arena.bytes > used[k], k === i, "only its own backend was used"),
    );
    assert.is(model.backend.build, builds[i]);
  });
  made.forEach((model) => model.dispose());
  made.forEach(({ backend }) => assert.is(backend.arena.bytes, 0));
});

test("a model of another backend takes weights over", () => {
  const [a, b] = builds.slice(-2).map((build) => {
    initSync({ build });
    return small();
  });
  b.setWeights(a.getWeights());
  b.load(a.save());
  assert.equal(b.getWeights(), a.getWeights());
  a.dispose();
  b.dispose();
});

test("options are held to their names and ranges", async () => {
  refused(
    () => initSync({ buidl: "simd" } as object),
    "ERR_OPTION",
    /^initSync: expected one of the options build, deterministic, module, int8, got "buidl", did you mean "build"\?$/,
  );
  refused(() => initSync({ threads: 2 } as object), "ERR_OPTION", /^initSync: expected one of the options/);
  refused(() => initSync({ build: "simmd" as "simd" }), "ERR_OPTION", /did you mean "simd"/);
  await rejected(
    init({ thread: 2 } as object),
    "ERR_OPTION",
    /^init: expected one of the options .* got "thread", did you mean "threads"\?$/,
  );
  await rejected(init({ threads: 0 }), "ERR_OPTION", /^init: expected threads to be a positive integer, got 0$/);
  await rejected(init({ threads: 1000 }), "ERR_OPTION", /^init: expected at most 256 threads, got 1000$/);
  await rejected(
    init({ build: "relaxed", deterministic: true }),
    "ERR_OPTION",
    /^init: expected build "simd" or "reference" with deterministic/,
  );
});

test("a failed init leaves the backend as it was", () => {
  initSync({ build: "reference" });
  refused(() => initSync({ build: "nothing" as "simd" }), "ERR_OPTION", /^init: expected build/);
  assert.is(backendInfo().build, "reference");
});

test("a module given by hand says itself which build it is", async () => {
  const module = new WebAssembly.Module(file("simd"));
  initSync({ module });
  assert.is(backendInfo().build, "simd");
  await init({ module, build: "simd", deterministic: true });
  refused(
    () => initSync({ module, build: "relaxed" }),
    "ERR_OPTION",
    /^init: expected a module of build "relaxed", got one of build "simd"$/,
  );
  refused(
    () => initSync({ module, build: "reference" }),
    "ERR_OPTION",
    /^init: expected a module of build "reference", got one of build "simd"$/,
  );
  if (!hasRelaxed) return;
  const relaxed = new WebAssembly.Module(file("relaxed"));
  initSync({ module: relaxed });
  assert.is(backendInfo().build, "relaxed");
  refused(() => initSync({ module: relaxed, deterministic: true }), "ERR_OPTION", /with deterministic, got "relaxed"/);
});

test("other modules are refused", async () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  // (import "env" "other" (func))
  const importing = Uint8Array.of(
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    1,
    4,
    1,
    0x60,
    0,
    0,
    2,
    13,
    1,
    3,
    0x65,
    0x6e,
    0x76,
    5,
    0x6f,
    0x74,
    0x68,
    0x65,
    0x72,
    0,
    0,
  );
  refused(
    () => initSync({ module: new WebAssembly.Module(empty) }),
    "ERR_UNSUPPORTED",
    /^init: expected a kernel module of version \d+, got none$/,
  );
  refused(
    () => initSync({ module: new WebAssembly.Module(importing) }),
    "ERR_UNSUPPORTED",
    /^init: expected a kernel module of gatewise, got one that does not link: /,
  );
  refused(
    () => initSync({ module: file("simd") as unknown as WebAssembly.Module }),
    "ERR_OPTION",
    /^init: expected a WebAssembly.Module in `module`, got Uint8Array; compile bytes with WebAssembly.compile first$/,
  );
  await rejected(init({ module: {} as WebAssembly.Module }), "ERR_OPTION", /got Object/);
});

test("the module of gatewise/infer runs models, and says that it cannot train them", () => {
  initSync({ module: new WebAssembly.Module(file("simd-infer")) });
  const model = small();
  assert.equal(model.predict(x).shape, [2, 4, 1]);
  model.compile({ loss: "mse" });
  refused(
    () => model.trainOnBatch(x, y),
    "ERR_UNSUPPORTED",
    /^init: expected a kernel module with f32_\w+, got one without; the modules of gatewise\/infer run models but do not train them$/,
  );
  assert.equal(model.predict(x).shape, [2, 4, 1]);
  model.dispose();
  assert.is(backendInfo().memoryBytes, 0);
});

test("the known answer is what decides about a relaxed build", () => {
  const { heap, arena, kernels } = backendOf("reference");
  const with_ = (f32_vmul_acc: Backend["kernels"]["f32_vmul_acc"]): Backend => ({
    build: "relaxed",
    heap,
    arena,
    kernels: { ...kernels, f32_vmul_acc },
  });
  const { bytes } = arena;
  assert.ok(passesKnownAnswer(with_(kernels.f32_vmul_acc)));
  assert.not(
    passesKnownAnswer(
      with_((n, a, b, out) =>
        heap.f32(out, n).forEach((value, i, all) => (all[i] = value - heap.f32(a, n)[i] * heap.f32(b, n)[i])),
      ),
    ),
  );
  assert.not(passesKnownAnswer(with_(() => undefined)));
  assert.is(arena.bytes, bytes);
});

/** The relaxed module with every multiply-add made one that subtracts: it validates, and computes wrongly. */
function doctored(): Uint8Array<ArrayBuffer> {
  const bytes = file("relaxed");
  for (let i = 0; i + 2 < bytes.length; i++)
    if (bytes[i] === 0xfd && bytes[i + 1] === 0x85 && bytes[i + 2] === 0x02) bytes[i + 1] = 0x86;
  return bytes;
}

if (hasRelaxed) {
  test("a relaxed build that computes wrongly: auto takes the next, a name throws", async () => {
    const { relaxed } = wasm;
    const message =
      /^init: expected relaxed multiply-add to compute a·b \+ c, got something else from this engine; use build "simd"$/;
    try {
      wasm.relaxed = doctored;
      initSync();
      assert.is(backendInfo().build, "simd");
      await init({ build: "auto" });
      assert.is(backendInfo().build, "simd");
      refused(() => initSync({ build: "relaxed" }), "ERR_UNSUPPORTED", message);
      await rejected(init({ build: "relaxed" }), "ERR_UNSUPPORTED", message);
      refused(() => initSync({ module: new WebAssembly.Module(doctored()) }), "ERR_UNSUPPORTED", message);
    } finally {
      wasm.relaxed = relaxed;
    }
  });
} else {
  test("a relaxed build on an engine without: auto takes the next, a name throws", async () => {
    await rejected(
      init({ build: "relaxed" }),
      "ERR_UNSUPPORTED",
      /^init: expected an engine with madd for build "relaxed", got one without$/,
    );
    assert.throws(
      () => initSync({ build: "relaxed" }),
      (error: unknown) => error instanceof UnsupportedError,
    );
    await init();
    assert.is(backendInfo().build, "simd");
  });
}

test("a page that forbids compiling is told what to allow, or what to import", async () => {
  const { compile, Module: CompiledModule } = WebAssembly;
  class Refused {
    constructor() {
      throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    }
  }
  const told =
    /^init: expected to compile WebAssembly, got a refusal \(Wasm code.*wasm-unsafe-eval.*gatewise\/external/;
  Object.assign(WebAssembly, {
    compile: () => Promise.reject(new WebAssembly.CompileError("Wasm code")),
    Module: Refused,
  });
  try {
    refused(() => initSync(), "ERR_UNSUPPORTED", told);
    await rejected(init(), "ERR_UNSUPPORTED", told);
    initSync({ build: "reference" });
    assert.is(backendInfo().build, "reference");
  } finally {
    Object.assign(WebAssembly, { compile, Module: CompiledModule });
  }
});

test.run();
