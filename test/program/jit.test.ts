/** Functions of arrays from functions of tensors: what jit takes, gives, keeps and refuses, and what tracing allows. */
import * as assert from "uvu/assert";
import { Module, jit, layers, ops, optimizers, sequential, trainStep, valueAndGrad } from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { eachBackend } from "../support/backends.ts";
import { Line } from "../support/line.ts";
import { same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

/** A function that counts how often it is traced. */
function counted<F extends (...args: any[]) => unknown>(fn: F): F & { traces: number } {
  const counting = Object.assign(
    (...args: unknown[]) => {
      counting.traces++;
      return fn(...args);
    },
    { traces: 0 },
  );
  return counting as never;
}

eachBackend("jit", (test) => {
  test("takes arrays of every kind and gives arrays, numbers for scalars", () => {
    const twice = jit(null, (x: Tensor) => ops.mul(x, 2));
    const expected = { data: Float32Array.of(2, 4), shape: [2] };
    for (const x of [
      [1, 2],
      Float32Array.of(1, 2),
      Float64Array.of(1, 2),
      Int8Array.of(1, 2),
      { data: [1, 2], shape: [2] },
    ])
      assert.equal(twice(x), expected);
    assert.equal(
      twice([
        [1, 2],
        [3, 4],
      ]),
      { data: Float32Array.of(2, 4, 6, 8), shape: [2, 2] },
    );
    assert.is(twice(21), 42);
    assert.is(jit(null, (x: Tensor) => ops.sum(x))([1, 2, 3]), 6);
    assert.equal(jit(null, (x: Tensor) => ops.argmax(x))([[1, 3, 2]]), { data: Int32Array.of(1), shape: [1] });
  });

  test("takes lists and records of them, and gives what the function returns", () => {
    const fn = jit(null, ({ a, list: [b, { c }] }: any, d: Tensor) => ({
      sum: ops.add(a, b),
      more: [ops.mul(c, d), { kept: a }],
      name: "x",
      none: null,
      three: 3,
    }));
    const result = fn({ a: [1, 2], list: [Float32Array.of(10, 20), { c: 3 }] }, [5, 6]);
    assert.equal(result, {
      sum: { data: Float32Array.of(11, 22), shape: [2] },
      more: [{ data: Float32Array.of(15, 18), shape: [2] }, { kept: { data: Float32Array.of(1, 2), shape: [2] } }],
      name: "x",
      none: null,
      three: 3,
    });
  });

  test("gives the caller's own copies", () => {
    const fn = jit(null, (x: Tensor) => [x, ops.reshape(x, [2, 1])]);
    const x = Float32Array.of(1, 2);
    const first = fn(x);
    x[0] = 9;
    first[0].data[1] = 8;
    assert.equal(fn(Float32Array.of(3, 4))[1], { data: Float32Array.of(3, 4), shape: [2, 1] });
    same(first[0].data, [1, 8]);
    same(first[1].data, [1, 2]);
  });

  test("traces once per shape, type and structure; numbers are data, strings and booleans are not", () => {
    const inner = counted((x: Tensor, scale: Tensor, { mode, flip }: any = {}) => {
      const y = ops.mul(mode === "square" ? ops.square(x) : x, scale);
      return flip ? ops.neg(y) : y;
    });
    const fn = jit(null, inner);
    same(fn([1, 2], 2).data, [2, 4]);
    same(fn([3, 4], 3.5).data, [10.5, 14]);
    same(fn(Float32Array.of(5, 6), -1).data, [-5, -6]);
    assert.is(inner.traces, 1);
    same(fn([1, 2], 2, { mode: "square" }).data, [2, 8]);
    assert.is(inner.traces, 2);
    same(fn([1, 2], 2, { mode: "square", flip: true }).data, [-2, -8]);
    same(fn([1, 2], 4, { mode: "square", flip: true }).data, [-4, -16]);
    assert.is(inner.traces, 3);
    same(fn([1, 2, 3], 2).data, [2, 4, 6]);
    fn(Int32Array.of(1, 2), 2);
    fn([[1, 2]], 2);
    assert.is(inner.traces, 6);
    fn([7, 8], 2);
    fn([1, 2], 2, { mode: "square" });
    assert.is(inner.traces, 6);
  });

  test("sees shapes, so that loops unroll and branches are on them", () => {
    const fn = jit(null, (x: Tensor) => {
      let sum = ops.reshape(ops.slice(x, [0], [1]), []);
      for (let i = 1; i < x.shape[0]; i++) sum = ops.add(ops.mul(sum, 10), ops.reshape(ops.slice(x, [i], [1]), []));
      return x.rank === 1 && x.size > 2 ? sum : ops.neg(sum);
    });
    assert.is(fn([1, 2, 3]), 123);
    assert.is(fn([1, 2]), -12);
  });

  test("gives one tensor several times, inputs and constants too", () => {
    const fn = jit(null, (x: Tensor) => {
      const y = ops.add(x, 1);
      return [y, y, x, ops.reshape(y, [1, 2])];
    });
    assert.equal(
      fn([1, 2]).map(({ data }: { data: Float32Array }) => [...data]),
      [
        [2, 3],
        [2, 3],
        [1, 2],
        [2, 3],
      ],
    );
  });

  test("runs a module with the training flag off, or on when asked", () => {
    const model = sequential([layers.dropout({ rate: 0.5 })], { inputShape: [64], seed: 1 });
    const x = new Float32Array(64).fill(1);
    const call = (t: Tensor) => model.call(t);
    same(jit(model, call)({ data: x, shape: [1, 64] }).data, x);
    const dropped = jit(model, call, { training: true })({ data: x, shape: [1, 64] }).data as Float32Array;
    assert.ok(dropped.includes(0) && dropped.includes(2));
    model.dispose();
  });

  test("refuses what is no array, unknown options and tensors", () => {
    const fn = jit(null, (x: Tensor) => ops.mul(x, 2));
    refused(() => fn(() => 1), "ERR_VALUE", /^jit: argument 0: expected an array, a number, .* got function/);
    refused(() => fn({ a: new Map() }), "ERR_VALUE", /^jit: argument 0\.a: expected an array/);
    refused(() => fn([[1, 2], [3]]), "ERR_SHAPE", /^jit: argument 0: expected nested arrays of shape \[2, 2\]/);
    refused(
      () => jit(null, (x: Tensor) => x, { trainin: true } as never),
      "ERR_OPTION",
      /^jit: expected one of .* got "trainin", did you mean "training"\?/,
    );
    refused(
      () => jit(null, (x: Tensor) => fn(x))([1]),
      "ERR_TRACE",
      /^jit: argument 0: expected an array, got a traced tensor/,
    );
  });
});

eachBackend("traced tensors", (test) => {
  const reading =
    (read: (x: Tensor) => unknown): (() => unknown) =>
    () =>
      jit(null, (x: Tensor) => {
        read(x);
        return x;
      })([1, 2]);

  test("cannot be read", () => {
    const message =
      /^tensor: expected an op, got an attempt to .* a traced tensor, which has a shape but no values yet; use ops\.gather or ops\.slice for a part, ops\.where/;
    const reads: Record<string, (x: any) => unknown> = {
      "+x": (x) => +x,
      "x + 1": (x) => x + 1,
      "`${x}`": (x) => `${x}`,
      "x > 0": (x) => x > 0,
      "x.data": (x) => x.data,
      "x[0]": (x) => x[0],
      "[...x]": (x) => [...x],
      "for of": (x) => {
        for (const _ of x) break;
      },
      "Math.max": (x) => Math.max(x, 0),
      JSON: (x) => JSON.stringify({ x }),
    };
    for (const [what, read] of Object.entries(reads)) {
      try {
        refused(reading(read), "ERR_TRACE", message);
      } catch (error) {
        throw new Error(`${what}: ${(error as Error).message}`);
      }
    }
  });

  test("can be asked for shape, rank and size", () => {
    assert.is(jit(null, (x: Tensor) => [x.shape, x.rank, x.size, x.dtype].join(" "))([[1, 2]]), "1,2 2 2 f32");
  });

  test("belong to one trace", () => {
    let kept: Tensor | undefined;
    const keep = jit(null, (x: Tensor) => (kept = ops.mul(x, 2)));
    keep([1, 2]);
    refused(
      () => jit(null, (x: Tensor) => ops.add(x, kept!))([1, 2]),
      "ERR_TRACE",
      /^add: expected a tensor of the function that is traced now, got one of another; pass it as an argument/,
    );
    refused(() => jit(null, () => kept)(), "ERR_TRACE", /expected .* traced now, got .* another/);
    refused(() => ops.tanh(kept!), "ERR_TRACE", /^tanh: expected to be called while a function is traced/);
  });

  test("do not wait", () => {
    const wait = async (x: Tensor) => x;
    refused(
      () => jit(null, wait as never)([1]),
      "ERR_TRACE",
      /^jit: expected a function that returns tensors, got one that returns a promise/,
    );
    refused(() => valueAndGrad(null, wait as never)([1]), "ERR_TRACE", /^valueAndGrad: expected .* promise/);
  });

  test("leave no open trace behind when the function throws", () => {
    const thrown = new Error("mine");
    assert.throws(
      () =>
        jit(null, () => {
          throw thrown;
        })([1]),
      (error: unknown) => error === thrown,
    );
    refused(() => ops.add(1, 2), "ERR_TRACE", /called while a function is traced/);
    const flaky = counted((x: Tensor) => {
      if (flaky.traces === 1) throw thrown;
      return ops.mul(x, 2);
    });
    const fn = jit(null, flaky);
    assert.throws(() => fn(1));
    assert.is(fn(1), 2);
  });
});

eachBackend("modules of other roots", (test, _build, backend) => {
  const message =
    /expected every module that the function calls to be part of the module it was made with, got a weight of shape \[3, 2\] of another/;
  const x = [[1, 2, 3]];

  test("are refused, built or not, and nothing is left of the attempt", () => {
    const fresh = new Line({ seed: 1 });
    const built = new Line({ seed: 1 });
    built.predict(x);
    const own = new Line({ seed: 2 });
    own.predict(x);
    const before = backend.arena.bytes;
    for (const other of [fresh, built]) {
      const call = (t: Tensor): Tensor => other.call(t);
      const loss = (t: Tensor): Tensor => ops.sum(other.call(t));
      refused(() => jit(null, call)(x), "ERR_STATE", message);
      refused(() => jit(own, call)(x), "ERR_STATE", message);
      refused(() => valueAndGrad(own, loss)(x), "ERR_STATE", message);
      refused(() => valueAndGrad(null, loss)(x), "ERR_STATE", message);
      refused(() => trainStep(own, optimizers.sgd(), loss)(x), "ERR_STATE", message);
    }
    assert.is(backend.arena.bytes, before);
    assert.not.ok(fresh.built);
    own.dispose();
    built.dispose();
  });

  test("are not those below or inside the root", () => {
    class Pair extends Module {
      list = [new Line(), new Line()];
      override call(t: Tensor): Tensor {
        return this.list[1].call(this.list[0].call(t));
      }
    }
    const pair = new Pair({ seed: 1 });
    const whole = jit(pair, (t: Tensor) => pair.call(t))(x);
    const parts = jit(pair, (t: Tensor) => pair.list[1].dense.call(pair.list[0].call(t)))(x);
    same(parts.data, whole.data);
    pair.dispose();
  });
});
