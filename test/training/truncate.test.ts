/** Truncated back-propagation through time: windows of long sequences, states carried on, gradients cut. */
import * as assert from "uvu/assert";
import {
  Module,
  cells,
  layers,
  losses,
  ops,
  optimizers,
  sequential,
  valueAndGrad,
  type BatchItem,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, sameWeights, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { rejected } from "../support/refused.ts";

const [B, T, I, K] = [4, 11, 3, 4];
const x = floats([B, T, I]);
const y = floats([B, T, 2], 1);

/** A cell by hand. */
class Leaky extends Module {
  stateSize = 3;
  input = layers.dense({ units: 3 });
  override call(step: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
    const after = ops.tanh(ops.add(ops.mul(h, 0.5), this.input.call(step)));
    return [after, [after]];
  }
}

const STACKS: Record<string, (options: object) => Module[]> = {
  simpleRNN: (options) => [layers.simpleRNN({ units: 4, ...options })],
  lstm: (options) => [layers.lstm({ units: 4, peepholes: true, ...options })],
  "gru over gru": (options) => [layers.gru({ units: 4, numLayers: 2, ...options })],
  "a cell by hand": (options) => [layers.rnn({ cell: new Leaky(), ...options })],
  "a stack of cells": (options) => [
    layers.rnn({ cell: [cells.lstm({ units: 3 }), cells.gru({ units: 4 })], ...options }),
  ],
};

function make(stack = STACKS.lstm, options: object = {}) {
  const model = sequential([...stack({ returnSequences: true, ...options }), layers.dense({ units: 2 })], {
    seed: 3,
    inputShape: [null, I],
  });
  model.compile({ loss: "mse", optimizer: optimizers.adam({ learningRate: 0.01 }) });
  return model;
}

/** Steps start…end − 1 of every row. */
function columns<A extends Float32Array | Int32Array>(
  { data, shape: [n, steps, ...rest] }: NDArray<A>,
  start: number,
  end: number,
): NDArray<A> {
  const width = rest.reduce((a, b) => a * b, 1);
  const parts = Array.from({ length: n }, (_, b) =>
    Array.from(data.subarray((b * steps + start) * width, (b * steps + end) * width)),
  );
  return {
    data: (data.constructor as unknown as { from(values: number[]): A }).from(parts.flat()),
    shape: [n, end - start, ...rest],
  };
}

const WINDOWS = [
  [0, 4],
  [4, 8],
  [8, 11],
];

eachBackend("truncate", (test) => {
  for (const [what, stack] of Object.entries(STACKS)) {
    test(`${what}: is a stateful model driven window by window`, async () => {
      const [model, twin] = [make(stack), make(stack, { stateful: true })];
      const seen: [number, number][] = [];
      const { history } = await model.fit(x, y, {
        epochs: 2,
        batchSize: 3,
        shuffle: false,
        truncate: K,
        callbacks: [{ onBatchEnd: ({ epoch, batch }) => void seen.push([epoch, batch]) }],
      });
      let loss = 0;
      for (let epoch = 0; epoch < 2; epoch++) {
        loss = 0;
        for (const [from, to] of [
          [0, 3],
          [3, 4],
        ]) {
          twin.resetStates();
          for (const [start, end] of WINDOWS) {
            loss +=
              twin.trainOnBatch(columns(rows(x, from, to), start, end), columns(rows(y, from, to), start, end)).loss *
              (to - from) *
              (end - start);
          }
        }
      }
      sameWeights(model.getWeights(), twin.getWeights());
      assert.equal(
        seen,
        [0, 1].flatMap((epoch) => [1, 2, 3, 4, 5, 6].map((batch) => [epoch, batch])),
      );
      close([history.loss[1]], [loss / (B * T)], 1e-6);
      model.dispose();
      twin.dispose();
    });
  }

  test("gradients stop at the cut: a window is updated by its own steps, from states that are constants", async () => {
    const make = () => {
      const layer = layers.gru({ units: 2, returnSequences: true, returnState: true });
      layer.seed = 4;
      return layer;
    };
    class Only extends Module {
      gru = make();
      override call(input: Tensor): Tensor {
        return (this.gru.call(input) as unknown as Tensor[])[0];
      }
    }
    const [model, twin] = [new Only({ seed: 4 }), new Only({ seed: 4 })];
    const sgd = optimizers.sgd({ learningRate: 0.5 });
    model.predict(x);
    twin.predict(x);
    twin.setWeights(model.getWeights());
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0.5 }) });
    await model.fit(x, y, { truncate: K, batchSize: B, shuffle: false });
    const mse = losses.meanSquaredError();
    const step = valueAndGrad(
      twin,
      (input: Tensor, target: Tensor, state: Tensor) => {
        const [output, after] = twin.gru.call(input, {
          initialState: [ops.stopGradient(state)],
        }) as unknown as Tensor[];
        return [mse(target, output), after];
      },
      { aux: true },
    );
    let state: NDArray = { data: new Float32Array(B * 2), shape: [B, 2] };
    for (const [start, end] of WINDOWS) {
      const { grads, aux } = step(columns(x, start, end), columns(y, start, end), state);
      sgd.apply(twin, grads);
      state = aux;
    }
    for (const [name, { data }] of Object.entries(model.getWeights()))
      close(data, twin.getWeights()[name].data, 1e-6, name);
    model.dispose();
    twin.dispose();
  });

  test("one window is the whole sequence", async () => {
    for (const truncate of [T, 100]) {
      const [model, twin] = [make(), make()];
      assert.equal(
        (await model.fit(x, y, { truncate, epochs: 2, batchSize: 3 })).history,
        (await twin.fit(x, y, { epochs: 2, batchSize: 3 })).history,
      );
      sameWeights(model.getWeights(), twin.getWeights());
      model.dispose();
      twin.dispose();
    }
  });

  test("ragged rows end in their windows, and windows without a row that lives make no update", async () => {
    const lengths = Int32Array.of(3, 5, 8, 1);
    const [model, twin, masked] = [make(), make(undefined, { stateful: true }), make()];
    let updates = 0;
    await model.fit(x, y, {
      truncate: K,
      batchSize: B,
      shuffle: false,
      lengths,
      callbacks: [{ onBatchEnd: () => void updates++ }],
    });
    assert.is(updates, 2, "steps 8…10 are padding");
    twin.trainOnBatch(columns(x, 0, 4), columns(y, 0, 4), { lengths: [3, 4, 4, 1] });
    twin.trainOnBatch(columns(x, 4, 8), columns(y, 4, 8), { lengths: [0, 1, 4, 0] });
    sameWeights(model.getWeights(), twin.getWeights());
    const mask = {
      data: Int32Array.from({ length: B * T }, (_, i) => +(i % T < lengths[Math.floor(i / T)])),
      shape: [B, T],
    };
    await masked.fit(x, y, { truncate: K, batchSize: B, shuffle: false, mask });
    for (const [name, { data }] of Object.entries(masked.getWeights()))
      close(data, model.getWeights()[name].data, 1e-6, name);
    for (const each of [model, twin, masked]) each.dispose();
  });

  test("tokens, several inputs and outputs, weights by step, streams of batches", async () => {
    class Two extends Module {
      embedding = layers.embedding({ inputDim: 7, outputDim: 2 });
      lstm = layers.lstm({ units: 3, returnSequences: true });
      a = layers.dense({ units: 7 });
      b = layers.dense({ units: 1 });
      override call(ids: Tensor, extra: Tensor): Record<string, Tensor> {
        const h = this.lstm.call(ops.concat([this.embedding.call(ids), extra]));
        return { a: this.a.call(h), b: this.b.call(h) };
      }
    }
    const inputs = [tokens([B, T], 7), x];
    const targets = { a: tokens([B, T], 7, 1), b: floats([B, T, 1], 2) };
    const sampleWeight = { a: floats([B, T], 5), b: floats([B], 6) };
    const fit = async (stream: boolean): Promise<Record<string, NDArray>> => {
      const model = new Two({ seed: 1 });
      model.compile({ loss: { a: losses.sparseCategoricalCrossentropy({ fromLogits: true }), b: "mse" } });
      if (stream)
        await model.fit(() => [[inputs, targets, { sampleWeight }]] as BatchItem[], { truncate: K, epochs: 2 });
      else await model.fit(inputs, targets, { sampleWeight, truncate: K, epochs: 2, shuffle: false });
      const weights = model.getWeights();
      model.dispose();
      return weights;
    };
    sameWeights(await fit(true), await fit(false));
  });

  test("goes on from a file bit for bit, between batches and epochs of different sizes", async () => {
    const [whole, first] = [make(), make()];
    const options = { truncate: K, batchSize: 3 };
    await whole.fit(x, y, { ...options, epochs: 3 });
    await first.fit(x, y, { ...options, epochs: 1 });
    const second = make();
    second.load(first.save({ optimizer: true }));
    await second.fit(x, y, { ...options, initialEpoch: 1, epochs: 3 });
    sameWeights(second.getWeights(), whole.getWeights());
    for (const each of [whole, first, second]) each.dispose();
  });

  test("stateful layers go on from batch to batch", async () => {
    const [model, twin] = [make(undefined, { stateful: true }), make(undefined, { stateful: true })];
    await model.fit(
      () =>
        [
          [x, y],
          [x, y],
        ] as BatchItem[],
      { truncate: K },
    );
    for (let n = 0; n < 2; n++)
      for (const [start, end] of WINDOWS) twin.trainOnBatch(columns(x, start, end), columns(y, start, end));
    sameWeights(model.getWeights(), twin.getWeights());
    same(model.predict(x).data, twin.predict(x).data);
    model.dispose();
    twin.dispose();
  });

  test("every byte comes back", async () => {
    const model = make();
    const { arena } = model.backend;
    await model.fit(x, y, { truncate: K, batchSize: 3 });
    model.dispose();
    assert.is(arena.bytes, 0);
  });

  test("is refused where it cannot be: the model stays as it was", async () => {
    const model = make();
    const before = model.getWeights();
    await rejected(
      model.fit(x, y, { truncate: 0 }),
      "ERR_OPTION",
      /^fit: expected truncate to be a positive integer, got 0$/,
    );
    await rejected(
      model.fit(x, floats([B, 2]), { truncate: K }),
      "ERR_SHAPE",
      /^fit: expected y \[batch, 11, \.\.\] with truncate, one target per step, got \[4, 2\]$/,
    );
    sameWeights(model.getWeights(), before);
    model.dispose();
    const refusals: [Module, RegExp][] = [
      [
        sequential([layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true }) })]),
        /^fit: expected layers that go on from window to window with truncate, got bidirectional "bidirectional": its backward half needs the end of the sequence$/,
      ],
      [
        sequential([layers.gru({ units: 2, returnSequences: true, goBackwards: true })]),
        /got gru "gru": it reads the sequence from its end/,
      ],
      [
        sequential([layers.dense({ units: 2 })]),
        /^fit: expected a recurrent layer, whose state goes on from window to window with truncate, got a model without$/,
      ],
      [
        new (class Loop extends Module {
          cell = cells.gru({ units: 2 });
          override call(input: Tensor): Tensor {
            let states: Tensor[] | undefined;
            return ops.stack(
              Array.from({ length: input.shape[1] }, (_, t) => {
                const [output, after] = this.cell.call(ops.gather(input, t, 1), states);
                states = after;
                return output;
              }),
              1,
            );
          }
        })(),
        /got a model without$/,
      ],
    ];
    for (const [wrong, message] of refusals) {
      wrong.compile({ loss: "mse" });
      await rejected(
        wrong.fit(
          x,
          floats([B, T, (wrong as { layers?: unknown[] }).layers && message.source.includes("bidirectional") ? 4 : 2]),
          { truncate: K },
        ),
        "ERR_UNSUPPORTED",
        message,
      );
      wrong.compile({ loss: "mse" }); // refused while a training runs
      wrong.dispose();
    }
  });
});
