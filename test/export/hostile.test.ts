/** Exported files that somebody has changed: refused, or run within their own memory and in bounded time. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ARENA_BASE } from "../../bindings/abi/memory.ts";
import { KERNEL_EXTENTS } from "../../bindings/abi/kernel_extents.ts";
import { Random } from "../../bindings/base/random.ts";
import { sha256 } from "../../bindings/base/sha256.ts";
import { decodeExport } from "../../bindings/export/export_file.ts";
import { loadExported } from "../../bindings/export/exported_model.ts";
import { GatewiseError, layers, ops, sequential, Module, type Tensor } from "../../bindings/index.ts";
import { decodeCalls } from "../../bindings/runtime/encoding.ts";
import { loadInt8 } from "../../bindings/runtime/wasm/int8.ts";
import { loadSync } from "../../bindings/runtime/load.ts";
import type { BoundCall } from "../../bindings/runtime/replay.ts";
import { decodeSafetensors, encodeSafetensors } from "../../bindings/saving/safetensors.ts";
import { refused } from "../support/refused.ts";

const KEY = "gatewise/exported";
const test = suite("hostile exported files");

/** A cell of one's own, whose loop stands in the program. */
class Leaky extends Module {
  stateSize = 3;
  inner = layers.dense({ units: 3 });

  override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
    const next = ops.add(ops.mul(h, 0.5), this.inner.call(x) as Tensor);
    return [next, [next]];
  }
}

const tokens = layers.embedding({ inputDim: 9, outputDim: 5, maskZero: true });
const recurrent = [
  layers.lstm({ units: 5, returnSequences: true, peepholes: true }),
  layers.gru({ units: 4, returnSequences: true, activation: "relu" }),
  layers.gru({ units: 9, returnSequences: true, resetAfter: false }),
  layers.bidirectional({ layer: layers.simpleRNN({ units: 3, returnSequences: true }) }),
  layers.globalMaxPooling(),
  layers.dense({ units: 2, activation: "softmax" }),
];
const looped = sequential(
  [layers.rnn({ cell: new Leaky(), returnSequences: true }), layers.permute({ dims: [2, 1] })],
  {
    inputShape: [5, 2],
    seed: 2,
  },
);
const streamed = sequential([layers.lstm({ units: 6, returnSequences: true }), layers.dense({ units: 1 })], {
  inputShape: [null, 1],
  seed: 3,
});
const integers = sequential([layers.gru({ units: 16, returnSequences: true }), layers.dense({ units: 3 })], {
  inputShape: [null, 4],
  seed: 4,
});

const FILES: Readonly<Record<string, Uint8Array>> = {
  "tokens through every layer": sequential([tokens, ...recurrent], { inputShape: [null], seed: 1 }).export({
    predict: { shape: [3, 6], dtype: "i32" },
  }),
  "a loop of one's own": looped.export({ predict: [2, 5, 2] }),
  "a stream": streamed.export({ stream: { block: 8 } }),
  "8 bits": integers.quantize({ activations: 7 }).export({ predict: [2, 3, 4], stream: true }),
};

/** Loads with the memory that the kernels get, filled beforehand nowhere. */
function loadSpied(bytes: Uint8Array): { model: ReturnType<typeof loadExported>; memory: WebAssembly.Memory } {
  const { Memory } = WebAssembly;
  let memory: WebAssembly.Memory | undefined;
  WebAssembly.Memory = function (descriptor: WebAssembly.MemoryDescriptor) {
    return (memory = new Memory(descriptor));
  } as unknown as typeof Memory;
  try {
    return { model: loadExported(bytes), memory: memory! };
  } finally {
    WebAssembly.Memory = Memory;
  }
}

/** Runs all that a file has. */
function run(model: ReturnType<typeof loadExported>, { file }: ReturnType<typeof decodeExport>): void {
  const { predict, stream } = file;
  if (predict) {
    const zeros = predict.inputs.map(({ shape, dtype }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return { data: dtype === "i32" ? new Int32Array(size) : new Float32Array(size), shape };
    });
    model.predict(zeros);
  }
  if (stream) model.stream.process(new Float32Array(model.stream.inputSize * 9));
}

/** Bytes of memory outside of the block that the file has. */
const outside = ({ buffer }: WebAssembly.Memory, end: number): Uint8Array[] => [
  new Uint8Array(buffer, 0, ARENA_BASE).slice(),
  new Uint8Array(buffer, Math.ceil(end / 64) * 64).slice(),
];

type Parts = ReturnType<typeof decodeSafetensors>;
const rewritten = ({ tensors, metadata }: Parts, change: (about: any) => void): Uint8Array => {
  const about = JSON.parse(metadata[KEY]) as object;
  change(about);
  return encodeSafetensors(tensors, { [KEY]: JSON.stringify(about) });
};
const withProgram = ({ tensors, metadata }: Parts, name: string, text: readonly number[]): Uint8Array =>
  encodeSafetensors({ ...tensors, [name]: { data: Float64Array.from(text), shape: [text.length] } }, metadata);

