/** Initial weights: bounds, moments, orthogonality, seeds. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { initializers, layers, sequential, type InitializerInput } from "../../bindings/index.ts";
import { initializerOf } from "../../bindings/layers/initializers.ts";
import { Random } from "../../bindings/base/random.ts";
import { same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const test = suite("initializers");

const draw = (value: InitializerInput, shape: readonly number[], seed = 1): Float32Array =>
  initializerOf("test", value)(shape, new Random(seed));

interface Expected {
  readonly mean: number;
  readonly deviation: number;
  /** Largest distance from the mean. */
  readonly limit: number;
}

const uniform = (limit: number, mean = 0): Expected => ({ mean, limit, deviation: limit / Math.sqrt(3) });
/** Cut at two standard deviations of the normal it comes from, so that its own is this. */
const cut = (deviation: number): Expected => ({ mean: 0, deviation, limit: (2 * deviation) / 0.87962566103423978 });

const [I, O] = [200, 300];
const N = I * O;

const DRAWN: [InitializerInput, Expected][] = [
  [initializers.randomUniform(), uniform(0.05)],
  [initializers.randomUniform({ minval: 1, maxval: 5 }), uniform(2, 3)],
  [initializers.randomNormal(), { mean: 0, deviation: 0.05, limit: Infinity }],
  [initializers.randomNormal({ mean: 3, stddev: 2 }), { mean: 3, deviation: 2, limit: Infinity }],
  [initializers.truncatedNormal(), cut(0.05 * 0.87962566103423978)],
  [initializers.glorotUniform(), uniform(Math.sqrt(6 / (I + O)))],
  [initializers.glorotNormal(), cut(Math.sqrt(2 / (I + O)))],
  [initializers.heUniform(), uniform(Math.sqrt(6 / I))],
  [initializers.heNormal(), cut(Math.sqrt(2 / I))],
  [initializers.lecunUniform(), uniform(Math.sqrt(3 / I))],
  [initializers.lecunNormal(), cut(Math.sqrt(1 / I))],
  ["glorot_uniform", uniform(Math.sqrt(6 / (I + O)))],
];

for (const [value, { mean, deviation, limit }] of DRAWN) {
  test(`${JSON.stringify(value)}: mean, deviation, bounds`, () => {
    const x = draw(value, [I, O]);
    const average = x.reduce((sum, v) => sum + v, 0) / N;
    const spread = Math.sqrt(x.reduce((sum, v) => sum + (v - average) ** 2, 0) / N);
    // five standard errors
    assert.ok(Math.abs(average - mean) < (5 * deviation) / Math.sqrt(N), `mean ${average}`);
    assert.ok(Math.abs(spread / deviation - 1) < 5 / Math.sqrt(2 * N), `deviation ${spread}, expected ${deviation}`);
    const farthest = x.reduce((most, v) => Math.max(most, Math.abs(v - mean)), 0);
    assert.ok(farthest <= limit * (1 + 1e-6), `${farthest} beyond ${limit}`);
    assert.ok(limit === Infinity || farthest > 0.99 * limit, "the bounds are reached");
    assert.ok(new Set(x).size > N * 0.9);
  });
}

test("fans of vectors and of weights of higher rank", () => {
  const limit = (shape: number[]): number =>
    draw(initializers.lecunUniform(), shape).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  assert.ok(Math.abs(limit([10000]) / Math.sqrt(3 / 10000) - 1) < 0.01);
  assert.ok(Math.abs(limit([10, 100, 10]) / Math.sqrt(3 / 1000) - 1) < 0.01);
});

test("zeros, ones, constant, identity", () => {
  same(draw("zeros", [2, 2]), [0, 0, 0, 0]);
  same(draw("ones", [3]), [1, 1, 1]);
  same(draw(initializers.constant({ value: -2.5 }), [2]), [-2.5, -2.5]);
  same(draw(initializers.constant(), [2]), [0, 0]);
  same(draw(initializers.identity({ gain: 2 }), [2, 3]), [2, 0, 0, 0, 2, 0]);
  same(draw("identity", [3, 2]), [1, 0, 0, 1, 0, 0]);
});

