/** What ops refuse, and how they say so; and indices that nobody can check before a run. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { jit, layers, Module, ops, valueAndGrad } from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, integers } from "../support/plain/arrays.ts";
import { refused } from "../support/refused.ts";
import { TABLE } from "./table.ts";

const test = suite("ops refuse");

const vector = floats([4]);
const matrix = floats([3, 4]);
const cube = floats([2, 3, 4]);

const refusal = (fn: (...tensors: Tensor[]) => unknown, args: unknown[], code: string, message: RegExp): void =>
  refused(() => jit(null, fn as never)(...args), code, message);

test("to be called outside a trace, each by its name", () => {
  const array = new Float32Array(4) as unknown as Tensor;
  for (const cases of Object.values(TABLE)) {
    const [{ fn, inputs }] = cases;
    refused(() => fn(...inputs.map(() => array)), "ERR_TRACE", /expected .*, got .*(jit|outside)/);
  }
  refused(
    () => ops.tanh(array),
    "ERR_TRACE",
    /^tanh: expected to be called while a function is traced, got a call outside; wrap it in jit/,
  );
  refused(() => ops.add(1, 2), "ERR_TRACE", /^add: expected to be called while/);
});

test("arrays in place of tensors", () => {
  refusal(
    (x) => ops.add(x, [1, 2, 3, 4] as never),
    [vector],
    "ERR_TRACE",
    /^add: expected a traced tensor, got an array; wrap/,
  );
  refusal((x) => ops.matmul(x, null as never), [matrix], "ERR_TRACE", /^matmul: expected a traced tensor, got null/);
  refusal((x) => ops.concat([x, 3 as never]), [matrix], "ERR_TRACE", /^concat: expected a traced tensor, got 3/);
});

test("shapes that do not broadcast", () => {
  refusal(
    (x, y) => ops.mul(x, y),
    [matrix, floats([3])],
    "ERR_SHAPE",
    /^mul: expected shapes that broadcast, got \[3, 4\] and \[3\]/,
  );
  refusal(
    (x, y) => ops.where(x, y, 0),
    [matrix, floats([2, 2])],
    "ERR_SHAPE",
    /^where: expected shapes that broadcast/,
  );
});

test("products of other extents", () => {
  refusal(
    (x, y) => ops.matmul(x, y),
    [matrix, matrix],
    "ERR_SHAPE",
    /^matmul: expected \[\.\., K\] and \[K, N\], got \[3, 4\] and \[3, 4\]/,
  );
  refusal(
    (x, y) => ops.matmul(x, y),
    [cube, floats([3, 4, 5])],
    "ERR_SHAPE",
    /^matmul: expected shapes that broadcast, got \[2\] and \[3\]/,
  );
  refusal(
    (x, y) => ops.matmul(x, y),
    [cube, cube],
    "ERR_SHAPE",
    /^matmul: expected \[\.\., M, K\] and \[\.\., K, N\], got \[2, 3, 4\] and \[2, 3, 4\]/,
  );
  refusal((x, y) => ops.matmul(x, y), [matrix, vector], "ERR_SHAPE", /^matmul: expected .*, got \[3, 4\] and \[4\]/);
});

test("axes there are not", () => {
  for (const axis of [2, -3, 0.5, NaN]) {
    refusal((x) => ops.sum(x, { axis }), [matrix], "ERR_SHAPE", /^sum: expected an axis of -2…1, got /);
    refusal((x) => ops.max(x, { axis: [0, axis] }), [matrix], "ERR_SHAPE", /^max: expected an axis of -2…1/);
    refusal((x) => ops.softmax(x, axis), [matrix], "ERR_SHAPE", /^softmax: expected an axis of -2…1/);
    refusal((x) => ops.concat([x, x], axis), [matrix], "ERR_SHAPE", /^concat: expected an axis of -2…1/);
    refusal((x) => ops.gather(x, x, axis), [matrix], "ERR_SHAPE", /^gather: expected an axis of -2…1/);
  }
  refusal((x) => ops.stack([x], 3), [matrix], "ERR_SHAPE", /^stack: expected an axis of -3…2, got 3/);
  refusal(
    (x) => ops.transpose(x, [0, 0]),
    [matrix],
    "ERR_SHAPE",
    /^transpose: expected each of 2 axes once, got \[0, 0\]/,
  );
  refusal((x) => ops.transpose(x, [0]), [matrix], "ERR_SHAPE", /^transpose: expected each of 2 axes once, got \[0\]/);
});

test("blocks, shapes and parts that do not fit", () => {
  for (const parts of [3, 0, -2, 1.5])
    refusal(
      (x) => ops.split(x, parts)[0],
      [matrix],
      "ERR_SHAPE",
      new RegExp(`^split: expected a number of parts that axis -1 of \\[3, 4\\] is a multiple of, got ${parts}$`),
    );
  refusal((x) => ops.split(x, 2, 2)[0], [matrix], "ERR_SHAPE", /^split: expected an axis of -2…1, got 2/);
  refusal(
    (x) => ops.slice(x, [0, 2], [3, 3]),
    [matrix],
    "ERR_SHAPE",
    /^slice: expected a block within \[3, 4\], got starts \[0, 2\] and sizes \[3, 3\]/,
  );
  refusal((x) => ops.slice(x, [4]), [matrix], "ERR_SHAPE", /^slice: expected a block within/);
  refusal((x) => ops.slice(x, [-4]), [matrix], "ERR_SHAPE", /^slice: expected a block within/);
  refusal((x) => ops.slice(x, [0, 0, 0]), [matrix], "ERR_SHAPE", /^slice: expected a block within/);
  refusal(
    (x) => ops.slice(x, [0.5]),
    [matrix],
    "ERR_SHAPE",
    /^slice: expected starts as a list of whole numbers, got \[0\.5\]/,
  );
  refusal(
    (x) => ops.reshape(x, [5, -1]),
    [matrix],
    "ERR_SHAPE",
    /^reshape: expected 12 elements, as \[3, 4\] has, got shape \[5, -1\]/,
  );
  refusal((x) => ops.reshape(x, [-1, -1]), [matrix], "ERR_SHAPE", /^reshape: /);
  refusal((x) => ops.reshape(x, [-3, -4]), [matrix], "ERR_SHAPE", /^reshape: /);
  refusal(
    (x, y) => ops.concat([x, y], 0),
    [matrix, floats([3, 5])],
    "ERR_SHAPE",
    /^concat: expected shapes equal but along axis 0, got \[3, 4\] and \[3, 5\]/,
  );
  refusal(() => ops.concat([]), [], "ERR_SHAPE", /^concat: expected at least one tensor, got none/);
  refusal(() => ops.stack([]), [], "ERR_SHAPE", /^stack: expected at least one tensor, got none/);
  refusal((x, y) => ops.stack([x, y]), [matrix, vector], "ERR_SHAPE", /^(stack|concat): expected/);
});

test("rates and depths out of range", () => {
  for (const rate of [1, -0.1, NaN])
    refusal((x) => ops.dropout(x, rate), [matrix], "ERR_VALUE", /^dropout: expected a rate of 0 ≤ rate < 1, got /);
  for (const depth of [0, 1.5, -1])
    refusal(
      (x) => ops.oneHot(x, depth),
      [integers([1], [0])],
      "ERR_VALUE",
      /^oneHot: expected a depth of at least 1, got /,
    );
});

test.run();

eachBackend("indices", (edge) => {
  const table = floats([3, 2]);

  edge("of inputs are checked before every run, in any view of them", () => {
    const direct = jit(null, (x: Tensor, i: Tensor) => ops.gather(x, i));
    const viewed = jit(null, (x: Tensor, i: Tensor) => ops.gather(x, ops.reshape(i, [2, 1])));
    for (const take of [direct, viewed]) {
      take(table, Int32Array.of(0, 2));
      refused(
        () => take(table, Int32Array.of(0, 3)),
        "ERR_VALUE",
        /^jit: input 1: expected indices of 0…2, got 3 at \[1\]/,
      );
      refused(() => take(table, Int32Array.of(-1, 0)), "ERR_VALUE", /expected indices of 0…2, got -1 at \[0\]/);
      refused(() => take(table, Float32Array.of(0.5, 0)), "ERR_VALUE", /expected indices of 0…2, got 0.5 at \[0\]/);
    }
    assert.equal(
      [...direct(table, Int32Array.of(0, 2)).data],
      [0, 1, 4, 5].map((i) => table.data[i]),
    );
  });

  edge("that are computed are taken to the nearest end, and write nowhere else", () => {
    const step = valueAndGrad(
      null,
      (x: Tensor, i: Tensor) => {
        const far = ops.mul(i, 1e6);
        return [ops.sum(ops.gather(x, far)), [ops.gather(x, far), ops.oneHot(far, 3)]];
      },
      { aux: true, inputs: true },
    );
    const {
      aux: [rows, hot],
      inputGrads,
    } = step(table, [1, -1, 0, NaN]);
    assert.equal(
      [...rows.data],
      [4, 5, 0, 1, 0, 1, 0, 1].map((i) => table.data[i]),
    );
    assert.equal([...hot.data], [0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
    assert.equal([...inputGrads[0].data], [3, 3, 0, 0, 1, 1]);
  });

  edge("of tokens and lengths likewise", () => {
    class Sliced extends Module {
      embedding = layers.embedding({ inputDim: 5, outputDim: 2 });
      rnn = layers.gru({ units: 3, returnSequences: true });
      override call(x: Tensor, lengths: Tensor): Tensor {
        const tokens = ops.slice(x, [0, 1], [2, 3]);
        return this.rnn.call(this.embedding.call(tokens), { lengths: ops.mul(lengths, 2) });
      }
    }
    const module = new Sliced({ seed: 1 });
    const run = jit(module, (x: Tensor, lengths: Tensor) => module.call(x, lengths));
    const wild = run(integers([2, 4], [0, 99, -99, 3, 0, 2, 1, 0]), Int32Array.of(70, -70));
    const tame = run(integers([2, 4], [0, 4, 0, 3, 0, 2, 1, 0]), Float32Array.of(1.5, 0));
    assert.equal([...wild.data], [...tame.data]);
    assert.ok(tame.data.slice(0, 9).every((value: number) => value !== 0));
    assert.ok(tame.data.slice(9).every((value: number) => value === 0));
    module.dispose();
  });
});