for (const [name, bytes] of Object.entries(FILES)) {
  test(`${name}: what each call writes lies in the extents that are known of its kernel`, () => {
    const { file, contents } = decodeExport(bytes);
    const backend = loadSync({});
    backend.arena.alloc(file.end - ARENA_BASE);
    loadInt8(backend);
    for (const [at, data] of contents) backend.heap.u8(at, data.length).set(data);
    const kernels = file.kernels.map((kernel) => [kernel, backend.kernels[kernel as "f32_fill"]] as const);
    const memory = (): Uint8Array => backend.heap.u8(ARENA_BASE, file.end - ARENA_BASE);
    const step = (calls: readonly BoundCall[]): void => {
      for (const { kernel, fn, args, loop } of calls) {
        if (loop) {
          step(loop.calls);
          continue;
        }
        const before = memory().slice();
        fn(...args);
        if (kernel === "f32_copy_strided") continue;
        const { extents, writes } = KERNEL_EXTENTS[kernel](...args);
        const expected = memory().slice();
        for (const [ptr, words] of extents.slice(-writes).filter(([, some]) => some > 0))
          expected.set(before.subarray(ptr - ARENA_BASE, ptr - ARENA_BASE + 4 * words), ptr - ARENA_BASE);
        assert.ok(Buffer.compare(expected, before) === 0, `${kernel}(${args.join(", ")})`);
      }
    };
    for (const { text } of [...Object.values(file.stream?.programs ?? {}), ...(file.predict ? [file.predict] : [])])
      step(decodeCalls(text, kernels));
  });

  test(`${name}: a changed program is refused, or keeps to its memory and ends soon`, () => {
    const parts = decodeSafetensors(bytes);
    const random = new Random(7).fork(name);
    const { end } = decodeExport(bytes).file;
    const programs = Object.keys(parts.tensors).filter((tensor) => tensor.startsWith("program/"));
    let refusals = 0;
    for (let round = 0; round < 150; round++) {
      const program = programs[Math.floor(random.uniform() * programs.length)];
      const text = [...(parts.tensors[program].data as Float64Array)];
      const at = Math.floor(random.uniform() * text.length);
      const now = text[at];
      const others = [now + 4, now - 4, now * 2, now + 1, 0, -1, 16384, end, 1e6, 2 ** 31, 2 ** 32 - 8, 1e15, 0.5];
      text[at] = others[Math.floor(random.uniform() * others.length)];
      const changed = withProgram(parts, program, text);
      const start = performance.now();
      try {
        const { model, memory } = loadSpied(changed);
        const before = outside(memory, end);
        run(model, decodeExport(changed));
        outside(memory, end).forEach((part, i) =>
          assert.ok(Buffer.compare(part, before[i]) === 0, `${program}[${at}] = ${text[at]} wrote outside`),
        );
      } catch (error) {
        if (!(error instanceof GatewiseError)) throw error;
        refusals++;
      }
      assert.ok(performance.now() - start < 2000, `${program}[${at}] = ${text[at]} took too long`);
    }
    assert.ok(refusals > 20, `${refusals} of 150`);
  });
}

test("loops without an end, memory without bounds, kernels that are none", () => {
  const parts = decodeSafetensors(FILES["a loop of one's own"]);
  const text = [...(parts.tensors["program/predict"].data as Float64Array)];
  const loop = text.indexOf(-1);
  assert.ok(loop > 0);
  for (const count of [1e12, 2 ** 52]) {
    const endless = [...text];
    endless[loop + 1] = count;
    refused(
      () => loadExported(withProgram(parts, "program/predict", endless)),
      "ERR_FORMAT",
      /^loadExported: expected (programs that a file of this size may need|\w+ within)/,
    );
  }
  const asks = rewritten(parts, (about) => (about.end = 4e9));
  refused(
    () => loadExported(asks),
    "ERR_FORMAT",
    /needs at most \d+ bytes of memory, got one that asks for 4000000000/,
  );
  for (const kernel of ["constructor", "toString", "__proto__", "abi_version"])
    refused(
      () => loadExported(rewritten(parts, (about) => (about.kernels[0] = kernel))),
      "ERR_UNSUPPORTED",
      new RegExp(`got a file that needs ${kernel}`),
    );
  refused(
    () => loadExported(FILES["a stream"], { memory: 1000 }),
    "ERR_FORMAT",
    /needs at most 1000 bytes of memory, got one that asks for \d+; if you trust it/,
  );
});

test("a stream without the programs that it runs", () => {
  const parts = decodeSafetensors(FILES["a stream"]);
  for (const change of [
    (stream: any) => (stream.block = 9),
    (stream: any) => (stream.batch = 0),
    (stream: any) => delete stream.programs[8],
    (stream: any) => (stream.programs[8].inputs[0].shape = [1, 4, 1]),
  ])
    refused(() => loadExported(rewritten(parts, ({ stream }) => change(stream))), "ERR_FORMAT", /^loadExported: /);
});

test("what stands around inputs and outputs is checked as well", () => {
  const parts = decodeSafetensors(FILES["a loop of one's own"]);
  for (const change of [
    (predict: any) => (predict.structure = undefined),
    (predict: any) => (predict.structure = { kind: "list", items: [{ kind: "leaf", index: 1 }] }),
    (predict: any) => (predict.names = { length: 1 }),
    (predict: any) => (predict.inputs[0].ptr += 1),
    (predict: any) => (predict.inputs[0].dtype = "f64"),
    (predict: any) => (predict.outputs[0].shape = [1, 0.5]),
    (predict: any) => (predict.inputs[0].ranges = [null]),
  ])
    refused(() => loadExported(rewritten(parts, ({ predict }) => change(predict))), "ERR_FORMAT", /^loadExported: /);
});

test("int8 kernels in a file are those of this version, or it is refused", () => {
  const parts = decodeSafetensors(FILES["8 bits"]);
  const foreign = rewritten(parts, ({ int8 }) => (int8.pieces = `A${(int8.pieces as string).slice(1)}`));
  refused(() => loadExported(foreign), "ERR_FORMAT", /expected the int8 kernels of this version, got others/);
});

test("the digest is SHA-256", () => {
  assert.is(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.is(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.is(sha256("a".repeat(1000)), "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
});

test.run();
