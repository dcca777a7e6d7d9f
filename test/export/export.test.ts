/** Exported models: the numbers of the model, whatever it is made of; files that are damaged or of something else. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadExported } from "../../bindings/export/exported_model.ts";
import {
  GatewiseError,
  Module,
  backendInfo,
  layers,
  loadModel,
  ops,
  sequential,
  type Tensor,
} from "../../bindings/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../bindings/saving/safetensors.ts";
import { currentBackend } from "../../bindings/runtime/context.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, tokens } from "../support/models.ts";
import { same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const KEY = "gatewise/exported";

const deep = () =>
  sequential(
    [
      layers.lstm({ units: 6, returnSequences: true }),
      layers.gru({ units: 5, returnSequences: true }),
      layers.dense({ units: 2 }),
    ],
    { seed: 1, inputShape: [null, 3] },
  );
const writer = () =>
  sequential(
    [
      layers.embedding({ inputDim: 9, outputDim: 8 }),
      layers.gru({ units: 64, returnSequences: true }),
      layers.dense({ units: 9 }),
    ],
    { seed: 2, inputShape: [null] },
  );

/** Two inputs, a record of outputs, and rows of a batch that know of each other. */
class Pair extends Module {
  cell = layers.simpleRNN({ units: 4 });

  override call(a: Tensor, b: Tensor) {
    const sum = ops.add(this.cell.call(a), this.cell.call(b));
    return { sum, centred: ops.sub(sum, ops.mean(sum, { axis: 0, keepDims: true })) };
  }
}

eachBackend("exported", (test, build) => {
  if (build === "reference") return; // it runs on wasm only; the contract of layers exports from the reference too

  test("long sequences, which run in chunks", () => {
    const model = sequential([layers.lstm({ units: 16, returnSequences: true })], { seed: 1, inputShape: [null, 64] });
    const x = floats([8, 601, 64]);
    same(loadExported(model.export({ predict: x.shape }), { build }).predict(x).data, model.predict(x).data);
    model.dispose();
  });

  test("a stream: the bits of the model's, by steps and by blocks, and its states", () => {
    const model = deep();
    const { stream } = loadExported(model.export({ stream: { block: 16 } }), { build });
    const here = model.stream({ block: 16 });
    const frames = floats([50, 3]).data;
    same(stream.process(frames), here.process(frames), "process");
    same(stream.step([1, 2, 3]), here.step([1, 2, 3]), "step");
    assert.equal(stream.getState(), here.getState());
    const states = here.getState();
    here.reset();
    stream.reset();
    same(stream.step([1, 2, 3]), here.step([1, 2, 3]), "after reset");
    stream.setState(states);
    here.setState(states);
    same(stream.step([3, 2, 1]), here.step([3, 2, 1]), "after setState");
    refused(() => stream.step([1, NaN, 1]), "ERR_VALUE", /^step: frame: expected finite numbers, got NaN at 1$/);
    refused(() => stream.step([1]), "ERR_SHAPE", /^step: expected a frame of 3 numbers, got 1$/);
    model.dispose();
  });

  test("rows of a stream side by side", () => {
    const model = deep();
    const { stream } = loadExported(model.export({ stream: { batch: 3 } }), { build });
    const here = model.stream({ batch: 3 });
    for (let t = 0; t < 4; t++) {
      if (t === 2) for (const each of [stream, here]) each.reset(1);
      same(stream.step(floats([3, 3], t).data), here.step(floats([3, 3], t).data));
    }
    model.dispose();
  });

  test("predict: any number of rows", () => {
    const model = deep();
    const there = loadExported(model.export({ predict: [4, 7, 3] }), { build });
    for (const rows of [4, 1, 3, 9]) {
      const x = floats([rows, 7, 3], rows);
      assert.equal(there.predict(x), model.predict(x, { batchSize: 4 }), `${rows} rows`);
    }
    model.dispose();
  });

  test("tokens, as integers or as numbers", () => {
    const model = writer();
    const there = loadExported(model.export({ stream: true, predict: [2, 5] }), { build });
    const x = tokens([2, 5], 9);
    assert.equal(there.predict(x), model.predict(x));
    assert.equal(there.predict([[1, 2, 3, 4, 5]]), model.predict([[1, 2, 3, 4, 5]]));
    same(there.stream.process(x.data), model.stream().process(x.data));
    refused(
      () => there.predict([[1, 2, 9, 4, 5]]),
      "ERR_VALUE",
      /^predict: x: expected tokens for embedding "embedding" of 0…8, got 9 at \[0, 2\]$/,
    );
    refused(
      () => there.predict([[1, 2, 0.5, 4, 5]]),
      "ERR_VALUE",
      /^predict: x: expected whole numbers, got 0\.5 at \[0, 2\]$/,
    );
    refused(
      () => there.stream.step([9]),
      "ERR_VALUE",
      /^step: frame: expected tokens for embedding "embedding" of 0…8, got 9/,
    );
    model.dispose();
  });

  for (const activations of ["mixed", 7, 14] as const) {
    test(`int8, activations ${activations}: its kernels come with the file`, () => {
      const original = writer();
      const model = original.quantize({ bits: 8, activations });
      original.dispose();
      const bytes = model.export({ stream: true, predict: [2, 5] });
      const there = loadExported(bytes, { build });
      const x = tokens([2, 5], 9);
      assert.equal(there.predict(x), model.predict(x));
      same(there.stream.process(x.data), model.stream().process(x.data));
      assert.ok(JSON.parse(decodeSafetensors(bytes).metadata[KEY]).int8.pieces.length > 0);
      model.dispose();
    });
  }

  test("a class of one's own: several inputs, a record of outputs, batches as they were exported", () => {
    const model = new Pair({ seed: 4 });
    const [a, b] = [floats([3, 4, 2], 1), floats([3, 4, 2], 2)];
    const expected = model.predict([a, b]);
    const there = loadExported(
      model.export({
        predict: [
          [3, 4, 2],
          [3, 4, 2],
        ],
      }),
      { build },
    );
    assert.equal(there.predict([a, b]), expected);
    assert.equal(Object.keys(expected), ["sum", "centred"]);
    refused(() => there.predict(a), "ERR_SHAPE", /^predict: expected 2 inputs, got 1$/);
    const four = floats([4, 4, 2]);
    refused(
      () => there.predict([four, four]),
      "ERR_SHAPE",
      /^predict: x\[0\]: expected \[3, 4, 2\], as it was exported, got \[4, 4, 2\]$/,
    );
    refused(
      () => model.export({ stream: true }),
      "ERR_UNSUPPORTED",
      /^export: expected a model of layers, as sequential and functional make, got a Pair$/,
    );
    model.dispose();
  });

  test("two of one file know nothing of each other; the model goes on by itself", () => {
    const model = deep();
    const before = backendInfo().memoryBytes;
    const bytes = model.export({ stream: true });
    const [a, b] = [loadExported(bytes, { build }).stream, loadExported(bytes, { build }).stream];
    const first = a.step([1, 2, 3]).slice();
    a.step([1, 2, 3]);
    model.setWeights({ "dense/bias": [5, 5] });
    same(b.step([1, 2, 3]), first);
    model.dispose();
    same(loadExported(bytes, { build }).stream.step([1, 2, 3]), first);
    assert.ok(backendInfo().memoryBytes < before);
  });

  test("what is exported takes no memory that stays, but panels that the model would make", () => {
    const model = deep();
    const options = { stream: true, predict: [2, 3, 3] };
    model.export(options);
    const { memoryBytes } = backendInfo();
    const { size } = currentBackend().arena.cached;
    for (let i = 0; i < 3; i++) model.export(options);
    assert.is(backendInfo().memoryBytes, memoryBytes);
    assert.is(currentBackend().arena.cached.size, size);
    model.dispose();
  });
});

