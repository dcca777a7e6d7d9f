/** What newcomers get wrong, and the sentence they read. */
import { inspect } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { jit, layers, loadModel, ops, optimizers, sequential, trainStep, valueAndGrad } from "../../bindings/index.ts";
import { loadModel as inferModel } from "../../bindings/infer.ts";
import { refused, rejected } from "../support/refused.ts";

const test = suite("mistakes");

const x = [
  [
    [1, 2],
    [3, 4],
  ],
  [
    [1, 2],
    [3, 4],
  ],
];
const makeModel = () => {
  const model = sequential([layers.gru({ units: 4 }), layers.dense({ units: 1 })], { inputShape: [null, 2], seed: 1 });
  model.compile({ loss: "mse" });
  return model;
};
/** Arguments that the types would refuse. */
const wrong = (value: unknown): never => value as never;

test("options that are none", () => {
  refused(() => layers.gru(wrong(32)), "ERR_OPTION", /^gru: expected an object of options, got 32$/);
  refused(() => optimizers.adam(wrong(0.1)), "ERR_OPTION", /^optimizers.adam: expected an object of options, got 0.1$/);
  refused(
    () => makeModel().compile({ loss: "mse", metrics: wrong("accuracy") }),
    "ERR_OPTION",
    /expected a list of metrics, got string/,
  );
});

test("lists that are none", () => {
  refused(
    () => sequential(wrong(layers.dense({ units: 1 }))),
    "ERR_OPTION",
    /^sequential: expected a list of at least one layer, got object/,
  );
  refused(() => sequential([]), "ERR_OPTION", /got an empty one/);
  refused(
    () => sequential([layers.flatten(), wrong(layers.dense)]),
    "ERR_OPTION",
    /expected layers, such as layers.dense.*, got function at 1/,
  );
  refused(
    () => sequential([layers.gru({ units: 4 })], { inputShape: wrong(2) }),
    "ERR_SHAPE",
    /expected an inputShape such as \[null, 8\], got 2/,
  );
  refused(
    () => jit(null, (a, b) => ops.concat(a, b))([1], [2]),
    "ERR_SHAPE",
    /^concat: expected a list of tensors, got object/,
  );
});

test("a misspelt option of a layer's call", () => {
  const model = makeModel();
  const call = jit(model, (input) => model.layers[0].call(input, { initialstate: [] }));
  refused(
    () => call(x),
    "ERR_OPTION",
    /^gru "gru": expected one of the options initialState, lengths, mask, got "initialstate", did you mean "initialState"/,
  );
});

test("text among numbers", () => {
  refused(() => makeModel().predict(wrong([[["a", 1]]])), "ERR_VALUE", /expected numbers, got "a"/);
});

test("validation data that is no list", async () => {
  await rejected(
    makeModel().fit(x, [1, 2], { validationData: wrong({ x, y: [1, 2] }) }),
    "ERR_OPTION",
    /^fit: expected validationData as \[x, y\] or \[x, y, options\], or a stream of batches, got object$/,
  );
});

test("no function, no frame, no weights", () => {
  const model = makeModel();
  refused(
    () => valueAndGrad(model, wrong(undefined)),
    "ERR_OPTION",
    /^valueAndGrad: expected a function of tensors, got undefined$/,
  );
  refused(
    () => model.stream().step(wrong(undefined)),
    "ERR_SHAPE",
    /^step: expected a frame of 2 numbers, got undefined$/,
  );
  refused(() => sequential([layers.gru({ units: 4 })]).save(), "ERR_STATE", /^save: expected a model with weights/);
});

test("files come as typed arrays and as buffers", () => {
  const model = makeModel();
  const bytes = model.save();
  const buffer = bytes.slice().buffer;
  const expected = model.predict(x);
  assert.equal(loadModel(buffer).predict(x), expected);
  assert.equal(inferModel(buffer).predict(x), expected);
  model.load(buffer);
  assert.equal(model.predict(x), expected);
  refused(
    () => loadModel(wrong("model.safetensors")),
    "ERR_FORMAT",
    /^load: expected the bytes of a file, as a Uint8Array or an ArrayBuffer, got string$/,
  );
});

test("trainStep takes an optimizer's name, as compile does", () => {
  const model = makeModel();
  const step = trainStep(model, "sgd", (input) => ops.sum(ops.square(model.call(input))));
  assert.ok(step(x).value > step(x).value);
  refused(
    () => trainStep(model, "adan", (input) => ops.sum(input)),
    "ERR_OPTION",
    /^optimizer: expected a known optimizer, got "adan", did you mean "adam"/,
  );
});

test("what other libraries call it, and what to give instead of their tensors", () => {
  const dense = (): ReturnType<typeof sequential> => sequential([layers.dense({ units: 3 })], { inputShape: [2] });
  refused(
    () => optimizers.adam({ lr: 0.1 } as object),
    "ERR_OPTION",
    /^optimizers\.adam: expected a known option, got "lr", did you mean "learningRate"\? There are learningRate, /,
  );
  refused(
    () => layers.lstm({ units: 2, inputShape: [10, 3] } as never),
    "ERR_OPTION",
    /got "inputShape"; it is an option of the model: sequential\(\[…\], \{ inputShape \}\); there are units, /,
  );
  const tfjs = { dataSync: () => new Float32Array(2), shape: [1, 2], size: 2 };
  refused(
    () => dense().predict(tfjs as never),
    "ERR_VALUE",
    /got a tensor of TensorFlow\.js; give \{ data: tensor\.dataSync/,
  );
  const onnx = { dims: [1, 2], data: new Float32Array(2), type: "float32" };
  refused(
    () => dense().predict(onnx as never),
    "ERR_VALUE",
    /got a tensor of ONNX Runtime; give \{ data: tensor\.data, /,
  );
  const model = dense();
  model.compile({ loss: "sparseCategoricalCrossentropy" });
  refused(
    () => model.trainOnBatch([[1, 2]], [[0, 1, 0]]),
    "ERR_SHAPE",
    /one-hot targets are for categoricalCrossentropy$/,
  );
  model.compile({ loss: "categoricalCrossentropy" });
  refused(() => model.trainOnBatch([[1, 2]], [1]), "ERR_SHAPE", /class numbers are for sparseCategoricalCrossentropy$/);
});

test("consoles show the summary of a model", () => {
  const model = sequential([layers.dense({ units: 1, name: "last" })], { inputShape: [2] });
  assert.is(inspect(model), model.summary());
  assert.match(inspect({ model }), /last \(dense\)/);
  assert.match(inspect(sequential([layers.dense({ units: 1 })])), /not built: it has not seen an input/);
  model.dispose();
  assert.match(inspect(model), /disposed of$/);
});

test.run();
