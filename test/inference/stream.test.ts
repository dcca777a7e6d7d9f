/** Streams: the same numbers as the sequence at once, a state of their own, the model's weights. */
import * as assert from "uvu/assert";
import {
  Module,
  cells,
  layers,
  loadModel,
  losses,
  ops,
  sequential,
  type NDArray,
  type Model,
  type Stream,
  type Tensor,
} from "../../bindings/index.ts";
import { loadExported } from "../../bindings/export/exported_model.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const EPSILON = 2e-6;

/** A cell by hand: h = tanh(x·W + h·U), its output twice that. */
class Doubled extends Module {
  stateSize = 3;
  w = layers.dense({ units: 3 });
  u = layers.dense({ units: 3, useBias: false });
  override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
    const next = ops.tanh(ops.add(this.w.call(x), this.u.call(h)));
    return [ops.mul(next, 2), [next]];
  }
}

/** Every kind of layer that streams, on 4 features. */
const kinds = {
  simpleRNN: () => [layers.simpleRNN({ units: 5 })],
  lstm: () => [layers.lstm({ units: 9, returnSequences: true }), layers.dense({ units: 2, activation: "tanh" })],
  gru: () => [layers.gru({ units: 5 }), layers.activation({ activation: "sigmoid" })],
  "gru, reset before": () => [layers.gru({ units: 8, resetAfter: false })],
  "peepholes and other activations": () => [
    layers.lstm({ units: 3, peepholes: true, activation: "softsign", recurrentActivation: "hardSigmoid" }),
  ],
  "two layers": () => [
    layers.lstm({ units: 6, returnSequences: true }),
    layers.dropout({ rate: 0.5 }),
    layers.gru({ units: 4 }),
  ],
  "rnn of cells": () => [layers.rnn({ cell: [cells.lstm({ units: 3 }), cells.gru({ units: 5 })] })],
  "rnn of a cell by hand": () => [layers.rnn({ cell: new Doubled() })],
  "no recurrence": () => [layers.dense({ units: 3 })],
};

/** Rows [batch, time, ..] at one step, as a frame. */
function frame(x: NDArray<Float32Array | Int32Array>, t: number): Float32Array | Int32Array {
  const [B, T, ...rest] = x.shape;
  const width = rest.reduce((n, extent) => n * extent, 1);
  const out = x.data.slice(0, B * width);
  for (let b = 0; b < B; b++) out.set(x.data.subarray((b * T + t) * width, (b * T + t + 1) * width), b * width);
  return out;
}

function stepThrough(stream: Stream, x: NDArray<Float32Array | Int32Array>): Float32Array[] {
  return Array.from({ length: x.shape[1] }, (_, t) => stream.step(frame(x, t)).slice());
}

/** Steps of a stream against the sequence at once, relative to the largest number of all steps. */
function closeSteps(steps: readonly Float32Array[], y: NDArray): void {
  const flat = (frames: readonly ArrayLike<number>[]): number[] => frames.flatMap((each) => Array.from(each));
  close(flat(steps), flat(steps.map((_, t) => frame(y, t))), EPSILON, "steps");
}

/** The first n steps of [batch, time, ..]. */
function until(x: NDArray, n: number): NDArray {
  const data = Float32Array.from(
    Array.from({ length: x.shape[0] }, (_, b) => [...rows(x, b, b + 1).data.subarray(0, n * x.shape[2])]).flat(),
  );
  return { data, shape: [x.shape[0], n, x.shape[2]] };
}

/** Other weights of the same shapes. */
const changed = (weights: Record<string, NDArray<Float32Array>>): Record<string, NDArray<Float32Array>> =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => [name, { data: data.map((w) => w * 1.5 + 0.01), shape }]),
  );

/** The last step of an output [batch, time, ..], or the output itself when it is the last already. */
const last = (y: NDArray): Float32Array => (y.shape.length === 3 ? (frame(y, y.shape[1] - 1) as Float32Array) : y.data);

