import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { minMaxScaler, robustScaler, standardScaler } from "../../bindings/data/index.ts";
import { refused } from "../support/refused.ts";

const test = suite("scalers");
const makers = { minMaxScaler, standardScaler, robustScaler };
// two features, of which one is constant; the last rows of the first are outliers
const table = [
  [1, 7],
  [2, 7],
  [3, 7],
  [4, 7],
  [100, 7],
];

const near = (got: ArrayLike<number>, expected: number[]): void => {
  assert.is(got.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(Math.abs(got[i] - value) < 1e-6 * (1 + Math.abs(value)), `${i}: ${got[i]}, expected ${value}`),
  );
};

test("each scaler by hand; a constant feature divides by 1", () => {
  const minMax = minMaxScaler().fit(table).transform(table);
  assert.equal(minMax.shape, [5, 2]);
  near(minMax.data, [0, 0, 1 / 99, 0, 2 / 99, 0, 3 / 99, 0, 1, 0]);
  near(
    minMaxScaler({ range: [-1, 3] })
      .fit([0, 5, 10])
      .transform([0, 5, 10, 20]).data,
    [-1, 1, 3, 7],
  );
  near(
    minMaxScaler({ range: [-1, 3] })
      .fit([5, 5])
      .transform([5, 6]).data,
    [-1, 0],
  );
  near(
    standardScaler()
      .fit([1, 3, 5, 7])
      .transform([4, 4 + Math.sqrt(5)]).data,
    [0, 1],
  );
  near(robustScaler().fit(table).transform(table).data, [-1, 0, -0.5, 0, 0, 0, 0.5, 0, 48.5, 0]);
  near(robustScaler().fit([4, 1, 3, 2]).transform([2.5, 4]).data, [0, 1]); // quartiles 1.75 and 3.25
});

test("a constant that doubles cannot hold, and large offsets", () => {
  near(standardScaler().fit(new Array<number>(1000).fill(0.1)).transform([0.1, 0.2]).data, [0, 0.1]);
  const far = Float64Array.from({ length: 100 }, (_, i) => 1e12 + (i % 2)); // f32 would see one value
  near(standardScaler().fit(far).transform(far.slice(0, 2)).data, [-1, 1]);
  assert.equal([...minMaxScaler().fit([-3, 0.1, 7]).transform([-3, 7]).data], [0, 1]);
});

test("all forms of arrays, and three axes", () => {
  const expected = standardScaler()
    .fit([
      [1, 2],
      [3, 4],
    ])
    .toJSON();
  assert.equal(
    standardScaler()
      .fit({ data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] })
      .toJSON(),
    expected,
  );
  const cube = { data: Int32Array.of(1, 2, 3, 4), shape: [1, 2, 2] };
  const scaler = standardScaler().fit(cube);
  assert.equal(scaler.toJSON(), expected);
  assert.equal(scaler.transform(cube).shape, [1, 2, 2]);
  assert.equal(standardScaler().fit(Float32Array.of(1, 3)).toJSON(), { type: "standard", center: [2], scale: [1] });
});

test("one feature takes any shape; feature() takes one out of several", () => {
  const scaler = standardScaler().fit([0, 2]);
  assert.equal(
    scaler.inverse([
      [0, 1],
      [2, 3],
    ]),
    { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
  );
  const second = minMaxScaler()
    .fit([
      [0, 10],
      [1, 30],
    ])
    .feature(1);
  near(second.inverse([[0], [0.5]]).data, [10, 20]);
  refused(() => scaler.feature(1), "ERR_VALUE", /feature from 0 to 0, got 1/);
  refused(() => scaler.feature(-1), "ERR_VALUE", /feature/);
  refused(() => standardScaler().feature(0), "ERR_STATE", /fit/);
});

test("inverse undoes transform, through JSON too", () => {
  const data = fc.array(
    fc.tuple(fc.float({ min: -1000, max: 1000, noNaN: true }), fc.float({ min: -1, max: 1, noNaN: true })),
    { minLength: 1, maxLength: 20 },
  );
  for (const make of Object.values(makers)) {
    fc.assert(
      fc.property(data, (rows) => {
        const scaler = make().fit(rows);
        const scaled = scaler.transform(rows);
        assert.ok(scaled.data.every(Number.isFinite));
        const same = make.from(JSON.stringify(scaler));
        assert.equal(same.transform(rows), scaled);
        const back = same.inverse(scaled).data;
        const { center, scale } = scaler.toJSON();
        // one rounding to f32 on the way there, one on the way back
        rows.flat().forEach((value, i) => {
          const bound =
            1e-30 + 1e-6 * (Math.abs(value) + Math.abs(center[i % 2]) + scale[i % 2] * Math.abs(scaled.data[i]));
          assert.ok(Math.abs(back[i] - value) <= bound, `${back[i]}, expected ${value}`);
        });
      }),
      { seed: 20260101, numRuns: 300 },
    );
  }
});

test("errors name the scaler, the call and the place", () => {
  const scaler = minMaxScaler().fit([
    [1, 2],
    [3, 4],
  ]);
  refused(() => minMaxScaler().transform([1]), "ERR_STATE", /minMaxScaler transform: expected fit/);
  refused(() => robustScaler().inverse([1]), "ERR_STATE", /robustScaler inverse/);
  refused(() => scaler.transform([[1, 2, 3]]), "ERR_SHAPE", /2 features on the last axis, got \[1, 3\]/);
  refused(() => scaler.transform([1, 2]), "ERR_SHAPE", /2 features/);
  refused(() => scaler.transform([[1, NaN]]), "ERR_VALUE", /got NaN at \[0, 1\]/);
  refused(
    () =>
      standardScaler().fit([
        [1, 2],
        [Infinity, 2],
      ]),
    "ERR_VALUE",
    /got Infinity at \[1, 0\]/,
  );
  refused(() => standardScaler().fit([]), "ERR_SHAPE", /at least one row/);
  refused(() => standardScaler().fit({ data: [], shape: [4, 0] }), "ERR_SHAPE", /at least one row/);
  refused(() => standardScaler().fit([[1, 2], [3]]), "ERR_SHAPE", /nested/);
  refused(() => minMaxScaler({ rnage: [0, 1] } as object), "ERR_OPTION", /did you mean "range"/);
  for (const range of [
    [1, 1],
    [2, 1],
    [NaN, 1],
    [0, Infinity],
  ] as [number, number][])
    refused(() => minMaxScaler({ range }), "ERR_VALUE", /range/);
});

test("JSON of something else", () => {
  const json = standardScaler().fit([1, 2]).toJSON();
  const rows: unknown[] = [
    "{",
    "null",
    {},
    { ...json, type: "robust" },
    { ...json, scale: [0] },
    { ...json, scale: [1, 2] },
    { ...json, center: ["1"] },
    { ...json, center: [NaN] },
  ];
  for (const row of rows) refused(() => standardScaler.from(row as string), "ERR_FORMAT", /standardScaler: expected/);
});

test.run();
