/** Your own functions: jit, valueAndGrad and trainStep, what they take, give, keep and refuse. */
import * as assert from "uvu/assert";
import { Module, NonFiniteError, jit, layers, ops, optimizers, sequential, trainStep, valueAndGrad } from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/program/tensor.ts";
import { eachBackend } from "../support/backends.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

/** A function that counts how often it is traced. */
function counted<F extends (...args: any[]) => unknown>(fn: F): F & { traces: number } {
  const counting = Object.assign((...args: unknown[]) => {
    counting.traces++;
    return fn(...args);
  }, { traces: 0 });
  return counting as never;
}

class Line extends Module {
  dense = layers.dense({ units: 2 });
  override call(x: Tensor): Tensor { return this.dense.call(x); }
}

const mse = (y: Tensor, p: Tensor): Tensor => ops.mean(ops.square(ops.sub(p, y)));

eachBackend("jit", (test) => {
  test("takes arrays of every kind and gives arrays, numbers for scalars", () => {
    const twice = jit(null, (x: Tensor) => ops.mul(x, 2));
    const expected = { data: Float32Array.of(2, 4), shape: [2] };
    for (const x of [[1, 2], Float32Array.of(1, 2), Float64Array.of(1, 2), Int8Array.of(1, 2), { data: [1, 2], shape: [2] }]) assert.equal(twice(x), expected);
    assert.equal(twice([[1, 2], [3, 4]]), { data: Float32Array.of(2, 4, 6, 8), shape: [2, 2] });
    assert.is(twice(21), 42);
    assert.is(jit(null, (x: Tensor) => ops.sum(x))([1, 2, 3]), 6);
    assert.equal(jit(null, (x: Tensor) => ops.argmax(x))([[1, 3, 2]]), { data: Int32Array.of(1), shape: [1] });
  });

  test("takes lists and records of them, and gives what the function returns", () => {
    const fn = jit(null, ({ a, list: [b, { c }] }: any, d: Tensor) => ({ sum: ops.add(a, b), more: [ops.mul(c, d), { kept: a }], name: "x", none: null, three: 3 }));
    const result = fn({ a: [1, 2], list: [Float32Array.of(10, 20), { c: 3 }] }, [5, 6]);
    assert.equal(result, {
      sum: { data: Float32Array.of(11, 22), shape: [2] },
      more: [{ data: Float32Array.of(15, 18), shape: [2] }, { kept: { data: Float32Array.of(1, 2), shape: [2] } }],
      name: "x", none: null, three: 3,
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
    assert.equal(fn([1, 2]).map(({ data }: { data: Float32Array }) => [...data]), [[2, 3], [2, 3], [1, 2], [2, 3]]);
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
    refused(() => jit(null, (x: Tensor) => x, { trainin: true } as never), "ERR_OPTION", /^jit: expected one of .* got "trainin", did you mean "training"\?/);
    refused(() => jit(null, (x: Tensor) => fn(x))([1]), "ERR_TRACE", /^jit: argument 0: expected an array, got a traced tensor/);
  });
});

eachBackend("traced tensors", (test) => {
  const reading = (read: (x: Tensor) => unknown): (() => unknown) => () => jit(null, (x: Tensor) => {
    read(x);
    return x;
  })([1, 2]);

  test("cannot be read", () => {
    const message = /^tensor: expected an op, got an attempt to .* a traced tensor, which has a shape but no values yet; use ops\.where/;
    const reads: Record<string, (x: any) => unknown> = {
      "+x": (x) => +x, "x + 1": (x) => x + 1, "`${x}`": (x) => `${x}`, "x > 0": (x) => x > 0, "x.data": (x) => x.data, "[...x]": (x) => [...x],
      "for of": (x) => { for (const _ of x) break; }, "Math.max": (x) => Math.max(x, 0), "JSON": (x) => JSON.stringify({ x }),
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
    refused(() => jit(null, (x: Tensor) => ops.add(x, kept!))([1, 2]), "ERR_TRACE", /^add: expected a tensor of the function that is traced now, got one of another; pass it as an argument/);
    refused(() => jit(null, () => kept)(), "ERR_TRACE", /expected .* traced now, got .* another/);
    refused(() => ops.tanh(kept!), "ERR_TRACE", /^tanh: expected to be called while a function is traced/);
  });

  test("do not wait", () => {
    const wait = async (x: Tensor) => x;
    refused(() => jit(null, wait as never)([1]), "ERR_TRACE", /^jit: expected a function that returns tensors, got one that returns a promise/);
    refused(() => valueAndGrad(null, wait as never)([1]), "ERR_TRACE", /^valueAndGrad: expected .* promise/);
  });

  test("leave no open trace behind when the function throws", () => {
    const thrown = new Error("mine");
    assert.throws(() => jit(null, () => { throw thrown; })([1]), (error: unknown) => error === thrown);
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
  const message = /expected every module that the function calls to be part of the module it was made with, got a weight of shape \[3, 2\] of another/;
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
      override call(t: Tensor): Tensor { return this.list[1].call(this.list[0].call(t)); }
    }
    const pair = new Pair({ seed: 1 });
    const whole = jit(pair, (t: Tensor) => pair.call(t))(x);
    const parts = jit(pair, (t: Tensor) => pair.list[1].dense.call(pair.list[0].call(t)))(x);
    same(parts.data, whole.data);
    pair.dispose();
  });
});

eachBackend("valueAndGrad", (test, _build, backend) => {
  const x = [[1, 2, 3], [4, 5, 6]];
  const y = [[1, 0], [0, 1]];

  test("gives value and gradients by the weights' names and shapes", () => {
    const module = new Line({ seed: 1 });
    const step = valueAndGrad(module, (a: Tensor, b: Tensor) => mse(b, module.call(a)));
    const { value, grads, ...rest } = step(x, y);
    assert.equal(rest, {});
    const weights = module.getWeights();
    assert.equal(Object.keys(grads), Object.keys(weights));
    for (const name of Object.keys(weights)) assert.equal(grads[name].shape, weights[name].shape);
    const { data: p } = module.predict(x);
    const errors = [...p].map((value, i) => value - y.flat()[i]);
    close([value], [errors.reduce((sum, e) => sum + e * e, 0) / 4], 1e-6);
    close(grads["dense/bias"].data, [(errors[0] + errors[2]) / 2, (errors[1] + errors[3]) / 2], 1e-6);
    const again = step(x, y);
    same(again.grads["dense/kernel"].data, grads["dense/kernel"].data);
    assert.is.not(again.grads["dense/kernel"].data, grads["dense/kernel"].data, "copies");
    module.dispose();
  });

  test("gives gradients beside the arguments, null for integers, numbers for numbers", () => {
    const step = valueAndGrad(null, ({ a, more: [b, i] }: any, scale: Tensor) => ops.sum(ops.mul(ops.mul(ops.gather(a, i), b), scale)), { inputs: true });
    const { value, inputGrads } = step({ a: [1, 2, 3], more: [[10, 20], Int32Array.of(2, 0)] }, 2);
    assert.is(value, 100);
    assert.equal(inputGrads, [
      { a: { data: Float32Array.of(40, 0, 20), shape: [3] }, more: [{ data: Float32Array.of(6, 2), shape: [2] }, null] },
      50,
    ]);
  });

  test("hands on more with aux", () => {
    const step = valueAndGrad(null, (a: Tensor) => [ops.sum(a), { twice: ops.mul(a, 2), name: "more", list: [ops.mean(a)] }], { aux: true, inputs: true });
    const { value, aux, inputGrads } = step([1, 2, 3]);
    assert.is(value, 6);
    assert.equal(aux, { twice: { data: Float32Array.of(2, 4, 6), shape: [3] }, name: "more", list: [2] });
    same(inputGrads[0].data, [1, 1, 1]);
  });

  test("takes a scalar of one element, and an input itself", () => {
    same(valueAndGrad(null, (a: Tensor) => ops.mean(a, { axis: 0, keepDims: true }), { inputs: true })([2, 4]).inputGrads[0].data, [0.5, 0.5]);
    const identity = valueAndGrad(null, (a: Tensor) => a, { inputs: true })(3);
    assert.equal([identity.value, identity.inputGrads], [3, [1]]);
  });

  test("trains by default: dropout acts, unless told otherwise", () => {
    const model = sequential([layers.dropout({ rate: 0.5 })], { inputShape: [100], seed: 1 });
    const ones = { data: new Float32Array(100).fill(1), shape: [1, 100] };
    const sum = (a: Tensor): Tensor => ops.sum(model.call(a));
    assert.is(valueAndGrad(model, sum, { training: false })(ones).value, 100);
    const step = valueAndGrad(model, sum, { inputs: true });
    const first = step(ones);
    assert.is.not(first.value, 100);
    close([first.inputGrads[0].data.reduce((a: number, b: number) => a + b)], [first.value], 1e-6, "the gradient is the mask");
    model.dispose();
  });

  test("that fails leaves nothing of a module that was new", () => {
    const module = new Line({ seed: 1 });
    const before = backend.arena.bytes;
    refused(() => valueAndGrad(module, (a: Tensor) => module.call(a))(x), "ERR_TRACE", /expected the function to return a scalar/);
    assert.is(backend.arena.bytes, before);
    assert.not.ok(module.built);
    assert.is(module.predict(x).shape[1], 2);
    module.dispose();
    assert.is(backend.arena.bytes, before);
  });

  test("refuses functions that give no scalar", () => {
    refused(() => valueAndGrad(null, (a: Tensor) => a)([1, 2]), "ERR_TRACE", /^valueAndGrad: expected the function to return a scalar to differentiate, got shape \[2\]/);
    refused(() => valueAndGrad(null, (a: Tensor) => [ops.sum(a), a])([1, 2]), "ERR_TRACE", /got a list; say aux: true/);
    refused(() => valueAndGrad(null, (a: Tensor) => ops.sum(a), { aux: true })([1, 2]), "ERR_TRACE", /expected the function to return \[scalar, more\]/);
    refused(() => valueAndGrad(null, () => 3)([1]), "ERR_TRACE", /expected the function to return a scalar tensor, got number/);
    refused(() => valueAndGrad(null, (a: Tensor) => ops.argmax(a))([1]), "ERR_TRACE", /expected the function to return a scalar to differentiate/);
    refused(() => valueAndGrad(null, (a: Tensor) => a, { input: true } as never), "ERR_OPTION", /did you mean "inputs"\?/);
  });
});

eachBackend("trainStep", (test) => {
  const x = [[1, 2, 3], [4, 5, 6]];
  const y = [[1, 0], [0, 1]];

  test("does what valueAndGrad and apply do, in one program", () => {
    const [one, two] = [new Line({ seed: 1 }), new Line({ seed: 1 })];
    const step = trainStep(one, optimizers.adam({ learningRate: 0.05 }), (a: Tensor, b: Tensor) => mse(b, one.call(a)));
    const grad = valueAndGrad(two, (a: Tensor, b: Tensor) => mse(b, two.call(a)));
    const adam = optimizers.adam({ learningRate: 0.05 });
    for (let i = 0; i < 5; i++) {
      const { value, grads } = grad(x, y);
      adam.apply(two, grads);
      assert.equal(step(x, y), { value });
    }
    for (const [name, { data }] of Object.entries(one.getWeights())) same(data, two.getWeights()[name].data, name);
    assert.ok(one.predict(x).data.every((value, i) => value === two.predict(x).data[i]), "panels follow");
    one.dispose();
    two.dispose();
  });

  test("hands on more, a list of numbers for scalars", () => {
    const module = new Line({ seed: 1 });
    const step = trainStep(module, optimizers.sgd(), (a: Tensor, b: Tensor) => {
      const p = module.call(a);
      return [mse(b, p), { p, error: ops.mean(ops.abs(ops.sub(p, b))) }];
    });
    const before = module.predict(x).data;
    const { value, aux } = step(x, y);
    assert.type(value, "number");
    assert.type(aux.error, "number");
    same(aux.p.data, before, "of the step, before the update");
    module.dispose();
  });

  test("leaves weights as they were when something is not finite, and goes on after", () => {
    const module = new Line({ seed: 1 });
    const step = trainStep(module, optimizers.adam(), (a: Tensor, b: Tensor) => mse(b, module.call(a)));
    step(x, y);
    const before = module.getWeights();
    let error: NonFiniteError | undefined;
    try {
      step([[1, NaN, 3], [4, 5, 6]], y);
    } catch (thrown) {
      error = thrown as NonFiniteError;
    }
    assert.instance(error, NonFiniteError);
    assert.match(error!.message, /^trainStep: expected a finite value and gradients, got value NaN in call 2; the weights are those before it/);
    for (const [name, { data }] of Object.entries(module.getWeights())) same(data, before[name].data, name);
    refused(() => step([[1e38, 1e38, 1e38], [4, 5, 6]], y), "ERR_NON_FINITE", /got value Infinity/);
    for (const [name, { data }] of Object.entries(module.getWeights())) same(data, before[name].data, name);
    assert.ok(Number.isFinite(step(x, y).value));
    assert.is.not(module.getWeights()["dense/bias"].data[0], before["dense/bias"].data[0]);
    module.dispose();
  });

  test("catches a gradient that is not finite where the value is", () => {
    const module = new Line({ seed: 1 });
    const step = trainStep(module, optimizers.sgd(), (a: Tensor) => ops.sum(ops.sqrt(ops.mul(module.call(a), 0))));
    module.predict(x);
    const before = module.getWeights();
    refused(() => step(x), "ERR_NON_FINITE", /got value 0 in call 1/);
    same(module.getWeights()["dense/kernel"].data, before["dense/kernel"].data);
    module.dispose();
  });

  test("draws other dropout in every step, the same in every run of one seed", () => {
    const run = (seed: number): number[] => {
      const model = sequential([layers.dense({ units: 16 }), layers.dropout({ rate: 0.5 }), layers.lstm({ units: 4, dropout: 0.2, recurrentDropout: 0.3, returnSequences: true })], { seed });
      const step = trainStep(model, optimizers.sgd({ learningRate: 0 }), (a: Tensor) => ops.mean(ops.square(model.call(a))));
      const values = Array.from({ length: 6 }, () => step([[[1, 2], [3, 4], [5, 6]]]).value);
      model.dispose();
      return values;
    };
    const values = run(7);
    assert.is(new Set(values).size, 6);
    assert.equal(run(7), values);
    assert.ok(run(8).every((value, i) => value !== values[i]));
  });

  test("refuses no module, unknown options and a module disposed of", () => {
    refused(() => trainStep(null as never, optimizers.sgd(), () => 0), "ERR_STATE", /^trainStep: expected a module to train, got null/);
    const module = new Line();
    refused(() => trainStep(module, optimizers.sgd(), () => 0, { auxiliary: true } as never), "ERR_OPTION", /^trainStep: expected one of the options training, aux, got "auxiliary"/);
    const step = trainStep(module, optimizers.sgd(), (a: Tensor) => ops.sum(module.call(a)));
    step(x);
    module.dispose();
    refused(() => step(x), "ERR_DISPOSED", /^Line: expected a live model, got one that was disposed of/);
  });
});
