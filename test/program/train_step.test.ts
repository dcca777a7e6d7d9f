/** valueAndGrad and trainStep: what they give, by which names, and what a failed step leaves. */
import * as assert from "uvu/assert";
import { NonFiniteError, layers, ops, optimizers, sequential, trainStep, valueAndGrad } from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { eachBackend } from "../support/backends.ts";
import { Line, mse } from "../support/line.ts";
import { close, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

eachBackend("valueAndGrad", (test, _build, backend) => {
  const x = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const y = [
    [1, 0],
    [0, 1],
  ];

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
    const step = valueAndGrad(
      null,
      ({ a, more: [b, i] }: any, scale: Tensor) => ops.sum(ops.mul(ops.mul(ops.gather(a, i), b), scale)),
      { inputs: true },
    );
    const { value, inputGrads } = step({ a: [1, 2, 3], more: [[10, 20], Int32Array.of(2, 0)] }, 2);
    assert.is(value, 100);
    assert.equal(inputGrads, [
      {
        a: { data: Float32Array.of(40, 0, 20), shape: [3] },
        more: [{ data: Float32Array.of(6, 2), shape: [2] }, null],
      },
      50,
    ]);
  });

  test("hands on more with aux", () => {
    const step = valueAndGrad(
      null,
      (a: Tensor) => [ops.sum(a), { twice: ops.mul(a, 2), name: "more", list: [ops.mean(a)] }],
      { aux: true, inputs: true },
    );
    const { value, aux, inputGrads } = step([1, 2, 3]);
    assert.is(value, 6);
    assert.equal(aux, { twice: { data: Float32Array.of(2, 4, 6), shape: [3] }, name: "more", list: [2] });
    same(inputGrads[0].data, [1, 1, 1]);
  });

  test("takes a scalar of one element, and an input itself", () => {
    same(
      valueAndGrad(null, (a: Tensor) => ops.mean(a, { axis: 0, keepDims: true }), { inputs: true })([2, 4])
        .inputGrads[0].data,
      [0.5, 0.5],
    );
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
    close(
      [first.inputGrads[0].data.reduce((a: number, b: number) => a + b)],
      [first.value],
      1e-6,
      "the gradient is the mask",
    );
    model.dispose();
  });

  test("that fails leaves nothing of a module that was new", () => {
    const module = new Line({ seed: 1 });
    const before = backend.arena.bytes;
    refused(
      () => valueAndGrad(module, (a: Tensor) => module.call(a))(x),
      "ERR_TRACE",
      /expected the function to return a scalar/,
    );
    assert.is(backend.arena.bytes, before);
    assert.not.ok(module.built);
    assert.is(module.predict(x).shape[1], 2);
    module.dispose();
    assert.is(backend.arena.bytes, before);
  });

  test("refuses functions that give no scalar", () => {
    refused(
      () => valueAndGrad(null, (a: Tensor) => a)([1, 2]),
      "ERR_TRACE",
      /^valueAndGrad: expected the function to return a scalar to differentiate, got shape \[2\]/,
    );
    refused(() => valueAndGrad(null, (a: Tensor) => [ops.sum(a), a])([1, 2]), "ERR_TRACE", /got a list; say aux: true/);
    refused(
      () => valueAndGrad(null, (a: Tensor) => ops.sum(a), { aux: true })([1, 2]),
      "ERR_TRACE",
      /expected the function to return \[scalar, more\]/,
    );
    refused(
      () => valueAndGrad(null, () => 3)([1]),
      "ERR_TRACE",
      /expected the function to return a scalar tensor, got number/,
    );
    refused(
      () => valueAndGrad(null, (a: Tensor) => ops.argmax(a))([1]),
      "ERR_TRACE",
      /expected the function to return a scalar to differentiate/,
    );
    refused(
      () => valueAndGrad(null, (a: Tensor) => a, { input: true } as never),
      "ERR_OPTION",
      /did you mean "inputs"\?/,
    );
  });
});

eachBackend("trainStep", (test) => {
  const x = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const y = [
    [1, 0],
    [0, 1],
  ];

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
    assert.ok(
      one.predict(x).data.every((value, i) => value === two.predict(x).data[i]),
      "panels follow",
    );
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
      step(
        [
          [1, NaN, 3],
          [4, 5, 6],
        ],
        y,
      );
    } catch (thrown) {
      error = thrown as NonFiniteError;
    }
    assert.instance(error, NonFiniteError);
    assert.match(
      error!.message,
      /^trainStep: expected a finite value and gradients, got value NaN in call 2; the weights are those before it/,
    );
    for (const [name, { data }] of Object.entries(module.getWeights())) same(data, before[name].data, name);
    refused(
      () =>
        step(
          [
            [1e38, 1e38, 1e38],
            [4, 5, 6],
          ],
          y,
        ),
      "ERR_NON_FINITE",
      /got value Infinity/,
    );
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
      const model = sequential(
        [
          layers.dense({ units: 16 }),
          layers.dropout({ rate: 0.5 }),
          layers.lstm({ units: 4, dropout: 0.2, recurrentDropout: 0.3, returnSequences: true }),
        ],
        { seed },
      );
      const step = trainStep(model, optimizers.sgd({ learningRate: 0 }), (a: Tensor) =>
        ops.mean(ops.square(model.call(a))),
      );
      const values = Array.from(
        { length: 6 },
        () =>
          step([
            [
              [1, 2],
              [3, 4],
              [5, 6],
            ],
          ]).value,
      );
      model.dispose();
      return values;
    };
    const values = run(7);
    assert.is(new Set(values).size, 6);
    assert.equal(run(7), values);
    assert.ok(run(8).every((value, i) => value !== values[i]));
  });

  test("refuses no module, unknown options and a module disposed of", () => {
    refused(
      () => trainStep(null as never, optimizers.sgd(), () => 0),
      "ERR_STATE",
      /^trainStep: expected a module to train, got null/,
    );
    const module = new Line();
    refused(
      () => trainStep(module, optimizers.sgd(), () => 0, { auxiliary: true } as never),
      "ERR_OPTION",
      /^trainStep: expected one of the options training, aux, got "auxiliary"/,
    );
    const step = trainStep(module, optimizers.sgd(), (a: Tensor) => ops.sum(module.call(a)));
    step(x);
    module.dispose();
    refused(() => step(x), "ERR_DISPOSED", /^Line: expected a live model, got one that was disposed of/);
  });
});
