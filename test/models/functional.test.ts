/** Functional models: graphs of layers do what a chain does. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Module,
  functional,
  input,
  layers,
  loadModel,
  modelFromConfig,
  ops,
  sequential,
  type Model,
  type Tensor,
} from "../../bindings/index.ts";
import { loadExported } from "../../bindings/exported.ts";
import { floats, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const test = suite("functional");

/** An amplifier's shape: what goes in is added to what comes out. */
function skip(seed = 1): Model {
  const x = input({ shape: [null, 1], name: "x" });
  const h = layers.lstm({ units: 5, returnSequences: true }).apply(x);
  return functional({ inputs: [x], outputs: layers.add().apply([layers.dense({ units: 1 }).apply(h), x]) }, { seed });
}

/** An encoder whose states a decoder starts from: two inputs, two outputs by name, a layer used twice. */
function translator(seed = 2) {
  const source = input({ shape: [null], dtype: "i32" });
  const target = input({ shape: [null], dtype: "i32" });
  const embedding = layers.embedding({ inputDim: 7, outputDim: 3 });
  const [, h, c] = layers.lstm({ units: 4, returnState: true }).apply(embedding.apply(source));
  const decoder = layers.lstm({ units: 4, returnSequences: true, name: "decoder" });
  const decoded = decoder.apply(embedding.apply(target), { initialState: [h, c] });
  return functional(
    { inputs: { source, target }, outputs: { next: layers.dense({ units: 7 }).apply(decoded), state: h } },
    { seed },
  );
}

const sentence = tokens([2, 3], 7);
const begun = tokens([2, 5], 7);

test("a chain of layers applied one by one computes what sequential does, bit for bit", () => {
  const x = input({ shape: [null, 3] });
  const h = layers.gru({ units: 4, returnSequences: true }).apply(x);
  const model = functional({ inputs: x, outputs: layers.dense({ units: 2 }).apply(h) }, { seed: 3 });
  const chain = sequential([layers.gru({ units: 4, returnSequences: true }), layers.dense({ units: 2 })], {
    inputShape: [null, 3],
    seed: 3,
  });
  same(model.predict(floats([2, 5, 3])).data, chain.predict(floats([2, 5, 3])).data);
  assert.equal(Object.keys(model.getWeights()), Object.keys(chain.getWeights()));
  model.dispose();
  chain.dispose();
});

test("symbolic tensors know their extents, null where any will do", () => {
  const x = input({ shape: [null, 3], name: "x" });
  assert.equal(x.shape, [null, null, 3]);
  assert.equal(layers.lstm({ units: 4, returnSequences: true }).apply(x).shape, [null, null, 4]);
  assert.equal(layers.lstm({ units: 4 }).apply(x).shape, [null, 4]);
  assert.equal(layers.repeatVector({ n: 6 }).apply(layers.lstm({ units: 4 }).apply(x)).shape, [null, 6, 4]);
  assert.equal(
    layers
      .gru({ units: 4, returnState: true })
      .apply(x)
      .map(({ shape }: { shape: unknown }) => shape),
    [
      [null, 4],
      [null, 4],
    ],
  );
});

test("several inputs and outputs go in and come out by name", () => {
  const model = translator();
  const byName = model.predict({ target: begun, source: sentence }) as unknown as Record<
    string,
    { data: Float32Array; shape: number[] }
  >;
  assert.equal(byName.next.shape, [2, 5, 7]);
  assert.equal(byName.state.shape, [2, 4]);
  const byPlace = model.predict([sentence, begun]);
  same(byPlace.next.data, byName.next.data);
  refused(
    () => model.predict({ source: sentence }),
    "ERR_OPTION",
    /^predict: expected x of source, target, got none for "target"$/,
  );
  refused(
    () => model.predict({ source: sentence, targte: begun }),
    "ERR_OPTION",
    /^predict: expected x of source, target, got "targte", did you mean "target"\?$/,
  );
  refused(() => model.predict(sentence), "ERR_SHAPE", /^functional: expected 2 inputs \(source, target\), got 1$/);
  model.dispose();
});

