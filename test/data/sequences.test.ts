import { suite } from "uvu";
import * as assert from "uvu/assert";
import { oneHot, padSequences, split } from "../../bindings/data/index.ts";
import { layers, sequential } from "../../bindings/index.ts";
import { oracleJson, oracleTest } from "../support/oracles.ts";
import { refused } from "../support/refused.ts";

const test = suite("sequences");

oracleTest(test, "pads and cuts as Keras' pad_sequences does", () => {
  const { sequences, cases } = oracleJson("keras/utils.json").pad_sequences;
  for (const { args, result } of cases) {
    const padded = padSequences(sequences, args);
    assert.equal(padded.shape, [result.length, result[0].length]);
    assert.equal([...padded.data], result.flat(), JSON.stringify(args));
  }
  assert.ok(cases.length >= 6);
});

test("lengths count what is left of each sequence", () => {
  const { lengths, data } = padSequences([[1, 2, 3, 4], [5], []], { maxlen: 3, padding: "post" });
  assert.equal(lengths, Int32Array.of(3, 1, 0));
  assert.equal(data, Int32Array.of(2, 3, 4, 5, 0, 0, 0, 0, 0));
});

test("steps with features, in floats", () => {
  const { data, shape } = padSequences([[[1, 2]], [], { data: Float32Array.of(3, 4, 5, 6), shape: [2, 2] }], {
    dtype: "float32",
    value: -0.5,
  });
  assert.equal(shape, [3, 2, 2]);
  assert.equal(data, Float32Array.of(-0.5, -0.5, 1, 2, -0.5, -0.5, -0.5, -0.5, 3, 4, 5, 6));
});

test("edges: nothing but empty ones, and more sequences than a call has arguments", () => {
  assert.equal(padSequences([[], []]).shape, [2, 0]);
  const many = Array.from({ length: 200_000 }, (_, i) => Int32Array.of(i));
  assert.equal(padSequences(many).shape, [200_000, 1]);
});

test("lengths of padding in front are the first step and the one after the last, as predict takes them", () => {
  const rows = [[[1], [2], [3]], [[4]], [[5], [6]]];
  const front = padSequences(rows, { dtype: "float32" });
  assert.equal(front.lengths, { data: Int32Array.of(0, 3, 2, 3, 1, 3), shape: [3, 2] });
  const model = sequential([layers.gru({ units: 2 })], { inputShape: [null, 1], seed: 1 });
  const alone = rows.flatMap((row) => [...model.predict([row]).data]);
  assert.equal([...model.predict(front, { lengths: front.lengths }).data], alone);
  const behind = padSequences(rows, { dtype: "float32", padding: "post" });
  assert.equal([...model.predict(behind, { lengths: behind.lengths }).data], alone);
  refused(
    () => model.predict(front, { lengths: { data: [0, 3, 2, 1, 0, 4], shape: [3, 2] } }),
    "ERR_VALUE",
    /expected lengths of 0 ≤ first ≤ end ≤ 3, got \[2, 1\] for row 1/,
  );
});

test("errors of padSequences", () => {
  refused(() => padSequences([]), "ERR_SHAPE", /at least one/);
  refused(() => padSequences([[1], [1.5]]), "ERR_VALUE", /sequence 1: expected 32-bit integers .* got 1.5 at step 0/);
  refused(() => padSequences([[2 ** 40]]), "ERR_VALUE", /32-bit/);
  refused(() => padSequences([[1]], { value: 0.5 }), "ERR_VALUE", /integer value/);
  refused(() => padSequences([[1]], { maxlen: 0 }), "ERR_VALUE", /maxlen/);
  refused(() => padSequences([[1]], { padding: "left" as "pre" }), "ERR_OPTION", /padding "pre" or "post", got "left"/);
  refused(() => padSequences([[1]], { dtype: "int64" as "int32" }), "ERR_OPTION", /dtype/);
  refused(() => padSequences([[1]], { maxLen: 3 } as object), "ERR_OPTION", /did you mean "maxlen"/);
  refused(
    () => padSequences([[[1, 2]], [[1]]], { dtype: "float32" }),
    "ERR_SHAPE",
    /sequence 1: expected steps of shape \[2\]/,
  );
  refused(() => padSequences([1, 2]), "ERR_SHAPE", /sequence 0/);
});

test("oneHot", () => {
  assert.equal(oneHot([2, 0]), { data: Float32Array.of(0, 0, 1, 1, 0, 0), shape: [2, 3] });
  assert.equal(oneHot({ data: Uint8Array.of(1, 0), shape: [1, 2] }, 2), {
    data: Float32Array.of(0, 1, 1, 0),
    shape: [1, 2, 2],
  });
  assert.equal(oneHot([], 4).shape, [0, 4]);
  refused(
    () =>
      oneHot(
        [
          [0, 1],
          [3, 0],
        ],
        3,
      ),
    "ERR_VALUE",
    /from 0 to 2, got 3 at \[1, 0\]/,
  );
  for (const bad of [-1, 0.5, NaN]) refused(() => oneHot([bad]), "ERR_VALUE", /integers from 0, got/);
  refused(() => oneHot([0], 0), "ERR_VALUE", /at least one class/);
});

test("split keeps the order and the type", () => {
  const { train, validation } = split(Int32Array.of(1, 2, 3, 4, 5), { validation: 0.4 });
  assert.equal(train, { data: Int32Array.of(1, 2, 3), shape: [3] });
  assert.equal(validation, { data: Int32Array.of(4, 5), shape: [2] });
  const pair = split(
    {
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ],
      y: Float32Array.of(1, 2, 3, 4, 5),
    },
    { gap: 2 },
  );
  assert.equal(pair.train, {
    x: { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] },
    y: { data: Float32Array.of(1, 2), shape: [2] },
  });
  const typed: Float32Array = pair.train.y.data; // the compiler knows too
  assert.is(typed.length, 2);
  assert.equal(pair.validation, {
    x: { data: Float64Array.of(9, 10), shape: [1, 2] },
    y: { data: Float32Array.of(5), shape: [1] },
  });
});

test("split copies, and refuses what leaves a side empty", () => {
  const data = Float32Array.of(1, 2, 3);
  const { train } = split(data);
  data[0] = 9;
  assert.is(train.data[0], 1);
  refused(() => split([1]), "ERR_SHAPE", /both sides/);
  refused(() => split([1, 2, 3], { gap: 2 }), "ERR_SHAPE", /gap of 2/);
  refused(() => split({}), "ERR_SHAPE", /got 0 rows/);
  refused(() => split({ x: [1, 2, 3], y: [1, 2] }), "ERR_SHAPE", /y: expected 3 rows as in x/);
  for (const validation of [0, 1, NaN]) refused(() => split([1, 2], { validation }), "ERR_VALUE", /share/);
  refused(() => split([1, 2], { gap: -1 }), "ERR_VALUE", /gap/);
  refused(() => split([1, 2], { validaton: 0.5 } as object), "ERR_OPTION", /did you mean "validation"/);
});

test.run();
