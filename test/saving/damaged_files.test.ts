/** Damaged files: cut, with flipped bits, with changed fields. Each loads or is refused by one of our errors. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  GatewiseError,
  backendInfo,
  initSync,
  layers,
  loadModel,
  optimizers,
  sequential,
} from "../../bindings/index.ts";
import { decodeSafetensors, encodeSafetensors, type TensorData } from "../../bindings/saving/safetensors.ts";
import { Random } from "../../bindings/base/random.ts";
import { floats, sameWeights } from "../support/models.ts";
import { refused } from "../support/refused.ts";

const test = suite("damaged files");

const x = floats([2, 3, 2]);
const y = floats([2, 1], 1);

function trained(seed = 1) {
  const model = sequential([layers.gru({ units: 2, dropout: 0.1 }), layers.dense({ units: 1, activation: "tanh" })], {
    seed,
    inputShape: [null, 2],
  });
  model.compile({ loss: "mse", optimizer: optimizers.adam() });
  model.trainOnBatch(x, y);
  return model;
}

/** Whether a call is refused, by one of our errors. */
function refuses(load: () => unknown): boolean {
  try {
    load();
    return false;
  } catch (error) {
    if (!(error instanceof GatewiseError))
      assert.unreachable(`expected one of our errors, got ${String((error as Error).stack)}`);
    return true;
  }
}

/** Loads bytes both ways; holds the target to be as before when it refuses them. @returns whether either way refused */
function attempt(bytes: Uint8Array, target: ReturnType<typeof trained>): boolean {
  const before = target.save({ optimizer: true });
  const refused = refuses(() => target.load(bytes));
  if (refused) assert.equal(target.save({ optimizer: true }), before);
  else target.load(before);
  return refuses(() => loadModel(bytes).dispose()) || refused;
}

test("every truncation is refused", () => {
  const target = trained();
  const whole = trained(5).save({ optimizer: true });
  const before = target.getWeights();
  for (let length = 0; length < whole.length; length++) {
    refused(() => target.load(whole.subarray(0, length)), "ERR_FORMAT", /^safetensors: expected .*, got /);
    refused(() => loadModel(whole.subarray(0, length)), "ERR_FORMAT", /^safetensors: expected .*, got /);
  }
  sameWeights(target.getWeights(), before);
  target.load(whole);
  target.dispose();
});

test("bytes after the end are refused", () => {
  const model = trained();
  const whole = model.save();
  for (const more of [[1], [0, 0, 0, 0, 0, 0, 0, 0]]) {
    const longer = new Uint8Array(whole.length + more.length);
    longer.set(whole);
    longer.set(more, whole.length);
    refused(
      () => loadModel(longer),
      "ERR_FORMAT",
      /^safetensors: expected \d+ bytes of data, as its header says, got \d+$/,
    );
  }
  model.dispose();
});

test("flipped bits: read as they stand, or one of our errors; never anything half done", () => {
  initSync();
  const target = trained();
  const whole = trained(5).save({ optimizer: true });
  const headerEnd = 8 + new DataView(whole.buffer, whole.byteOffset).getUint32(0, true);
  const { memoryBytes } = backendInfo();
  const random = new Random(2024);
  let refusals = 0;
  for (let k = 0; k < 3000; k++) {
    const bytes = whole.slice();
    // mostly in the header, where there is something to misread
    const at = random.below(k % 4 === 0 ? whole.length : headerEnd);
    bytes[at] ^= 1 << random.below(8);
    if (attempt(bytes, target)) refusals++;
  }
  assert.ok(refusals > 1500, `${refusals} of 3000 were refused`);
  assert.is(backendInfo().memoryBytes, memoryBytes, "nothing of what was refused stays");
  target.dispose();
});

test("bytes that are anything at all are refused", () => {
  const target = trained();
  const random = new Random(7);
  for (let k = 0; k < 300; k++) {
    const bytes = Uint8Array.from({ length: random.below(400) }, () => random.below(256));
    assert.ok(attempt(bytes, target));
    if (bytes.length < 16) continue;
    bytes.fill(0, 1, 8); // a header length that fits
    bytes[0] = Math.min(bytes.length - 8, 255);
    assert.ok(attempt(bytes, target));
  }
  target.dispose();
});