test("a decoder starts from the states it was given", () => {
  const model = translator();
  class ByHand extends Module {
    model = model;
    override call(source: Tensor, target: Tensor): Tensor {
      const [embedding, encoder, decoder, dense] = this.model.layers as unknown as {
        call(...args: unknown[]): unknown;
      }[];
      const [, h, c] = encoder.call(embedding.call(source)) as Tensor[];
      return dense.call(decoder.call(embedding.call(target), { initialState: [h, c] })) as Tensor;
    }
  }
  const { next } = model.predict([sentence, begun]);
  same(new ByHand().predict([sentence, begun]).data, next.data);
  model.dispose();
});

test("a config is plain JSON, and makes the same model with and without weights", () => {
  for (const model of [skip(), translator()]) {
    const config = model.getConfig();
    assert.equal(JSON.parse(JSON.stringify(config)), JSON.parse(JSON.stringify(model.getConfig())));
    const restored = modelFromConfig(JSON.parse(JSON.stringify(config)));
    assert.equal(restored.getWeights(), model.getWeights(), "the same seed gives the same initial weights");
    assert.equal(JSON.stringify(restored.getConfig()), JSON.stringify(config));
    const first = Object.keys(model.getWeights())[0];
    const changed = model.getWeights();
    changed[first].data[0] = 0.25;
    const twin = modelFromConfig(config, changed);
    assert.is(twin.getWeights()[first].data[0], 0.25);
    const { [first]: _, ...fewer } = changed;
    refused(
      () => modelFromConfig(config, fewer),
      "ERR_FORMAT",
      new RegExp(`^modelFromConfig: expected a weight "${first}", got none$`),
    );
    for (const each of [model, restored, twin]) each.dispose();
  }
});

test("saved and opened again it is the same model, dropout included", async () => {
  const make = (): Model => {
    const x = input({ shape: [null, 2], name: "x" });
    const left = layers.dropout({ rate: 0.5 }).apply(layers.gru({ units: 3 }).apply(x));
    const right = layers.dropout({ rate: 0.5 }).apply(layers.simpleRNN({ units: 3 }).apply(x));
    return functional(
      { inputs: [x], outputs: layers.dense({ units: 1 }).apply(layers.concatenate().apply([right, left])) },
      { seed: 5 },
    );
  };
  const model = make();
  const again = loadModel(model.save());
  for (const each of [model, again]) {
    each.compile({ optimizer: "adam", loss: "mse" });
    await each.fit(floats([8, 4, 2]), floats([8, 1]), { epochs: 2, batchSize: 4 });
  }
  assert.equal(again.getWeights(), model.getWeights());
  model.dispose();
  again.dispose();
});

test("trains on records of inputs and targets", async () => {
  const model = translator();
  model.compile({ optimizer: "adam", loss: { next: "sparseCategoricalCrossentropy", state: null } as never });
  const before = model.getWeights()["decoder/kernel"].data.slice();
  const { history } = await model.fit(
    { source: sentence, target: begun },
    { next: begun, state: floats([2, 4]) },
    {
      epochs: 2,
      validationData: [
        { source: sentence, target: begun },
        { next: begun, state: floats([2, 4]) },
      ],
    },
  );
  assert.is(history.loss.length, 2);
  assert.is(history.val_loss.length, 2);
  assert.is.not(model.getWeights()["decoder/kernel"].data[0], before[0]);
  model.dispose();
});

test("outputs in a list are called as the layers that give them", async () => {
  const x = input({ shape: [null, 2] });
  const h = layers.gru({ units: 3 }).apply(x);
  const outputs = [
    layers.dense({ units: 1, name: "pitch" }).apply(h),
    layers.dense({ units: 2, name: "vowel" }).apply(h),
  ];
  const model = functional({ inputs: [x], outputs }, { seed: 1 });
  model.compile({ optimizer: "sgd", loss: { pitch: "mse", vowel: "mae" } });
  const { history } = await model.fit(
    floats([4, 3, 2]),
    { pitch: floats([4, 1]), vowel: floats([4, 2]) },
    { epochs: 1 },
  );
  assert.equal(Object.keys(history).sort(), ["loss", "pitch_loss", "vowel_loss"]);
  model.dispose();
});