eachBackend("stream", (test, build, backend) => {
  for (const [name, make] of Object.entries(kinds)) {
    for (const batch of [1, 3]) {
      test(`${name}: steps of batch ${batch} are the sequence`, () => {
        const x = floats([batch, 7, 4]);
        const model = sequential(make(), { seed: 3, inputShape: [null, 4] });
        const stream = model.stream({ batch });
        for (let t = 0; t < 7; t++)
          close(stream.step(frame(x, t)), last(model.predict(until(x, t + 1))), EPSILON, `step ${t}`);
        model.dispose();
      });
    }

    test(`${name}: blocks of any length are the steps`, () => {
      const x = floats([1, 37, 4]);
      const model = sequential(make(), { seed: 3, inputShape: [null, 4] });
      const [a, b] = [model.stream(), model.stream({ block: 8 })];
      const expected = stepThrough(a, x);
      let t = 0;
      for (const n of [0, 1, 8, 3, 16, 9]) {
        const y = b.process(x.data.subarray(t * 4, (t + n) * 4) as Float32Array);
        assert.is(y.length, n * b.outputSize);
        for (let i = 0; i < n; i++)
          close(y.subarray(i * b.outputSize, (i + 1) * b.outputSize), expected[t + i], EPSILON, `${n} steps from ${t}`);
        t += n;
      }
      assert.is(t, 37);
      model.dispose();
    });

    test(`${name}: steps, blocks and predict use new weights`, () => {
      const x = floats([1, 7, 4]);
      const build = (): Model => sequential(make(), { seed: 3, inputShape: [null, 4] });
      const model = build();
      const [a, b] = [model.stream(), model.stream({ block: 8 })];
      stepThrough(a, x);
      b.process(x.data as Float32Array);
      const before = model.predict(x);
      model.setWeights(changed(model.getWeights()));

      const fresh = build(); // never ran with other weights
      fresh.setWeights(model.getWeights());
      const expected = stepThrough(fresh.stream(), x);
      [a, b].forEach((stream) => stream.reset());
      stepThrough(a, x).forEach((y, t) => same(y, expected[t], `step ${t}`));
      same(b.process(x.data as Float32Array), fresh.stream({ block: 8 }).process(x.data as Float32Array), "block");
      same(model.predict(x).data, fresh.predict(x).data, "predict");
      assert.not.equal([...before.data], [...model.predict(x).data], "the weights make a difference");
      for (const each of [model, fresh]) each.dispose();
    });
  }

  test("block 1 never leaves the step", () => {
    const model = sequential(kinds.lstm(), { seed: 3, inputShape: [null, 4] });
    const x = floats([1, 5, 4]);
    const [a, b] = [model.stream({ block: 1 }), model.stream()];
    const steps = stepThrough(b, x);
    same(a.process(x.data as Float32Array), Float32Array.from(steps.flatMap((y) => [...y])));
    model.dispose();
  });

  test("tokens step and run in blocks", () => {
    const model = sequential(
      [
        layers.embedding({ inputDim: 6, outputDim: 3 }),
        layers.gru({ units: 4, returnSequences: true }),
        layers.dense({ units: 6 }),
      ],
      { seed: 3, inputShape: [null] },
    );
    const x = tokens([1, 20], 6);
    const y = model.predict(x);
    const [a, b] = [model.stream(), model.stream({ block: 8 })];
    closeSteps(stepThrough(a, x), y);
    close(b.process(x.data as Int32Array), y.data, EPSILON);
    close(model.stream().process(Float32Array.from(x.data)), y.data, EPSILON, "whole numbers as floats");
    assert.equal(a.step([2]).length, 6);
    model.dispose();
  });

  const recurrent = {
    simpleRNN: () => layers.simpleRNN({ units: 4, returnSequences: true }),
    lstm: () => layers.lstm({ units: 4, returnSequences: true }),
    gru: () => layers.gru({ units: 4, returnSequences: true }),
  };
  for (const [layer, make] of Object.entries(recurrent)) {
    test(`${layer}: a masked token keeps state and output`, () => {
      const model = sequential(
        [layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }), make(), layers.dense({ units: 2 })],
        { seed: 3, inputShape: [null] },
      );
      const x = { data: Int32Array.from([0, 1, 2, 0, 0, 3, 0, 4, 1, 0, 0, 2]), shape: [1, 12] };
      const y = model.predict(x);
      const stream = model.stream();
      closeSteps(stepThrough(stream, x), y);
      const before = stream.getState();
      stream.step([0]);
      assert.equal(stream.getState(), before);
      close(model.stream({ block: 4 }).process(x.data), y.data, EPSILON, "blocks");
      model.dispose();
    });
  }

  test("a masked token keeps state and output of a cell by hand, of stacks, and of some rows only", () => {
    const makers = [
      () => layers.rnn({ cell: new Doubled(), returnSequences: true }),
      () => layers.rnn({ cell: [cells.gru({ units: 3 }), cells.lstm({ units: 4 })], returnSequences: true }),
    ];
    for (const make of makers) {
      const model = sequential([layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }), make()], {
        seed: 3,
        inputShape: [null],
      });
      const x = { data: Int32Array.from([1, 0, 3, 0, 2, 0, 0, 1, 4, 0]), shape: [2, 5] };
      const y = model.predict(x);
      closeSteps(stepThrough(model.stream({ batch: 2 }), x), y);
      model.dispose();
    }
  });

  test("a stream starts from a given state and goes back to it, of an exported file too", () => {
    const model = sequential([layers.lstm({ units: 3, returnSequences: true }), layers.gru({ units: 2 })], {
      inputShape: [null, 1],
      seed: 5,
    });
    const first = model.stream({ batch: 2 });
    for (let i = 0; i < 50; i++) first.step([0, 1]);
    const state = first.getState();
    const expected = first.step([0.5, -0.5]).slice();
    const bytes = model.export({ stream: { batch: 2, state } });
    const exported = build === "reference" ? [] : [loadExported(bytes, { build }).stream];
    for (const stream of [model.stream({ batch: 2, state }), ...exported]) {
      assert.equal(stream.step([0.5, -0.5]), expected);
      stream.reset(1);
      assert.equal(stream.step([0.5, -0.5]).slice(2), expected.slice(2));
      stream.reset();
      assert.equal(stream.step([0.5, -0.5]), expected);
    }
    refused(
      () => model.stream({ batch: 2, state: { "lstm/q": state["lstm/h"] } }),
      "ERR_STATE",
      /states named lstm\/h/,
    );
    refused(() => model.stream({ state }), "ERR_SHAPE", /expected state "lstm\/h" \[1, 3\], got \[2, 3\]/);
  });

  test("zeroOutputForMask gives zeros at masked steps", () => {
    const model = sequential(
      [
        layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true }),
        layers.gru({ units: 2, zeroOutputForMask: true }),
      ],
      { seed: 3, inputShape: [null] },
    );
    const stream = model.stream();
    stream.step([1]);
    assert.equal([...stream.step([0])], [0, 0]);
    assert.ok(stream.step([1]).every((h) => h !== 0));
    model.dispose();
  });

  test("state: names, copies, out and in again", () => {
    const model = sequential([layers.lstm({ units: 3, returnSequences: true }), layers.gru({ units: 2 })], {
      seed: 3,
      inputShape: [null, 4],
    });
    const stream = model.stream({ batch: 2 });
    const x = floats([2, 6, 4]);
    stream.step(frame(x, 0));
    const state = stream.getState();
    assert.equal(
      Object.entries(state).map(([name, { shape }]) => [name, shape]),
      [
        ["lstm/h", [2, 3]],
        ["lstm/c", [2, 3]],
        ["gru/h", [2, 2]],
      ],
    );
    const after = stream.step(frame(x, 1)).slice();
    stream.step(frame(x, 2));
    stream.setState(state);
    same(stream.step(frame(x, 1)), after);
    state["lstm/h"].data.fill(9);
    assert.not.equal([...stream.getState()["lstm/h"].data], [...state["lstm/h"].data]);
    stream.setState({ "gru/h": { data: new Float32Array(4), shape: [2, 2] } });
    assert.equal([...stream.getState()["gru/h"].data], [0, 0, 0, 0]);
    model.dispose();
  });

  test("reset zeroes all rows, or one", () => {
    const model = sequential([layers.gru({ units: 3 })], { seed: 3, inputShape: [null, 4] });
    const stream = model.stream({ batch: 3 });
    const x = floats([3, 2, 4]);
    const first = stream.step(frame(x, 0)).slice();
    stream.reset(1);
    const state = stream.getState()["gru/h"].data;
    assert.equal([...state.subarray(3, 6)], [0, 0, 0]);
    same(state.subarray(0, 3), first.subarray(0, 3));
    same(state.subarray(6), first.subarray(6));
    same(stream.step(frame(x, 0)).slice(3, 6), first.subarray(3, 6));
    stream.reset();
    same(stream.step(frame(x, 0)), first);
    model.dispose();
  });

  test("weights: setWeights, training and load show at the next step, as in a freshly loaded model", () => {
    const model = sequential([layers.gru({ units: 3, returnSequences: true }), layers.dense({ units: 1 })], {
      seed: 1,
      inputShape: [null, 4],
    });
    const stream = model.stream();
    const x = floats([1, 40, 4]);
    const fresh = (): Float32Array => {
      stream.reset();
      return stream.step(frame(x, 0)).slice();
    };
    const check = (): void => {
      const loaded = loadModel(model.save());
      const expected = loaded.predict(x);
      loaded.dispose();
      same(model.predict(x).data, expected.data, "predict");
      close(fresh(), frame(expected, 0), EPSILON);
      stream.reset();
      close(stream.process(x.data as Float32Array), expected.data, EPSILON);
    };
    check();
    const before = fresh();
    model.setWeights(changed(model.getWeights()));
    check();
    assert.not.equal([...fresh()], [...before]);
    const saved = model.save();
    model.compile({ loss: losses.meanSquaredError() });
    model.trainOnBatch(x, floats([1, 40, 1], 3));
    check();
    const trained = fresh();
    model.load(saved);
    check();
    assert.not.equal([...fresh()], [...trained]);
    model.dispose();
  });

  test("two streams of one model are independent, and of predict too", () => {
    const model = sequential([layers.lstm({ units: 3 })], { seed: 3, inputShape: [null, 4] });
    const x = floats([1, 4, 4]);
    const expected = stepThrough(model.stream(), x);
    const [a, b] = [model.stream(), model.stream()];
    const seen: Float32Array[][] = [[], []];
    for (let t = 0; t < 4; t++) {
      seen[0].push(a.step(frame(x, t)).slice());
      model.predict(x);
      if (t > 0) seen[1].push(b.step(frame(x, t - 1)).slice());
    }
    seen[0].forEach((y, t) => same(y, expected[t]));
    seen[1].forEach((y, t) => same(y, expected[t]));
    model.dispose();
  });

  test("out is written and returned; without it the stream's own array, again and again", () => {
    const model = sequential([layers.dense({ units: 2 })], { seed: 3, inputShape: [null, 4] });
    const stream = model.stream();
    const x = floats([1, 3, 4]);
    const own = stream.step(frame(x, 0));
    const kept = own.slice();
    const out = new Float32Array(2);
    assert.is(stream.step(frame(x, 1), out), out);
    same(own, kept);
    assert.is(stream.step(frame(x, 2)), own);
    const room = new Float32Array(6);
    assert.is(stream.process(x.data as Float32Array, room), room);
    same(room.subarray(0, 2), kept);
    model.dispose();
  });

  test("a stateful layer's stream has its own state, which resetStates leaves alone", () => {
    const model = sequential([layers.gru({ units: 3, stateful: true })], { seed: 3, inputShape: [null, 4] });
    const stream = model.stream();
    const x = floats([1, 3, 4]);
    const expected = stepThrough(model.stream(), x);
    same(stream.step(frame(x, 0)), expected[0]);
    model.predict(x);
    model.resetStates();
    const other = model.predict(floats([2, 3, 4])); // fresh memory for what resetStates gave back
    assert.equal(other.shape, [2, 3]);
    same(stream.step(frame(x, 1)), expected[1]);
    model.dispose();
  });

  test("a stream needs no inputShape once the model was called", () => {
    const model = sequential([layers.gru({ units: 3 })]);
    refused(
      () => model.stream(),
      "ERR_STATE",
      /^stream: expected a model with weights, got one that is not built; give sequential an inputShape/,
    );
    const x = floats([2, 5, 4]);
    const y = model.predict(x);
    const stream = model.stream({ batch: 2 });
    assert.is(stream.inputSize, 8);
    close(stepThrough(stream, x).at(-1)!, y.data, EPSILON);
    model.dispose();
  });

  test("dispose gives every byte back, twice as once; then streams are refused", () => {
    const { bytes } = backend.arena;
    const model = sequential([layers.gru({ units: 3 })], { seed: 3, inputShape: [null, 4] });
    const built = backend.arena.bytes;
    const stream = model.stream({ block: 4 });
    stream.process(floats([1, 9, 4]).data as Float32Array);
    stream.dispose();
    stream.dispose();
    refused(
      () => stream.step(new Float32Array(4)),
      "ERR_DISPOSED",
      /^stream: expected a live stream, got one that was disposed of/,
    );
    refused(() => stream.getState(), "ERR_DISPOSED", /^stream/);
    const other = model.stream();
    other.step(new Float32Array(4));
    assert.ok(backend.arena.bytes > built);
    model.dispose();
    assert.is(backend.arena.bytes, bytes);
    for (const use of [
      () => other.step(new Float32Array(4)),
      () => other.process(new Float32Array(4)),
      () => other.reset(),
      () => other.getState(),
      () => other.setState({}),
      () => model.stream(),
    ]) {
      refused(use, "ERR_DISPOSED", /^sequential: expected a live model, got one that was disposed of/);
    }
    other.dispose();
    other[Symbol.dispose]();
    assert.is(backend.arena.bytes, bytes);
  });

  test("what is wrong with frames, states and options is named, and the state stays", () => {
    const model = sequential([layers.embedding({ inputDim: 5, outputDim: 3 }), layers.gru({ units: 2 })], {
      seed: 3,
      inputShape: [null],
    });
    const stream = model.stream({ block: 4 });
    stream.step([1]);
    const state = stream.getState();
    const wrong: [() => unknown, string, RegExp][] = [
      [() => stream.step([1, 2]), "ERR_SHAPE", /^step: expected a frame of 1 numbers, got 2$/],
      [() => stream.step([1], new Float32Array(3)), "ERR_SHAPE", /^step: expected room for 2 numbers in out, got 3$/],
      [
        () => stream.step([5]),
        "ERR_VALUE",
        /^step: frame: expected tokens for embedding "embedding" of 0…4, got 5 at \[0, 0\]$/,
      ],
      [
        () => stream.step([1.5]),
        "ERR_VALUE",
        /^step: frame: expected tokens for embedding "embedding" of 0…4, got 1.5 at/,
      ],
      [
        () => stream.process(Int32Array.of(1, 1, 1, 1, 1, 9)),
        "ERR_VALUE",
        /^process: frames: expected tokens .* of 0…4, got 9 at \[5, 0\]$/,
      ],
      [
        () => stream.process(Int32Array.of(1, 1), new Float32Array(3)),
        "ERR_SHAPE",
        /^process: expected room for 4 numbers in out, got 3$/,
      ],
      [() => stream.reset(1), "ERR_SHAPE", /^reset: expected a row of 0…0, got 1$/],
      [
        () => stream.setState({ "gru/c": state["gru/h"] }),
        "ERR_STATE",
        /^stream: expected states named gru\/h, got "gru\/c"/,
      ],
      [
        () => stream.setState({ "gru/h": { data: new Float32Array(3), shape: [1, 3] } }),
        "ERR_SHAPE",
        /^stream: expected state "gru\/h" \[1, 2\], got \[1, 3\]$/,
      ],
      [() => model.stream({ batch: 0 }), "ERR_OPTION", /^stream: expected batch to be a positive integer, got 0$/],
      [() => model.stream({ block: 1.5 }), "ERR_OPTION", /^stream: expected block to be a positive integer, got 1.5$/],
      [
        () => model.stream({ blocks: 2 } as object),
        "ERR_OPTION",
        /^stream: expected one of the options batch, block, state, got "blocks", did you mean "block"\?$/,
      ],
      [
        () => model.stream({ batch: 2 }).process(Int32Array.of(1, 2)),
        "ERR_OPTION",
        /^process: expected a stream of batch 1, got 2; use step$/,
      ],
    ];
    for (const [run, code, message] of wrong) {
      refused(run, code, message);
      assert.equal(stream.getState(), state);
    }
    const floats4 = sequential([layers.dense({ units: 1 })], { seed: 3, inputShape: [null, 4] }).stream();
    refused(
      () => floats4.process(new Float32Array(6)),
      "ERR_SHAPE",
      /^process: expected frames of 4 numbers each, got 6 numbers$/,
    );
    model.dispose();
  });

  test("layers that read from the end are refused by name", () => {
    const model = sequential(
      [layers.gru({ units: 2, returnSequences: true }), layers.lstm({ units: 2, goBackwards: true, name: "back" })],
      { seed: 3, inputShape: [null, 4] },
    );
    refused(
      () => model.stream(),
      "ERR_UNSUPPORTED",
      /^stream: expected layers that run step by step, got lstm "back": it reads the sequence from its end \(goBackwards\)$/,
    );
    model.dispose();
    const repeating = sequential([layers.gru({ units: 2 }), layers.repeatVector({ n: 3 })], {
      seed: 3,
      inputShape: [null, 4],
    });
    refused(
      () => repeating.stream(),
      "ERR_UNSUPPORTED",
      /^stream: expected layers that run step by step, got repeatVector "repeat_vector": it makes a sequence of its own out of one output$/,
    );
    repeating.dispose();
  });
});