/** A file with its parts changed. */
function changed(bytes: Uint8Array, change: (file: any, tensors: Record<string, TensorData>) => void): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const file = JSON.parse(metadata.gatewise) as unknown;
  change(file, tensors as Record<string, TensorData>);
  return encodeSafetensors(tensors as Record<string, TensorData>, { gatewise: JSON.stringify(file) });
}

/** Every place in a JSON value, as a function that puts something there. */
function places(value: unknown): ((put: unknown) => void)[] {
  if (typeof value !== "object" || value === null) return [];
  const record = value as Record<string, unknown>;
  return Object.keys(record).flatMap((key) => [
    (put: unknown): void => {
      if (put === undefined) delete record[key];
      else record[key] = put;
    },
    ...places(record[key]),
  ]);
}

test("every field of the configuration may hold anything: one of our errors, or a model", () => {
  initSync();
  const target = trained();
  const whole = trained(5).save({ optimizer: true });
  const { memoryBytes } = backendInfo();
  let count = 0;
  changed(whole, (file) => (count = places(file).length));
  assert.ok(count > 40);
  for (const put of [
    undefined,
    null,
    -1,
    0,
    3,
    1.5,
    1e300,
    "",
    "tanh",
    true,
    [],
    [null],
    {},
    { layer: "dense", config: {} },
    { initializer: "zeros" },
  ]) {
    for (let i = 0; i < count; i++)
      attempt(
        changed(whole, (file) => places(file)[i](put)),
        target,
      );
  }
  assert.is(backendInfo().memoryBytes, memoryBytes);
  assert.equal(target.trainOnBatch(x, y), trained().trainOnBatch(x, y));
  target.dispose();
});

test("weights and slots that lack, are too many, of another shape or type, or not finite", () => {
  const target = trained();
  const before = target.save({ optimizer: true });
  const whole = trained(5).save({ optimizer: true });
  const wrong: [(file: any, tensors: any) => void, string, RegExp][] = [
    [(_, t) => delete t["dense/bias"], "ERR_FORMAT", /^load: expected a weight "dense\/bias", got none$/],
    [(_, t) => (t.more = t["dense/bias"]), "ERR_FORMAT", /^load: expected weights gru\/kernel, .*, got "more"$/],
    [
      (_, t) => (t["dense/bias"] = { data: new Float32Array(2), shape: [2] }),
      "ERR_SHAPE",
      /^load: expected "dense\/bias" \[1\], got \[2\]$/,
    ],
    [
      (_, t) => (t["dense/kernel"].shape = [1, 2]),
      "ERR_SHAPE",
      /^load: expected "dense\/kernel" \[2, 1\], got \[1, 2\]$/,
    ],
    [
      (_, t) => (t["dense/bias"] = { data: new Int32Array(1), shape: [1] }),
      "ERR_FORMAT",
      /^load: expected floats for "dense\/bias", got another type$/,
    ],
    [
      (_, t) => (t["dense/bias"].data[0] = NaN),
      "ERR_FORMAT",
      /^load: expected finite numbers for "dense\/bias", got one that is not$/,
    ],
    [(_, t) => delete t["optimizer/m/dense/bias"], "ERR_FORMAT", /^load: expected m of "dense\/bias" \[1\], got none$/],
    [
      (_, t) => (t["optimizer/v/dense/bias"] = { data: new Float32Array(3), shape: [3] }),
      "ERR_FORMAT",
      /^load: expected v of "dense\/bias" \[1\], got \[3\]$/,
    ],
    [
      (f) => (f.optimizer.slots = ["m", "m"]),
      "ERR_FORMAT",
      /^load: expected different slots of the optimizer, got one twice$/,
    ],
    [
      (f) => (f.optimizer.kind = "sgd"),
      "ERR_STATE",
      /^compile: expected the optimizer "sgd" with slots m, v, whose state was loaded, got "adam" with m, v$/,
    ],
  ];
  for (const [change, code, message] of wrong) {
    refused(() => target.load(changed(whole, change)), code, message);
    assert.equal(target.save({ optimizer: true }), before);
  }
  target.dispose();
});