test("a skip from input to output streams, and is exported", () => {
  const model = skip();
  const x = floats([1, 6, 1]);
  const whole = model.predict(x).data;
  const stream = model.stream({ block: 4 });
  const steps = Float32Array.from(x.data as Float32Array, (value) => stream.step([value])[0]);
  assert.ok(steps.every((value, i) => Math.abs(value - whole[i]) < 1e-6));
  stream.reset();
  close(stream.process(Float32Array.from(x.data as Float32Array)), steps, 1e-6);
  const exported = loadExported(model.export({ stream: true, predict: [1, 6, 1] }));
  same(exported.predict(x).data, whole);
  const small = model.quantize();
  assert.is(small.predict(x).shape.join(), "1,6,1");
  assert.equal(JSON.stringify(loadModel(small.save()).predict(x)), JSON.stringify(small.predict(x)));
  model.dispose();
  small.dispose();
});

/** Two inputs and two outputs of which every path runs step by step. */
function mixer() {
  const left = input({ shape: [null, 2], name: "left" });
  const note = input({ shape: [null], name: "note", dtype: "i32" });
  const both = layers.concatenate().apply([left, layers.embedding({ inputDim: 5, outputDim: 3 }).apply(note)]);
  const heard = layers.gru({ units: 4, returnSequences: true }).apply(both);
  const wet = layers.add().apply([layers.dense({ units: 2 }).apply(heard), left]);
  return functional(
    { inputs: [left, note], outputs: { wet, level: layers.dense({ units: 1 }).apply(heard) } },
    { seed: 2 },
  );
}

test("several inputs and outputs stream by name, and in lists", () => {
  const model = mixer();
  const [left, note] = [floats([1, 7, 2]), tokens([1, 7], 5)];
  const whole = model.predict({ left, note });
  const stream = model.stream({ block: 3 });
  assert.equal([stream.inputSize, stream.outputSize], [3, 3]);
  const exported = loadExported<{ wet: Float32Array; level: Float32Array }>(
    model.export({ stream: { block: 3 }, predict: { left: [1, 7, 2], note: [1, 7] } }),
  );
  same((exported.predict({ note, left }) as unknown as typeof whole).wet.data, whole.wet.data);
  for (const each of [stream, exported.stream]) {
    for (let t = 0; t < 7; t++) {
      const frame = { note: note.data.slice(t, t + 1), left: left.data.slice(2 * t, 2 * t + 2) };
      const { wet, level } = each.step(t % 2 ? frame : [frame.left, frame.note]);
      close(wet, whole.wet.data.slice(2 * t, 2 * t + 2), 1e-5);
      close(level, whole.level.data.slice(t, t + 1), 1e-5);
    }
    each.reset();
    const out = { wet: new Float32Array(14), level: new Float32Array(7) };
    assert.is(each.process({ left: left.data, note: note.data }, out), out);
    close(out.wet, whole.wet.data, 1e-5);
    close(out.level, whole.level.data, 1e-5);
  }
  model.dispose();
});

test("frames that are none are refused by name, and the states stay", () => {
  const model = mixer();
  const stream = model.stream();
  const before = JSON.stringify(stream.getState());
  const frame = { left: [1, 2], note: [3] };
  const bad: [run: () => unknown, code: string, message: RegExp][] = [
    [() => stream.step([1, 2] as never), "ERR_SHAPE", /^step: expected a frame of 2 numbers for "left", got number$/],
    [() => stream.step({ left: [1, 2] }), "ERR_OPTION", /^step: expected frames of left, note, got none for "note"$/],
    [() => stream.step({ ...frame, right: [1] }), "ERR_OPTION", /^step: expected frames of left, note, got "right"/],
    [
      () => stream.step({ ...frame, left: [1] }),
      "ERR_SHAPE",
      /^step: expected a frame of 2 numbers for "left", got 1$/,
    ],
    [() => stream.step({ ...frame, note: [5] }), "ERR_VALUE", /^step: frame: expected tokens .* of 0…4, got 5/],
    [() => stream.step([[1, 2]]), "ERR_OPTION", /^step: expected frames of left, note, got none for "left"$/],
    [
      () => stream.step(frame, { wet: new Float32Array(2) } as never),
      "ERR_VALUE",
      /^step: expected a Float32Array in out for each output, got undefined$/,
    ],
    [
      () => stream.process({ left: new Float32Array(4), note: new Int32Array(1) }),
      "ERR_SHAPE",
      /^process: expected 2 frames for "note" as before, got 1$/,
    ],
  ];
  for (const [run, code, message] of bad) refused(run, code, message);
  assert.is(JSON.stringify(stream.getState()), before);
  model.dispose();
});

