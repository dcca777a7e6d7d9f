/** Cells written by hand: `rnn` records their step once, and computes what a loop in the traced function computes. */
import * as assert from "uvu/assert";
import {
  Module,
  cells,
  jit,
  layers,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type NDArray,
  type Layer,
  type Tensor,
} from "../../bindings/index.ts";
import type { BoundCall } from "../../bindings/runtime/replay.ts";
import { currentBackend } from "../../bindings/runtime/context.ts";
import { eachBackend } from "../support/backends.ts";
import { close, real, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const array = (shape: number[], salt: number): NDArray => ({
  data: real(
    shape.reduce((a, b) => a * b, 1),
    salt,
  ),
  shape,
});

const [B, T, I, H] = [3, 7, 2, 5];

/** Two states of different size, an output that is none of them, a weight used twice in a step. */
class Cell extends Module {
  stateSize = [H, 2];
  inner = layers.dense({ units: H, activation: "tanh" });
  outer = layers.dense({ units: 2 });

  override call(x: Tensor, [h, s]: Tensor[]): [Tensor, Tensor[]] {
    const next = this.inner.call(ops.concat([x, h, s]));
    const again = this.inner.call(ops.concat([x, next, s]));
    return [ops.mul(again, 2), [next, ops.add(s, this.outer.call(again))]];
  }
}

/** The same loop, by `rnn` or unrolled. */
class Looped extends Module {
  cell = new Cell();
  rnn: Layer | undefined;

  constructor(unrolled: boolean, seed = 1) {
    super({ seed });
    if (!unrolled) this.rnn = layers.rnn({ cell: this.cell, returnSequences: true, returnState: true });
  }

  override call(x: Tensor, h: Tensor, s: Tensor): Tensor[] {
    if (this.rnn) return [this.rnn.call(x, { initialState: [h, s] })].flat() as Tensor[];
    let states = [h, s];
    const outputs = Array.from({ length: x.shape[1] }, (_, t) => {
      const [output, next] = this.cell.call(ops.gather(x, t, 1), states);
      states = next;
      return output;
    });
    return [ops.stack(outputs, 1), ...states];
  }
}

/** Kernel calls of all programs there are, those in loops counted once. */
const callsOf = (): number =>
  [...currentBackend().arena.cached].reduce((sum, program) => {
    const count = (calls: readonly BoundCall[]): number =>
      calls.reduce((total, { loop }) => total + (loop ? count(loop.calls) : 1), 0);
    return sum + count((program as unknown as { bound: BoundCall[] }).bound);
  }, 0);

const arrayed = (x: unknown): NDArray => x as NDArray;
const dataOf = (list: unknown): ArrayLike<number>[] => (list as NDArray[]).map(({ data }) => data);

eachBackend("rnn of a cell written by hand", (test) => {
  test("outputs, states and every gradient are those of the unrolled loop", () => {
    const results = [false, true].map((unrolled) => {
      const model = new Looped(unrolled);
      const step = valueAndGrad(
        model,
        (x: Tensor, h: Tensor, s: Tensor) => {
          const all = model.call(x, h, s);
          return [all.map((part, i) => ops.sum(ops.mul(ops.square(part), i + 1))).reduce((a, b) => ops.add(a, b)), all];
        },
        { inputs: true, aux: true },
      );
      const args = [array([B, T, I], 1), array([B, H], 2), array([B, 2], 3)];
      const { value, grads, inputGrads, aux } = step(...args);
      const result = [[value], ...dataOf(aux), ...dataOf(Object.values(grads)), ...dataOf(inputGrads)];
      same([step(...args).value], [value], "a second run starts afresh");
      model.dispose();
      return result;
    });
    assert.is(results[0].length, 1 + 3 + 4 + 3);
    results[0].forEach((part, i) => close(part, results[1][i], 3e-6, `part ${i}`));
  });

  test("a program does not grow with time", () => {
    const model = new Looped(false);
    const counts = [20, 2000].map((steps) => {
      for (const program of [...currentBackend().arena.cached]) program.dispose();
      const run = valueAndGrad(model, (x: Tensor, h: Tensor, s: Tensor) => ops.mean(model.call(x, h, s)[0]));
      run(array([1, steps, I], 1), array([1, H], 2), array([1, 2], 3));
      return callsOf();
    });
    assert.is(counts[1], counts[0]);
    assert.ok(counts[0] > 20 && counts[0] < 200, `${counts[0]} calls`);
    model.dispose();
  });

  test("dropout in the cell draws other numbers at every step, and the same ones on the way back", () => {
    class Dropped extends Module {
      stateSize = 64;
      override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
        return [ops.dropout(x, 0.5), [h]];
      }
    }
    const rnn = layers.rnn({ cell: new Dropped(), returnSequences: true });
    rnn.seed = 1;
    const step = valueAndGrad(
      rnn,
      (x: Tensor) => {
        const y = rnn.call(x);
        return [ops.sum(y), y];
      },
      { inputs: true, aux: true },
    );
    const { aux, inputGrads } = step({ data: new Float32Array(T * 64).fill(1), shape: [1, T, 64] });
    const y = arrayed(aux).data as Float32Array;
    same(arrayed(inputGrads[0]).data, y, "the gradient is the mask");
    const rows = Array.from({ length: T }, (_, t) => y.slice(t * 64, (t + 1) * 64).join());
    assert.is(new Set(rows).size, T, "no two steps alike");
    assert.is(new Set(y).size, 2);
    rnn.dispose();
  });

  test("loops in loops, with dropout and a weight in the inner one", () => {
    /** Reads its input as a sequence of two parts. */
    class Outer extends Module {
      stateSize = H;
      innermost = new Inner();
      inner = layers.rnn({ cell: this.innermost });
      override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
        const next = ops.tanh(ops.add(h, this.inner.call(ops.reshape(x, [x.shape[0], 2, -1]), { initialState: [h] })));
        return [next, [next]];
      }
    }
    class Inner extends Module {
      stateSize = H;
      dense = layers.dense({ units: H, activation: "tanh" });
      override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
        const next = ops.dropout(this.dense.call(ops.concat([x, h])), 0.3);
        return [next, [next]];
      }
    }
    class Both extends Module {
      cell = new Outer();
      rnn: ReturnType<typeof layers.rnn> | undefined;
      constructor(looped: boolean) {
        super({ seed: 3 });
        if (looped) this.rnn = layers.rnn({ cell: this.cell, returnSequences: true });
      }
      override call(x: Tensor): Tensor {
        if (this.rnn) return this.rnn.call(x);
        let h = ops.zeros([x.shape[0], H]);
        const outputs = Array.from({ length: x.shape[1] }, (_, t) => {
          const part = ops.reshape(ops.gather(x, t, 1), [x.shape[0], 2, -1]);
          let inner = h;
          for (let k = 0; k < 2; k++) [, [inner]] = this.cell.innermost.call(ops.gather(part, k, 1), [inner]);
          return (h = ops.tanh(ops.add(h, inner)));
        });
        return ops.stack(outputs, 1);
      }
    }
    for (const training of [false, true]) {
      const x = array([B, T, 4], 1);
      const [looped, unrolled] = [true, false].map((loops) => {
        const model = new Both(loops);
        const step = valueAndGrad(
          model,
          (input: Tensor) => {
            const y = model.call(input);
            return [ops.sum(ops.square(y)), y];
          },
          { inputs: true, aux: true, training },
        );
        const { aux, grads, inputGrads } = step(x);
        model.dispose();
        return dataOf([aux, ...Object.values(grads), inputGrads[0]]);
      });
      looped.forEach((part, i) =>
        close(part, unrolled[i], 3e-6, `${training ? "training" : "no training"}: part ${i}`),
      );
    }
  });

  test("what every step reads from outside has one gradient, the sum", () => {
    const cell = (memory: Tensor): Module & { stateSize: number } =>
      new (class extends Module {
        stateSize = 4;
        override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
          const next = ops.tanh(ops.add(ops.matmul(x, memory), ops.mul(h, ops.slice(memory, [0], [1]))));
          return [next, [next]];
        }
      })();
    const gradients = [true, false].map((looped) =>
      dataOf(
        valueAndGrad(
          null,
          (x: Tensor, memory: Tensor) => {
            const own = cell(memory);
            if (looped) return ops.sum(ops.square(layers.rnn({ cell: own as never }).call(x)));
            let h = ops.zeros([B, 4]);
            for (let t = 0; t < T; t++) [, [h]] = own.call(ops.gather(x, t, 1), [h]) as [Tensor, Tensor[]];
            return ops.sum(ops.square(h));
          },
          { inputs: true },
        )(array([B, T, I], 1), array([I, 4], 2)).inputGrads,
      ),
    );
    gradients[0].forEach((grad, i) => close(grad, gradients[1][i], 3e-6, `argument ${i}`));
  });

  test("penalties on what a cell's layers give count at every step", () => {
    class Penalised extends Module {
      stateSize = H;
      dense = layers.dense({
        units: H,
        activity: undefined,
        activityRegularizer: { l1: 0, l2: 0.5 },
        kernelRegularizer: { l1: 0, l2: 0.1 },
      } as never);
      override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
        const next = this.dense.call(ops.concat([x, h]));
        return [next, [next]];
      }
    }
    const model = sequential([layers.rnn({ cell: new Penalised(), returnSequences: true })], {
      inputShape: [null, I],
      seed: 1,
    });
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 0 }) });
    const x = array([B, T, I], 1);
    const y = model.predict(x);
    const squares = (data: ArrayLike<number>): number =>
      Array.from(data).reduce((sum, value) => sum + value * value, 0);
    const expected = (0.5 * squares(y.data)) / B + 0.1 * squares(model.getWeights()["rnn/cell/dense/kernel"].data);
    close([model.trainOnBatch(x, y).loss], [expected], 1e-5);
    const before = model.getWeights()["rnn/cell/dense/bias"].data[0];
    model.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: 1e-3 }) });
    model.trainOnBatch(x, y);
    assert.is.not(model.getWeights()["rnn/cell/dense/bias"].data[0], before, "the penalty alone has a gradient");
    model.dispose();
  });

  test("inspect shows all steps of the layers in a cell, and their gradients", () => {
    const model = sequential([layers.rnn({ cell: new Cell() }), layers.dense({ units: 1 })], {
      inputShape: [null, I],
      seed: 1,
    });
    model.compile({ loss: "mse" });
    const x = array([B, T, I], 1);
    const inside = model.inspect(x, { y: array([B, 1], 2), gradients: true });
    const outer = inside["rnn/cell/outer/output"];
    assert.equal(outer.shape, [B, T, 2]);
    // the bias of the last dense layer adds to all its outputs
    const sums = [0, 1].map((j) =>
      Array.from({ length: B * T }, (_, n) => inside["rnn/cell/outer/output/grad"].data[n * 2 + j]).reduce(
        (a, b) => a + b,
      ),
    );
    close(inside["rnn/cell/outer/bias/grad"].data, sums, 2e-6);
    const steps = Array.from({ length: T }, (_, t) => {
      const part = { data: x.data.slice(0, (t + 1) * I), shape: [1, t + 1, I] };
      return model.inspect(part)["rnn/cell/outer/output"].data.slice(-2);
    });
    close(
      outer.data.slice(0, T * 2),
      steps.flatMap((step) => [...step]),
      1e-6,
      "row 0 as of shorter sequences",
    );
    model.dispose();
  });

  test("stateful: batch after batch is the whole", () => {
    const make = (stateful: boolean) =>
      sequential([layers.rnn({ cell: new Cell(), returnSequences: true, stateful })], {
        inputShape: [null, I],
        seed: 1,
      });
    const [whole, parts] = [make(false), make(true)];
    const x = array([1, 6, I], 1);
    const half = (from: number): NDArray =>
      parts.predict({ data: x.data.slice(from * I, (from + 3) * I), shape: [1, 3, I] });
    close([...half(0).data, ...half(3).data], whole.predict(x).data, 1e-6);
    whole.dispose();
    parts.dispose();
  });

  test("cells of ours beside one by hand keep their kernels, and name their states", () => {
    const model = sequential(
      [layers.rnn({ cell: [cells.lstm({ units: 4 }), new Cell(), cells.gru({ units: 3 })], returnSequences: true })],
      { inputShape: [null, I], seed: 1 },
    );
    const x = array([1, T, I], 1);
    const stream = model.stream();
    const steps = Array.from({ length: T }, (_, t) => [...stream.step([...x.data.slice(t * I, (t + 1) * I)])]).flat();
    close(steps, model.predict(x).data, 2e-6);
    assert.equal(Object.keys(stream.getState()), ["rnn/0/h", "rnn/0/c", "rnn/1/state0", "rnn/1/state1", "rnn/2/h"]);
    const step = trainStep(model, optimizers.sgd(), (input: Tensor) => ops.sum(model.call(input)));
    step(array([B, T, I], 1));
    assert.equal(model.predict(array([B, T, I], 1), { lengths: [2, 0, 7] }).shape, [B, T, 3]);
    model.dispose();
  });

  test("refuses what is no cell", () => {
    const call =
      (cell: object, given = {}) =>
      (): unknown => {
        const rnn = layers.rnn({ cell: cell as never, name: "mine" });
        return jit(rnn, (x: Tensor) => rnn.call(x, given))(array([B, T, I], 1));
      };
    const kept: Tensor[] = [];
    refused(
      call({ stateSize: 1, call: () => undefined }),
      "ERR_TRACE",
      /^rnn "mine": expected the cell's call to give \[output, states\], got undefined$/,
    );
    refused(
      call({ stateSize: 1, call: (x: Tensor) => [x, [1]] }),
      "ERR_TRACE",
      /^rnn "mine": expected the cell's call to give \[output, states\], got something else in the list$/,
    );
    refused(
      call({ stateSize: 1, call: (x: Tensor) => [x, [x]] }),
      "ERR_SHAPE",
      /^rnn "mine": expected the cell to give states \[3, 1\] as it was given, got \[3, 2\]$/,
    );
    refused(
      call({ stateSize: 1, call: (x: Tensor) => [x, []] }),
      "ERR_SHAPE",
      /^rnn "mine": expected the cell to give states \[3, 1\] as it was given, got none$/,
    );
    refused(
      call({ stateSize: I, call: (x: Tensor) => (kept.push(x), [x, [x]]) }, { initialState: [] }),
      "ERR_SHAPE",
      /^rnn "mine": expected 1 initial states \[3, 2\], got none$/,
    );
    refused(
      () =>
        jit(null, (x: Tensor) => {
          layers
            .rnn({ cell: { stateSize: I, call: (part: Tensor) => (kept.push(part), [part, [part]]) } as never })
            .call(x);
          return ops.neg(kept.at(-1)!);
        })(array([B, T, I], 1)),
      "ERR_TRACE",
      /^unary: expected a tensor of the same step, got one that a cell made in a step of its own; give it out as an output or as a state of the cell$/,
    );
  });
});
