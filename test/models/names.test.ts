/** Names, shapes and counts of weights; when a model is built; what the summary says. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Module, cells, jit, layers, ops, sequential, valueAndGrad, type Tensor } from "../../bindings/index.ts";
import { floats, tokens } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const test = suite("names");

const shapes = (model: Module): Record<string, number[]> =>
  Object.fromEntries(Object.entries(model.getWeights()).map(([name, { shape }]) => [name, shape]));

test("sequential: Keras' names, shapes and order", () => {
  const model = sequential(
    [
      layers.embedding({ inputDim: 7, outputDim: 4 }),
      layers.lstm({ units: 3, returnSequences: true, peepholes: true }),
      layers.gru({ units: 5, returnSequences: true }),
      layers.gru({ units: 2, returnSequences: true, resetAfter: false }),
      layers.simpleRNN({ units: 6 }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 2 }),
    ],
    { inputShape: [null] },
  );
  assert.equal(Object.entries(shapes(model)), [
    ["embedding/embeddings", [7, 4]],
    ["lstm/kernel", [4, 12]],
    ["lstm/recurrent_kernel", [3, 12]],
    ["lstm/bias", [12]],
    ["lstm/peephole_i", [3]],
    ["lstm/peephole_f", [3]],
    ["lstm/peephole_o", [3]],
    ["gru/kernel", [3, 15]],
    ["gru/recurrent_kernel", [5, 15]],
    ["gru/bias", [2, 15]],
    ["gru_1/kernel", [5, 6]],
    ["gru_1/recurrent_kernel", [2, 6]],
    ["gru_1/bias", [6]],
    ["simple_rnn/kernel", [2, 6]],
    ["simple_rnn/recurrent_kernel", [6, 6]],
    ["simple_rnn/bias", [6]],
    ["dense/kernel", [6, 2]],
    ["dense/bias", [2]],
  ]);
  const count = Object.values(shapes(model)).reduce(
    (sum, shape) => sum + shape.reduce((n, extent) => n * extent, 1),
    0,
  );
  assert.is(model.countParams(), count);
  model.dispose();
});

test("sequential: names are counted per model, and given ones stay", () => {
  const make = () =>
    sequential(
      [
        layers.lstm({ units: 2, returnSequences: true }),
        layers.lstm({ units: 2, returnSequences: true, name: "mine" }),
        layers.lstm({ units: 2 }),
        layers.dense({ units: 1, useBias: false }),
      ],
      { inputShape: [null, 3] },
    );
  const names = ["lstm", "mine", "lstm_1", "dense"];
  for (const model of [make(), make()]) {
    assert.equal([...new Set(Object.keys(shapes(model)).map((name) => name.split("/")[0]))], names);
    assert.not.ok("dense/bias" in shapes(model));
    model.dispose();
  }
  refused(
    () => sequential([layers.dense({ units: 1, name: "a" }), layers.dense({ units: 1, name: "a" })]),
    "ERR_OPTION",
    /^sequential: expected layers of different names, got "a" twice$/,
  );
});

test("rnn: cell, or cells by number", () => {
  const model = sequential(
    [
      layers.rnn({ cell: cells.gru({ units: 3 }), returnSequences: true }),
      layers.rnn({ cell: [cells.lstm({ units: 2 }), cells.simpleRNN({ units: 4 })] }),
    ],
    { inputShape: [null, 5] },
  );
  assert.equal(Object.keys(shapes(model)), [
    "rnn/cell/kernel",
    "rnn/cell/recurrent_kernel",
    "rnn/cell/bias",
    "rnn_1/cells/0/kernel",
    "rnn_1/cells/0/recurrent_kernel",
    "rnn_1/cells/0/bias",
    "rnn_1/cells/1/kernel",
    "rnn_1/cells/1/recurrent_kernel",
    "rnn_1/cells/1/bias",
  ]);
  model.dispose();
});

class Block extends Module {
  cell = layers.dense({ units: 3 });
  override call(x: Tensor): Tensor {
    return ops.tanh(this.cell.call(x));
  }
}

test("Module: property paths, lists by number, fields in order", () => {
  class Net extends Module {
    blocks = [new Block(), new Block()];
    nested = [[layers.dense({ units: 1 })]];
    head = layers.gru({ units: 2 });
    note = { units: 3 }; // no module
    override call(x: Tensor): Tensor {
      const y = this.blocks.reduce((value, block) => block.call(value), x);
      return ops.concat([this.head.call(y), ops.mean(this.nested[0][0].call(y), { axis: 1 })], 1);
    }
  }
  const net = new Net();
  assert.is(net.countParams(), 0);
  assert.equal(net.predict(floats([2, 5, 4])).shape, [2, 3]);
  assert.equal(Object.entries(shapes(net)), [
    ["blocks/0/cell/kernel", [4, 3]],
    ["blocks/0/cell/bias", [3]],
    ["blocks/1/cell/kernel", [3, 3]],
    ["blocks/1/cell/bias", [3]],
    ["nested/0/0/kernel", [3, 1]],
    ["nested/0/0/bias", [1]],
    ["head/kernel", [3, 6]],
    ["head/recurrent_kernel", [2, 6]],
    ["head/bias", [2, 6]],
  ]);
  net.dispose();
});

test("Module: a field that would hide a method of Module's is named", () => {
  class Net extends Module {
    override call(x: Tensor): Tensor {
      return x;
    }
  }
  const net = Object.assign(new Net(), { parameters: layers.dense({ units: 1 }) });
  refused(
    () => net.predict(floats([1, 2])),
    "ERR_OPTION",
    /^Net: expected fields with names that Module does not use itself, got "parameters"$/,
  );
});

test("Module: call may be a field, and common words are free", () => {
  class Net extends Module {
    modules = layers.dense({ units: 2 });
    children = [layers.dense({ units: 1 })];
    blocks = 3;
    random = Math.random;
    override call = (x: Tensor): Tensor => this.children[0].call(this.modules.call(x));
  }
  const net = new Net();
  net.compile({ loss: "mse" });
  net.trainOnBatch(floats([4, 3]), floats([4, 1]));
  assert.equal(Object.keys(shapes(net)), ["modules/kernel", "modules/bias", "children/0/kernel", "children/0/bias"]);
  net.dispose();
});

test("Module: trainable is an option of every module, so a field cannot be called so", () => {
  class Net extends Module {
    // @ts-expect-error an accessor of Module
    trainable = false;
    out = layers.dense({ units: 1 });
    override call(x: Tensor): Tensor {
      return this.out.call(x);
    }
  }
  refused(() => new Net().predict(floats([1, 2])), "ERR_OPTION", /got "trainable"$/);
});

test("a layer alone has bare names", () => {
  const layer = layers.gru({ units: 2 });
  layer.predict(floats([1, 3, 4]));
  assert.equal(Object.keys(shapes(layer)), ["kernel", "recurrent_kernel", "bias"]);
  layer.dispose();
});

test("a sequential inside a Module is a step of the path", () => {
  class Pair extends Module {
    left = sequential([layers.dense({ units: 2 }), layers.dense({ units: 1 })]);
    override call(x: Tensor): Tensor {
      return this.left.call(x);
    }
  }
  const pair = new Pair();
  pair.predict(floats([1, 3]));
  assert.equal(Object.keys(shapes(pair)), [
    "left/dense/kernel",
    "left/dense/bias",
    "left/dense_1/kernel",
    "left/dense_1/bias",
  ]);
  pair.dispose();
});

test("a module reached by two paths has the first name, and one gradient, the sum", () => {
  class Twice extends Module {
    first = layers.dense({ units: 3, useBias: false });
    again = this.first;
    override call(x: Tensor): Tensor {
      return ops.add(this.first.call(x), ops.mul(this.again.call(x), 2));
    }
  }
  const model = new Twice();
  const x = floats([2, 3]);
  const { grads } = valueAndGrad(model, (input: Tensor) => ops.sum(model.call(input)))(x);
  assert.equal(Object.keys(grads), ["first/kernel"]);
  const single = new Block();
  const once = valueAndGrad(single, (input: Tensor) => ops.sum(single.cell.call(input)))(x).grads["cell/kernel"];
  close(
    grads["first/kernel"].data,
    once.data.map((value) => 3 * value),
    1e-6,
    "1 + 2 times",
  );
  model.dispose();
  single.dispose();
});

test("inputShape builds at once, a first call otherwise, with the same weights", () => {
  const make = (options: object) =>
    sequential([layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 2 })], { seed: 5, ...options });
  const [early, late] = [make({ inputShape: [null, 4] }), make({})];
  assert.ok(early.built);
  assert.not.ok(late.built);
  refused(
    () => late.getWeights(),
    "ERR_STATE",
    /^getWeights: expected a model with weights, got one that is not built; give sequential an inputShape or call the model once first$/,
  );
  refused(() => late.setWeights({}), "ERR_STATE", /^setWeights: expected a model with weights/);
  refused(() => late.save(), "ERR_STATE", /expected a model with weights/);
  refused(() => late.load(early.save()), "ERR_STATE", /^load: expected a model with weights/);
  late.predict(floats([2, 7, 4]));
  assert.ok(late.built);
  assert.equal(late.getWeights(), early.getWeights());
  assert.equal(late.inputShape, [null, 4]);
  early.dispose();
  late.dispose();
});

test("a fixed extent in inputShape is a promise, null is any", () => {
  const model = sequential([layers.gru({ units: 2 })], { inputShape: [null, 3] });
  for (const T of [1, 2, 9]) assert.equal(model.predict(floats([2, T, 3])).shape, [2, 2]);
  refused(
    () => sequential([layers.gru({ units: 2 })], { inputShape: [0, 3] }),
    "ERR_SHAPE",
    /^sequential: expected an inputShape of positive integers and nulls, got \[0, 3\]$/,
  );
  refused(
    () => sequential([layers.gru({ units: 2 })], { inputShape: [3] }),
    "ERR_SHAPE",
    /^gru "gru": expected input \[batch, time, features\], got \[1, 3\]; a recurrent layer/,
  );
  model.dispose();
});

test("a failed first call leaves the model unbuilt, so that the next may bring another shape", () => {
  const model = sequential([layers.gru({ units: 3 }), layers.lstm({ units: 2 })], { seed: 1 });
  refused(
    () => model.predict(floats([2, 5, 4])),
    "ERR_SHAPE",
    /^lstm "lstm": expected input \[batch, time, features\], got \[2, 3\]; a recurrent layer/,
  );
  assert.not.ok(model.built);
  assert.is(model.countParams(), 0);
  model.dispose();
  const good = sequential(
    [layers.gru({ units: 3, returnSequences: true, stateful: true }), layers.dense({ units: 2 })],
    { seed: 1 },
  );
  const refusing = jit(good, (x: Tensor) => ops.matmul(good.call(x), x));
  refused(() => refusing(floats([2, 5, 4])), "ERR_SHAPE", /matmul/);
  assert.not.ok(good.built);
  assert.is(good.inputShape, undefined);
  assert.equal(good.predict(floats([3, 5, 6])).shape, [3, 5, 2]);
  assert.equal(good.inputShape, [null, 6]);
  assert.equal(shapes(good)["gru/kernel"], [6, 9]);
  good.dispose();
});

test("summary: a row per layer with output and weights, and totals", () => {
  const model = sequential(
    [
      layers.embedding({ inputDim: 50, outputDim: 40 }),
      layers.gru({ units: 30, returnSequences: true }),
      layers.dropout({ rate: 0.1 }),
      layers.dense({ units: 10, trainable: false }),
    ],
    { inputShape: [null] },
  );
  assert.is(
    model.summary(),
    [
      "layer (type)           output            weights",
      "------------------------------------------------",
      "embedding (embedding)  [null, null, 40]    2,000",
      "gru (gru)              [null, null, 30]    6,480",
      "dropout (dropout)      [null, null, 30]        0",
      "dense (dense)          [null, null, 10]      310",
      "------------------------------------------------",
      "8,790 weights, 8,480 trainable, 35,160 bytes",
    ].join("\n"),
  );
  model.predict(tokens([1, 4], 50));
  model.dispose();
  refused(() => model.summary(), "ERR_DISPOSED", /^sequential: expected a live model/);
});

test("summary of a Module, and of a model before its first call", () => {
  const block = new Block();
  assert.match(block.summary(), /0 weights, 0 trainable, 0 bytes$/);
  block.predict(floats([1, 2]));
  assert.match(block.summary(), /^cell \(dense\) +9$/m);
  block.dispose();
});

test.run();
