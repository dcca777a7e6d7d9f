/** The module of int8 kernels: loaded on first use from the entry or the caller, in the fastest build that is right. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Kernels } from "../../bindings/generated/kernels.ts";
import { initSync, layers, sequential } from "../../bindings/index.ts";
import { int8Wasm } from "../../bindings/runtime/wasm/inline.ts";
import { loadInt8 } from "../../bindings/runtime/wasm/int8.ts";
import type { Backend } from "../../bindings/runtime/backend.ts";
import { loadSync, type InitOptions } from "../../bindings/runtime/load.ts";
import { hasDot, hasRelaxed } from "../support/builds.ts";
import { refused } from "../support/refused.ts";

const test = suite("int8 kernels");
const file = (build: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../build/wasm/${build}.wasm`, import.meta.url)));
const module = (build: string): WebAssembly.Module => new WebAssembly.Module(file(build));
const tableOf = (backend: Backend): Partial<Kernels> => backend.kernels;

/** Runs `fn` with other wasm in the entry. */
function carrying(wasm: typeof int8Wasm, fn: () => void): void {
  const before = { ...int8Wasm };
  try {
    int8Wasm.simd = wasm.simd!;
    int8Wasm.relaxed = wasm.relaxed!;
    fn();
  } finally {
    Object.assign(int8Wasm, before);
  }
}

/** What it sums 4 · 127 · 127 + 5 to, and 4 · 127 · 255 + 5: the second tells the relaxed dot from the other. */
function loaded(options: InitOptions): [number, number] {
  const backend = loadSync(options);
  loadInt8(backend);
  return [backend.kernels.abi_dot(127, 127), backend.kernels.abi_dot(127, 255)];
}

/** A term beyond 127 is −1 to those who multiply int16. */
const PLAIN = [64521, -503];

test("is loaded once, and by nobody else", () => {
  const backend = loadSync({ build: "simd" });
  assert.is(tableOf(backend).q8_gemm_nn, undefined);
  loadInt8(backend);
  const { q8_gemm_nn, abi_relaxed, f32_lstm_step } = backend.kernels;
  assert.type(q8_gemm_nn, "function");
  loadInt8(backend);
  assert.is(backend.kernels.q8_gemm_nn, q8_gemm_nn);
  assert.is(abi_relaxed(), 0);
  assert.type(f32_lstm_step, "function");
});

test("models load it, and only quantised ones", () => {
  initSync({ build: "simd" });
  const model = sequential([layers.lstm({ units: 4 })], { inputShape: [null, 40] });
  assert.is(tableOf(model.backend).q8_gemm_nn, undefined);
  const small = model.quantize();
  assert.type(small.backend.kernels.q8_gemm_nn, "function");
  model.dispose();
  small.dispose();
});

test("simd has the plain dot", () => assert.equal(loaded({ build: "simd" }), PLAIN));

if (hasDot) {
  test("relaxed has the relaxed dot where it is one instruction, the plain one where it is several", () => {
    const [right, beyond] = loaded({ build: "relaxed" });
    assert.is(right, 64521);
    const direct = new WebAssembly.Instance(module("q8-relaxed"), {
      env: {
        ...loadSync({ build: "relaxed" }).kernels,
        memory: new WebAssembly.Memory({ initial: 1 }),
      } as unknown as WebAssembly.ModuleImports,
    }).exports as unknown as Kernels;
    const own = direct.abi_dot(127, 255);
    assert.ok([5 + 4 * 127 * 255, 5 + 2 * 32767, -503].includes(own), `${own}`);
    assert.is(beyond, own === 5 + 2 * 32767 ? -503 : own);
  });

  /** The relaxed module with every dot made a multiply-add of floats: it validates, and computes wrongly. */
  const doctored = (): Uint8Array<ArrayBuffer> => {
    const bytes = file("q8-relaxed");
    for (let i = 0; i + 2 < bytes.length; i++)
      if (bytes[i] === 0xfd && bytes[i + 1] === 0x93 && bytes[i + 2] === 0x02) bytes[i + 1] = 0x85;
    return bytes;
  };

  test("a dot that computes wrongly is not used", () => {
    carrying({ ...int8Wasm, relaxed: doctored }, () => assert.equal(loaded({ build: "relaxed" }), PLAIN));
    const given = loadSync({ module: module("relaxed"), int8: new WebAssembly.Module(doctored()) });
    refused(
      () => loadInt8(given),
      "ERR_UNSUPPORTED",
      /^quantize: expected the relaxed dot to add four products, got something else/,
    );
  });
}

if (hasRelaxed) {
  test("the plain one beside a relaxed build, when an engine lacks the dot", () => {
    carrying({ simd: () => file("q8-simd") }, () => assert.equal(loaded({ build: "relaxed" }), PLAIN));
  });
}

test("entries without wasm are given it", () => {
  carrying({}, () => {
    const lacking = loadSync({ module: module("simd") });
    refused(
      () => loadInt8(lacking),
      "ERR_OPTION",
      /^quantize: expected a WebAssembly.Module in `int8` of init, since this entry carries none, got nothing$/,
    );
    assert.equal(loaded({ module: module("simd"), int8: module("q8-simd") }), PLAIN);
    assert.equal(loaded({ module: module("simd-infer"), int8: module("q8-simd") }), PLAIN);
  });
});

test("other modules are refused", () => {
  refused(
    () => initSync({ int8: file("q8-simd") as unknown as WebAssembly.Module }),
    "ERR_OPTION",
    /^init: expected a WebAssembly.Module in `int8`, got Uint8Array; compile bytes with WebAssembly.compile first$/,
  );
  const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  refused(
    () => loadInt8(loadSync({ module: module("simd"), int8: empty })),
    "ERR_UNSUPPORTED",
    /^quantize: expected a module of int8 kernels of this version, got another$/,
  );
  const importing = new WebAssembly.Module(
    Uint8Array.of(
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
    ),
  );
  refused(
    () => loadInt8(loadSync({ module: module("simd"), int8: importing })),
    "ERR_UNSUPPORTED",
    /^quantize: expected a module of gatewise's int8 kernels, got one that does not link: /,
  );
});

test.run();
