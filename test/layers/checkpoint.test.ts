/** `checkpointEvery`: the same numbers in less memory. */
import * as assert from "uvu/assert";
import { layers, losses, ops, sequential, valueAndGrad, backendInfo } from "../../bindings/index.ts";
import type { NDArray, Module } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";

const [B, T, I, H] = [3, 11, 4, 5];
const wave = (n: number, step: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(1 + i * step));
const x = { data: wave(B * T * I, 0.7), shape: [B, T, I] };
const lengths = Int32Array.of(11, 4, 0);
const mask = {
  data: Int32Array.from({ length: B * T }, (_, i) => (i < T ? 1 : i < 2 * T ? +(i % 3 === 0) : 0)),
  shape: [B, T],
};

type Gradients = { value: number; grads: Record<string, NDArray>; inputGrads: (NDArray | null)[] };

/** Loss and gradients of a layer's output, weighted element by element. */
function gradientsOf(make: () => any, steps: object): Gradients {
  const layer = make() as Module & { call(x: unknown, options: object): any };
  layer.seed = 3;
  const names = Object.keys(steps);
  const run = valueAndGrad(
    layer,
    ((input: any, ...given: any[]) => {
      const options = Object.fromEntries(names.map((name, i) => [name, given[i]]));
      const outputs = [layer.call(input, options)].flat() as any[];
      return outputs.map((output) => ops.sum(ops.square(output))).reduce((a, b) => ops.add(a, b));
    }) as never,
    { inputs: true },
  );
  const result = run(x as never, ...(Object.values(steps) as never[])) as unknown as Gradients;
  layer.dispose();
  return result;
}

function close(actual: NDArray, expected: NDArray, name: string): void {
  const largest = Math.max(1e-6, ...Array.from(expected.data, Math.abs));
  const worst = Math.max(...Array.from(expected.data, (value, i) => Math.abs(value - actual.data[i])));
  assert.ok(worst <= 2e-6 * largest * 10, `${name}: expected a difference below ${2e-5 * largest}, got ${worst}`);
}

const LAYERS: Record<string, (options: object) => any> = {
  simpleRNN: (options) => layers.simpleRNN({ units: H, ...options }),
  lstm: (options) => layers.lstm({ units: H, ...options }),
  "lstm, two layers": (options) => layers.lstm({ units: H, numLayers: 2, recurrentDropout: 0.2, ...options }),
  gru: (options) => layers.gru({ units: H, dropout: 0.25, ...options }),
  "gru, reset before": (options) => layers.gru({ units: H, resetAfter: false, activation: "elu", ...options }),
};

const SHAPES: Record<string, object> = {
  "last output": {},
  sequences: { returnSequences: true },
  "sequences and states": { returnSequences: true, returnState: true },
  backwards: { goBackwards: true },
  "zeros where masked": { returnSequences: true, zeroOutputForMask: true },
};

const STEPS: Record<string, object> = { whole: {}, lengths: { lengths }, mask: { mask } };

eachBackend("checkpointEvery", (test) => {
  for (const [name, make] of Object.entries(LAYERS)) {
    for (const [shape, options] of Object.entries(SHAPES)) {
      for (const [kind, steps] of Object.entries(STEPS)) {
        test(`${name}, ${shape}, ${kind}: the gradients of the whole sequence`, () => {
          const plain = gradientsOf(() => make(options), steps);
          for (const checkpointEvery of [1, 4, 11]) {
            const segmented = gradientsOf(() => make({ ...options, checkpointEvery }), steps);
            assert.ok(
              Math.abs(segmented.value - plain.value) <= 1e-5 * Math.abs(plain.value),
              `${segmented.value} ${plain.value}`,
            );
            for (const key of Object.keys(plain.grads)) close(segmented.grads[key], plain.grads[key], key);
            close(segmented.inputGrads[0]!, plain.inputGrads[0]!, "x");
          }
        });
      }
    }
  }

  test("a bidirectional layer: the gradients of the whole sequence", () => {
    const make = (options: object) => () =>
      layers.bidirectional({ layer: layers.gru({ units: H, returnSequences: true, ...options }) });
    for (const steps of Object.values(STEPS)) {
      const [plain, segmented] = [{}, { checkpointEvery: 4 }].map((options) => gradientsOf(make(options), steps));
      for (const key of Object.keys(plain.grads)) close(segmented.grads[key], plain.grads[key], key);
    }
  });

  test("dropout drops the same the second time", () => {
    const drop = valueAndGrad(
      null,
      ((v: any) => {
        const [y] = ops.checkpoint(() => [ops.dropout(v, 0.5)]);
        return [ops.sum(y), y];
      }) as never,
      { inputs: true, aux: true } as never,
    ) as unknown as (v: number[]) => { aux: NDArray; inputGrads: NDArray[] };
    const { aux, inputGrads } = drop(Array.from({ length: 64 }, (_, i) => i + 1));
    assert.equal(
      inputGrads[0].data,
      aux.data.map((value, i) => value / (i + 1)),
    );
    assert.ok(aux.data.includes(0) && aux.data.some((value) => value > 0));
  });

  test("a long sequence takes a fraction of the memory", () => {
    const bytes = (checkpointEvery: number | undefined): number => {
      const before = backendInfo().memoryBytes;
      const model = sequential([layers.lstm({ units: 32, checkpointEvery }), layers.dense({ units: 1 })], {
        inputShape: [null, 8],
        seed: 1,
      });
      model.compile({ optimizer: "sgd", loss: losses.meanSquaredError() });
      model.trainOnBatch({ data: new Float32Array(2 * 2000 * 8), shape: [2, 2000, 8] }, [[0], [1]]);
      const after = backendInfo().memoryBytes;
      model.dispose();
      return after - before;
    };
    const [plain, segmented] = [bytes(undefined), bytes(50)];
    assert.ok(segmented < plain / 4, `expected less than a quarter of ${plain} bytes, got ${segmented}`);
  });

  test("refuses a number of steps that is none", () => {
    assert.throws(() => layers.lstm({ units: 2, checkpointEvery: 0 }), /checkpointEvery/);
  });
});