/** A file of a config, without arrays or with those of `from`. */
function withConfig(change: (model: any) => void, from?: Uint8Array): Uint8Array {
  const model = sequential([layers.lstm({ units: 2 })], { seed: 1, inputShape: [null, 1] });
  const { tensors, metadata } = decodeSafetensors(model.save());
  model.dispose();
  const about = JSON.parse(metadata.gatewise) as { model: unknown };
  change(about.model);
  return encodeSafetensors(from ? tensors : {}, { gatewise: JSON.stringify(about) });
}

test("what a config asks for is compared with the file before anything is computed or allocated", () => {
  const large: [config: (model: any) => void, message: RegExp][] = [
    [(model) => (model.layers[0].config.units = 800), /^loadModel: expected a weight "lstm\/kernel", got none$/],
    [
      (model) => (model.layers = [{ layer: "embedding", config: { inputDim: 2 ** 30, outputDim: 64 } }]),
      /^loadModel: expected a weight "embedding\/embeddings", got none$/,
    ],
    [
      (model) => (model.layers = Array(100).fill({ layer: "dense", config: { units: 1e9 } })),
      /^loadModel: expected a weight "dense\/kernel", got none$/,
    ],
  ];
  for (const [config, message] of large) {
    const bytes = withConfig(config);
    const [start, before] = [performance.now(), backendInfo().memoryBytes];
    refused(() => loadModel(bytes), "ERR_FORMAT", message);
    assert.ok(performance.now() - start < 1500, `${performance.now() - start} ms`); // other tests run beside this one
    assert.is(backendInfo().memoryBytes, before);
  }
});

test("configs that name what every object has, lack parts, or are nested without end", () => {
  for (const name of ["__proto__", "constructor", "cells.toString"])
    refused(
      () => loadModel(withConfig((model) => (model.layers[0].layer = name))),
      "ERR_FORMAT",
      /^loadModel: expected a layer this version knows, got "/,
    );
  const inner = { layer: { length: 3 }, config: {} }; // found by npm run fuzz
  refused(() => loadModel(withConfig((model) => (model.layers[0].config.cell = [inner]))), "ERR_FORMAT", /cell/);
  refused(() => loadModel(withConfig((model) => delete model.layers[0].config)), "ERR_FORMAT", /\{ layer, config \}/);
  refused(
    () => loadModel(withConfig((model) => (model.layers[0] = { layer: "model", config: {} }))),
    "ERR_FORMAT",
    /^loadModel: expected a whole number as version of the config$/,
  );
  const { metadata } = decodeSafetensors(withConfig(() => undefined));
  const [lstm] = /\{"layer":"lstm".*?\}\}/.exec(metadata.gatewise)!;
  let nested = lstm;
  for (let i = 0; i < 3000; i++) nested = `{"layer":"timeDistributed","config":{"layer":${nested}}}`;
  const deep = encodeSafetensors({}, { gatewise: metadata.gatewise.replace(lstm, nested) });
  refused(() => loadModel(deep), "ERR_FORMAT", /^load: expected layers within layers, got more than 300 levels$/);
});

test("files of others are named", () => {
  const bytes = (...parts: (string | number)[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...Buffer.from(part, "latin1")])));
  for (const [file, message] of [
    [bytes("\n<!DOCTYPE html><html>404"), /got a page of HTML, perhaps about an error: look at the address/],
    [bytes(0x89, "HDF\r\n", 0x1a, "\n"), /got HDF5, as Keras writes \.h5; read its weights there/],
    [bytes("PK", 3, 4, 20, 0), /got a zip, as \.keras files and checkpoints of PyTorch are/],
    [bytes(0x80, 2, "}q", 0), /got a pickle, as torch\.save of PyTorch writes it/],
    [bytes(8, 8, 0x12, 7, "pytorch"), /got an ONNX model; read its weights there/],
    [bytes('{"format": "layers-model"}'), /got JSON, such as a model\.json of TensorFlow\.js/],
    [bytes(0x1f, 0x8b, 8, 0), /got something compressed by gzip/],
    [bytes("version https://git-lfs.github.com/spec/v1"), /got a pointer of Git LFS/],
  ] as const)
    refused(() => loadModel(file), "ERR_FORMAT", message);
});

test.run();