for (const shape of [
  [1, 1],
  [5, 5],
  [64, 64],
  [16, 64],
  [64, 16],
  [3, 4, 6],
  [1, 7],
  [33, 33],
  [65, 67],
  [99, 66],
]) {
  test(`orthogonal [${shape}]: the fewer of rows and columns are orthonormal`, () => {
    for (const gain of [1, 0.5]) {
      const w = draw(initializers.orthogonal({ gain }), shape);
      const columns = shape.at(-1)!;
      const rows = w.length / columns;
      const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
      const element = (vector: number, k: number): number =>
        rows < columns ? w[vector * columns + k] : w[k * columns + vector];
      for (let a = 0; a < count; a++) {
        for (let b = 0; b <= a; b++) {
          let product = 0;
          for (let k = 0; k < length; k++) product += element(a, k) * element(b, k);
          assert.ok(Math.abs(product - (a === b ? gain * gain : 0)) <= 1e-6, `${a}·${b} = ${product}`);
        }
      }
    }
  });
}

test("the same seed gives the same numbers, another others", () => {
  for (const value of ["randomUniform", "orthogonal", "heNormal"]) {
    same(draw(value, [8, 8], 5), draw(value, [8, 8], 5));
    assert.ok(draw(value, [8, 8], 5).some((x, i) => x !== draw(value, [8, 8], 6)[i]));
  }
  const own = initializers.glorotUniform({ seed: 3 });
  same(draw(own, [4, 4], 1), draw(own, [4, 4], 2));
});

test("a model draws by its seed and the names of weights; a seed of one's own overrides it", () => {
  const weights = (seed: number, options = {}): Record<string, Float32Array> => {
    const model = sequential(
      [layers.lstm({ units: 4, name: "a", ...options }), layers.dense({ units: 4, name: "b" })],
      { inputShape: [null, 4], seed },
    );
    const record = Object.fromEntries(Object.entries(model.getWeights()).map(([name, { data }]) => [name, data]));
    model.dispose();
    return record;
  };
  const [first, again, other] = [weights(1), weights(1), weights(2)];
  for (const name of ["a/kernel", "a/recurrent_kernel", "b/kernel"]) {
    same(first[name], again[name], name);
    assert.ok(
      first[name].some((x, i) => x !== other[name][i]),
      name,
    );
  }
  const seeded = { kernelInitializer: initializers.glorotUniform({ seed: 9 }) };
  same(weights(1, seeded)["a/kernel"], weights(2, seeded)["a/kernel"]);
  same(first["a/bias"], [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], "the forget gate starts open");
  same(weights(1, { unitForgetBias: false, biasInitializer: "ones" })["a/bias"], new Float32Array(16).fill(1));
});

test("a function of one's own is called with the shape", () => {
  const model = sequential(
    [
      layers.dense({
        units: 2,
        kernelInitializer: (shape) => Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => i),
      }),
    ],
    { inputShape: [3] },
  );
  same(model.getWeights()["dense/kernel"].data, [0, 1, 2, 3, 4, 5]);
  refused(
    () => sequential([layers.dense({ units: 2, kernelInitializer: () => new Float32Array(5) })], { inputShape: [3] }),
    "ERR_SHAPE",
    /expected the initializer to give 6 numbers for \[3, 2\], got 5/,
  );
  model.dispose();
});

test("peepholes are the row of a matrix to initializers that know matrices only", () => {
  const model = sequential([layers.lstm({ units: 3, peepholes: true, kernelInitializer: "orthogonal" })], {
    inputShape: [null, 2],
    seed: 1,
  });
  const { data } = model.getWeights()["lstm/peephole_i"];
  assert.ok(Math.abs(Math.hypot(...data) - 1) < 1e-6);
  model.dispose();
});

test("options that are undefined are absent; unknown names and options are refused", () => {
  same(draw(initializers.constant({ value: undefined }), [1]), [0]);
  same(
    draw(initializers.randomUniform({ minval: undefined, maxval: 1 }), [4]),
    draw(initializers.randomUniform({ maxval: 1 }), [4]),
  );
  refused(
    () => initializers.randomNormal({ std: 1 } as never),
    "ERR_OPTION",
    /^initializers\.randomNormal: expected one of the options mean, stddev, seed, got "std"/,
  );
  refused(
    () => layers.dense({ units: 1, kernelInitializer: "glorotUniforn" }),
    "ERR_OPTION",
    /expected a known initializer, got "glorotUniforn", did you mean "glorotUniform"\?/,
  );
  refused(() => draw({ initializer: "zeros", value: 1 }, [1]), "ERR_OPTION", /got "value"/);
  refused(() => draw("orthogonal", [4]), "ERR_VALUE", /^orthogonal: expected a weight of at least 2 axes, got \[4\]/);
});

test.run();
