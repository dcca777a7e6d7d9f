import { suite } from "uvu";
import * as assert from "uvu/assert";
import { windows } from "../../bindings/data/index.ts";
import { oracleJson, oracleTest } from "../support/oracles.ts";
import { refused } from "../support/refused.ts";

const test = suite("windows");

test("the last rows can be a target, none is left over", () => {
  const { x, y } = windows([1, 2, 3, 4, 5], { length: 3 });
  assert.equal(x, { data: Float32Array.of(1, 2, 3, 2, 3, 4), shape: [2, 3, 1] });
  assert.equal(y, { data: Float32Array.of(4, 5), shape: [2, 1] });
  assert.equal(windows([1, 2], { length: 1 }).y.data, Float32Array.of(2));
});

test("horizon, stride, targets, and the shape of y", () => {
  const series = [
    [0, 10],
    [1, 11],
    [2, 12],
    [3, 13],
    [4, 14],
    [5, 15],
  ];
  const two = windows(series, { length: 2, horizon: 2, stride: 2 });
  assert.equal(two.x, { data: Float32Array.of(0, 10, 1, 11, 2, 12, 3, 13), shape: [2, 2, 2] });
  assert.equal(two.y, { data: Float32Array.of(2, 12, 3, 13, 4, 14, 5, 15), shape: [2, 2, 2] });
  const one = windows(series, { length: 2, horizon: 2, stride: 2, targets: [1] });
  assert.equal(one.y, { data: Float32Array.of(12, 13, 14, 15), shape: [2, 2] });
  assert.equal(windows(series, { length: 4, targets: [1, 0] }).y, {
    data: Float32Array.of(14, 4, 15, 5),
    shape: [2, 2],
  });
  assert.equal(windows(series, { length: 4, stride: 9 }).x.shape, [1, 4, 2]);
});

test("every n-th row, targets some rows later, and the latest row first", () => {
  const series = Float32Array.from({ length: 10 }, (_, i) => i);
  const thin = windows(series, { length: 3, samplingRate: 2, offset: 4, horizon: 2 });
  assert.equal(thin.x, { data: Float32Array.of(0, 2, 4), shape: [1, 3, 1] });
  assert.equal(thin.y, { data: Float32Array.of(8, 9), shape: [1, 2] });
  const now = windows(series, { length: 2, offset: 0, reversed: true, stride: 4 });
  assert.equal(now.x, { data: Float32Array.of(1, 0, 5, 4, 9, 8), shape: [3, 2, 1] });
  assert.equal(now.y.data, Float32Array.of(1, 5, 9));
  refused(() => windows(series, { length: 6, samplingRate: 2 }), "ERR_SHAPE", /at least the 12 rows .* got 10/);
  refused(() => windows(series, { length: 1, offset: -1 }), "ERR_VALUE", /offset of at least 0, got -1/);
});

test("several series do not run into each other", () => {
  const expected = { x: Float32Array.of(1, 2, 7, 8, 8, 9), y: Float32Array.of(3, 9, 10) };
  const a = Float32Array.of(1, 2, 3),
    b = Float64Array.of(7, 8, 9, 10),
    short = Float32Array.of(5);
  for (const list of [
    [a, b, short],
    [{ data: a, shape: [3, 1] }, b],
    [
      [[1], [2], [3]],
      [[7], [8], [9], [10]],
    ],
  ]) {
    const { x, y } = windows(list, { length: 2 });
    assert.equal(x, { data: expected.x, shape: [3, 2, 1] });
    assert.equal(y.data, expected.y);
  }
});

test("errors", () => {
  refused(
    () => windows([1, 2, 3], { length: 3 }),
    "ERR_SHAPE",
    /at least the 4 rows of a window and its targets, got 3/,
  );
  refused(() => windows([], { length: 1 }), "ERR_SHAPE", /got 0/);
  for (const bad of [0, 1.5, -1, NaN]) {
    refused(() => windows([1, 2, 3], { length: bad }), "ERR_VALUE", /length/);
    refused(() => windows([1, 2, 3], { length: 1, horizon: bad }), "ERR_VALUE", /horizon/);
    refused(() => windows([1, 2, 3], { length: 1, stride: bad }), "ERR_VALUE", /stride/);
  }
  refused(() => windows([1, 2], {} as { length: number }), "ERR_VALUE", /length of at least 1, got undefined/);
  refused(() => windows([1, 2, 3], { length: 1, targets: [1] }), "ERR_VALUE", /targets from 0 to 0, got 1/);
  refused(
    () => windows([1, 2, 3], { lenght: 1, length: 1 } as { length: number }),
    "ERR_OPTION",
    /did you mean "length"/,
  );
  refused(
    () => windows([Float32Array.of(1, 2), { data: [1, 2], shape: [1, 2] }], { length: 1 }),
    "ERR_SHAPE",
    /series 1: expected 1 features/,
  );
  refused(
    () => windows({ data: new Float32Array(8), shape: [2, 2, 2] }, { length: 1 }),
    "ERR_SHAPE",
    /\[time, features\], got \[2, 2, 2\]/,
  );
});

oracleTest(test, "cuts where Keras' TimeseriesGenerator does", () => {
  const { data, targets, cases } = oracleJson("keras/utils.json").timeseries_generator;
  const series = data.map((row: number[], i: number) => [...row, targets[i]]);
  let compared = 0;
  for (const { args, batches } of cases) {
    if (args.sampling_rate !== undefined || args.reverse !== undefined) continue;
    const { x, y } = windows(series, { length: args.length, stride: args.stride ?? 1, targets: [2] });
    const rows = batches.flatMap(([xs]: [number[][][]]) => xs);
    assert.equal(
      [...x.data].filter((_, i) => i % 3 < 2),
      rows.flat(2),
    );
    assert.equal(
      [...y.data],
      batches.flatMap(([, ys]: [unknown, number[]]) => ys),
    );
    compared++;
  }
  assert.ok(compared >= 3);
});

test.run();