const test = suite("exported files");

test("options that are none", () => {
  const model = deep();
  const refuse = (options: object, code: string, message: RegExp) =>
    refused(() => model.export(options as never), code, message);
  refuse({}, "ERR_OPTION", /^export: expected stream, or the extents of predict's inputs, or both, got neither$/);
  refuse({ steam: true }, "ERR_OPTION", /did you mean "stream"\?$/);
  refuse({ stream: { batches: 2 } }, "ERR_OPTION", /^export: expected one of .*got "batches", did you mean "batch"\?$/);
  refuse(
    { predict: [0, 3, 3] },
    "ERR_SHAPE",
    /^export: expected predict as extents with the batch in front, got \[0, 3, 3\]$/,
  );
  refuse(
    { predict: [2, 3] },
    "ERR_SHAPE",
    /^lstm "lstm": expected input \[batch, time, 3\], got \[2, 3\]; a recurrent layer/,
  );
  model.dispose();
});

test("models that cannot be exported", () => {
  const both = sequential([layers.bidirectional({ layer: layers.gru({ units: 2 }) })], { inputShape: [null, 2] });
  refused(
    () => both.export({ stream: true }),
    "ERR_UNSUPPORTED",
    /^export: expected layers that run step by step, got bidirectional/,
  );
  assert.ok(
    loadExported(both.export({ predict: [1, 3, 2] }))
      .predict(floats([1, 3, 2]))
      .data.every(Number.isFinite),
  );
  const unbuilt = sequential([layers.dense({ units: 1 })]);
  refused(() => unbuilt.export({ predict: [1, 2] }), "ERR_STATE", /^export: expected a model with weights/);
  both.dispose();
  refused(() => both.export({ predict: [1, 3, 2] }), "ERR_DISPOSED", /./);
});

test("what was not exported is not there", () => {
  const model = deep();
  refused(
    () => loadExported(model.export({ stream: true })).predict(floats([1, 2, 3])),
    "ERR_UNSUPPORTED",
    /^predict: expected a file with predict/,
  );
  const there = loadExported(model.export({ predict: [1, 2, 3] }));
  refused(() => there.stream, "ERR_UNSUPPORTED", /^stream: expected a file with a stream/);
  refused(
    () => there.predict(floats([1, 3, 3])),
    "ERR_SHAPE",
    /^predict: x: expected \[1, 2, 3\], as it was exported, of any number of rows, got \[1, 3, 3\]$/,
  );
  refused(
    () =>
      there.predict([
        [
          [1, 2, 3],
          [NaN, 2, 3],
        ],
      ]),
    "ERR_VALUE",
    /./,
  );
  refused(
    () => loadExported(model.export({ stream: true }), { build: "reference" as never }),
    "ERR_OPTION",
    /^loadExported: expected build .*, got "reference"/,
  );
  refused(
    () => loadExported(model.export({ stream: true }), { deterministc: true } as never),
    "ERR_OPTION",
    /did you mean "deterministic"\?$/,
  );
  model.dispose();
});

test("files of another kind, either way", () => {
  const model = deep();
  refused(
    () => loadExported(model.save()),
    "ERR_FORMAT",
    /^loadExported: expected a file that model\.export wrote, got another/,
  );
  refused(() => loadModel(model.export({ stream: true })), "ERR_FORMAT", /^load: expected a file saved by gatewise/);
  refused(() => loadExported("model" as never), "ERR_FORMAT", /^load: expected the bytes of a file/);
  model.dispose();
});

test("a file for other kernels says so", () => {
  const model = deep();
  const { tensors, metadata } = decodeSafetensors(model.export({ stream: true }));
  const about = JSON.parse(metadata[KEY]) as Record<string, unknown>;
  const rewritten = (changes: object) =>
    encodeSafetensors(tensors, { [KEY]: JSON.stringify({ ...about, ...changes }) });
  refused(
    () => loadExported(rewritten({ abi: 1 })),
    "ERR_FORMAT",
    /^loadExported: expected a file for version 1 and kernels \d+, as this gatewise has them, got version 1 and kernels 1; export the model again$/,
  );
  refused(() => loadExported(rewritten({ version: 2 })), "ERR_FORMAT", /got version 2 and kernels/);
  refused(
    () => loadExported(rewritten({ kernels: (about.kernels as string[]).map(() => "f32_none") })),
    "ERR_UNSUPPORTED",
    /^loadExported: expected kernels that run models, got a file that needs f32_none/,
  );
  model.dispose();
});

test("damaged files are refused by one of our errors, or run", () => {
  const model = sequential([layers.gru({ units: 2 })], { seed: 1, inputShape: [null, 1] });
  const whole = model.export({ stream: { block: 4 }, predict: [1, 2, 1] });
  for (let length = 0; length < whole.length; length += 7)
    refused(() => loadExported(whole.subarray(0, length)), "ERR_FORMAT", /^safetensors: /);
  let refusals = 0;
  const header = 8 + new DataView(whole.buffer, whole.byteOffset).getUint32(0, true);
  for (let at = 0; at < header; at += 3) {
    const bytes = whole.slice();
    bytes[at] ^= 1 << (at % 7);
    try {
      loadExported(bytes);
    } catch (error) {
      if (!(error instanceof GatewiseError)) assert.unreachable(`byte ${at}: ${String((error as Error).stack)}`);
      refusals++;
    }
  }
  assert.ok(refusals > header / 8, `${refusals} of ${header / 3}`);
  model.dispose();
});

test("programs that are no programs are refused", () => {
  const model = sequential([layers.gru({ units: 2 })], { seed: 1, inputShape: [null, 1] });
  const { tensors, metadata } = decodeSafetensors(model.export({ predict: [1, 2, 1] }));
  const { data } = tensors["program/predict"];
  for (const change of [
    (text: number[]) => text.pop(),
    (text: number[]) => text.push(0),
    (text: number[]) => (text[0] = 1e9),
    (text: number[]) => (text[1] = 99),
    (text: number[]) => (text[2] = -5),
  ]) {
    const text = [...(data as Float64Array)];
    change(text);
    const bytes = encodeSafetensors(
      { ...tensors, "program/predict": { data: Float64Array.from(text), shape: [text.length] } },
      metadata,
    );
    refused(
      () => loadExported(bytes),
      "ERR_FORMAT",
      /^loadExported: expected a program as "predict", got something else$/,
    );
  }
  const elsewhere = encodeSafetensors({ ...tensors, "memory/4": { data: new Uint8Array(4), shape: [4] } }, metadata);
  refused(
    () => loadExported(elsewhere),
    "ERR_FORMAT",
    /^loadExported: expected contents within 16384…\d+, got 4 and 4 bytes$/,
  );
  model.dispose();
});

test.run();