test("what cannot stream is named", () => {
  const two = translator();
  refused(
    () => two.stream(),
    "ERR_UNSUPPORTED",
    /^stream: expected layers that run step by step, got lstm "decoder": its initial states come from other tensors$/,
  );
  two.dispose();
  const x = input({ shape: [null, 2] });
  const [, state] = layers.gru({ units: 3, returnState: true }).apply(x);
  const states = functional({ inputs: [x], outputs: layers.dense({ units: 1 }).apply(state) });
  refused(() => states.stream(), "ERR_UNSUPPORTED", /got gru: its final states are used$/);
  const inner = sequential([layers.bidirectional({ layer: layers.gru({ units: 2 }) })], { inputShape: [null, 2] });
  const nested = functional({ inputs: [x], outputs: inner.apply(x) });
  refused(() => nested.stream(), "ERR_UNSUPPORTED", /got bidirectional.*: its backward half needs the end/);
  for (const each of [states, nested]) each.dispose();
});

test("the summary says what each layer is applied to", () => {
  const model = translator();
  assert.match(model.summary(), /decoder \(lstm\) +\[null, null, 4\] +128 +embedding, lstm, lstm/);
  model.dispose();
});

test("getLayer finds a layer, and names its neighbours", () => {
  const model = skip();
  assert.is(model.getLayer("lstm"), model.layers[0]);
  refused(() => model.getLayer("lstn"), "ERR_OPTION", /^getLayer: expected one of lstm, dense, add, got "lstn"/);
  model.dispose();
});

test("errors name the layer and its inputs", () => {
  const x = input({ shape: [null, 3], name: "x" });
  const y = input({ shape: [null, 4], name: "y" });
  refused(
    () => layers.add().apply([x, y]),
    "ERR_SHAPE",
    /^add: .*; its input is "x" \[null, null, 3\] and "y" \[null, null, 4\]$/,
  );
  refused(
    () => layers.lstm({ units: 2 }).apply(floats([1, 2, 3]) as never),
    "ERR_OPTION",
    /^lstm: expected its input as a symbolic tensor/,
  );
  refused(
    () => functional({ inputs: [x], outputs: layers.add().apply([x, input({ shape: [null, 3], name: "z" })]) }),
    "ERR_OPTION",
    /expected inputs to list every input that outputs depend on, got none for "z"/,
  );
  refused(
    () => functional({ inputs: [x], outputs: x }),
    "ERR_OPTION",
    /^functional: expected outputs of at least one layer/,
  );
  refused(() => input({ shape: 3 as never }), "ERR_SHAPE", /^input: expected an inputShape such as \[null, 8\]/);
});

test("a model inside a model is a layer of it, with its config", () => {
  const inner = sequential([layers.gru({ units: 2, returnSequences: true }), layers.dense({ units: 3 })], {
    inputShape: [null, 3],
    seed: 1,
  });
  const x = input({ shape: [null, 3] });
  const model = functional({ inputs: [x], outputs: layers.add().apply([inner.apply(x), x]) }, { seed: 1 });
  const again = loadModel(model.save());
  same(again.predict(floats([2, 4, 3])).data, model.predict(floats([2, 4, 3])).data);
  assert.equal(Object.keys(again.getWeights())[0], "sequential/gru/kernel");
  model.dispose();
  again.dispose();
});

test("a Module of one's own takes part, but has no config", () => {
  class Scale extends Module {
    scale = this.parameter("scale", [3], { initializer: "ones" });
    override call(x: Tensor): Tensor {
      return ops.mul(x, this.scale);
    }
  }
  const x = input({ shape: [null, 3] });
  const model = functional({ inputs: [x], outputs: new Scale().apply(x) }, { seed: 1 });
  assert.equal(Object.keys(model.getWeights()), ["scale/scale"]);
  same(model.predict(floats([2, 4, 3])).data, floats([2, 4, 3]).data as Float32Array);
  refused(
    () => model.getConfig(),
    "ERR_OPTION",
    /^getConfig: expected layers from layers\.\*, got a Scale of your own/,
  );
  model.dispose();
});

test.run();
