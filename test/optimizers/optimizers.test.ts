/** Optimizers against their formulas in plain JavaScript, over twenty updates, in both conventions. */
import * as assert from "uvu/assert";
import {
  layers,
  ops,
  optimizers,
  sequential,
  trainStep,
  type NDArray,
  type Optimizer,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { close, real, same } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

type Options = Record<string, any>;

/** The update number t, from 1, of one weight, whose slots are in `s`. */
type Rule = (w: number, g: number, t: number, s: Record<string, number>, o: Options) => number;

const keras: Record<string, Rule> = {
  sgd(w, g, t, s, { learningRate: lr = 0.01, momentum = 0, nesterov, dampening = 0, weightDecay = 0 }) {
    w -= lr * weightDecay * w;
    if (momentum === 0) return w - lr * g;
    s.v = momentum * (s.v ?? 0) - lr * (t === 1 ? 1 : 1 - dampening) * g;
    return nesterov ? w + momentum * s.v - lr * g : w + s.v;
  },
  rmsprop(
    w,
    g,
    _t,
    s,
    { learningRate: lr = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered, weightDecay = 0 },
  ) {
    w -= lr * weightDecay * w;
    s.v = rho * (s.v ?? 0) + (1 - rho) * g * g;
    s.a = centered ? rho * (s.a ?? 0) + (1 - rho) * g : 0;
    const step = (lr * g) / Math.sqrt(s.v - s.a * s.a + epsilon);
    if (momentum === 0) return w - step;
    s.m = momentum * (s.m ?? 0) + step;
    return w - s.m;
  },
  adam(w, g, t, s, { learningRate: lr = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, amsgrad, weightDecay = 0 }) {
    w -= lr * weightDecay * w;
    s.m = beta1 * (s.m ?? 0) + (1 - beta1) * g;
    s.v = beta2 * (s.v ?? 0) + (1 - beta2) * g * g;
    s.most = amsgrad ? Math.max(s.most ?? 0, s.v) : s.v;
    return w - (((lr * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)) * s.m) / (Math.sqrt(s.most) + epsilon);
  },
  adamw: (w, g, t, s, o) => keras.adam(w, g, t, s, { weightDecay: 0.004, ...o }),
  nadam(
    w,
    g,
    t,
    s,
    {
      learningRate: lr = 0.001,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-7,
      momentumDecay = 1,
      weightDecay = 0,
      decoupledWeightDecay = true,
    },
  ) {
    if (decoupledWeightDecay) w -= lr * weightDecay * w;
    else g += weightDecay * w;
    const [now, next] = [t, t + 1].map((at) => beta1 * (1 - 0.5 * 0.96 ** (at * momentumDecay)));
    s.product = (s.product ?? 1) * now;
    s.m = (s.m ?? 0) + (g - (s.m ?? 0)) * (1 - beta1);
    s.v = (s.v ?? 0) + (g * g - (s.v ?? 0)) * (1 - beta2);
    const mean = (next * s.m) / (1 - s.product * next) + ((1 - now) * g) / (1 - s.product);
    return w - (lr * mean) / (Math.sqrt(s.v / (1 - beta2 ** t)) + epsilon);
  },
  adamax(w, g, t, s, { learningRate: lr = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 }) {
    w -= lr * weightDecay * w;
    s.m = (s.m ?? 0) + (g - (s.m ?? 0)) * (1 - beta1);
    s.u = Math.max(beta2 * (s.u ?? 0), Math.abs(g));
    return w - (lr * s.m) / ((1 - beta1 ** t) * (s.u + epsilon));
  },
  adagrad(
    w,
    g,
    t,
    s,
    { learningRate: lr = 0.001, initialAccumulatorValue = 0.1, epsilon = 1e-7, learningRateDecay = 0, weightDecay = 0 },
  ) {
    w -= lr * weightDecay * w;
    s.sum = (s.sum ?? initialAccumulatorValue) + g * g;
    return w - ((lr / (1 + (t - 1) * learningRateDecay)) * g) / Math.sqrt(s.sum + epsilon);
  },
  adadelta(w, g, _t, s, { learningRate: lr = 0.001, rho = 0.95, epsilon = 1e-7, weightDecay = 0 }) {
    w -= lr * weightDecay * w;
    s.v = rho * (s.v ?? 0) + (1 - rho) * g * g;
    const step = (Math.sqrt((s.a ?? 0) + epsilon) * g) / Math.sqrt(s.v + epsilon);
    s.a = rho * (s.a ?? 0) + (1 - rho) * step * step;
    return w - lr * step;
  },
  lion(w, g, _t, s, { learningRate: lr = 0.001, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 }) {
    w -= lr * weightDecay * w;
    const direction = Math.sign(beta1 * (s.m ?? 0) + (1 - beta1) * g);
    s.m = beta2 * (s.m ?? 0) + (1 - beta2) * g;
    return w - lr * direction;
  },
};

const torch: Record<string, Rule> = {
  sgd(w, g, t, s, { learningRate: lr = 0.001, momentum = 0, nesterov, dampening = 0, weightDecay = 0 }) {
    g += weightDecay * w;
    if (momentum === 0) return w - lr * g;
    s.b = t === 1 ? g : momentum * s.b + (1 - dampening) * g;
    return w - lr * (nesterov ? g + momentum * s.b : s.b);
  },
  rmsprop(
    w,
    g,
    _t,
    s,
    { learningRate: lr = 0.01, rho = 0.99, momentum = 0, epsilon = 1e-8, centered, weightDecay = 0 },
  ) {
    g += weightDecay * w;
    s.v = rho * (s.v ?? 0) + (1 - rho) * g * g;
    s.a = centered ? rho * (s.a ?? 0) + (1 - rho) * g : 0;
    const direction = g / (Math.sqrt(s.v - s.a * s.a) + epsilon);
    if (momentum === 0) return w - lr * direction;
    s.b = momentum * (s.b ?? 0) + direction;
    return w - lr * s.b;
  },
  adam(
    w,
    g,
    t,
    s,
    {
      learningRate: lr = 0.001,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      amsgrad,
      weightDecay = 0,
      decoupled = false,
    },
  ) {
    if (decoupled) w -= lr * weightDecay * w;
    else g += weightDecay * w;
    s.m = beta1 * (s.m ?? 0) + (1 - beta1) * g;
    s.v = beta2 * (s.v ?? 0) + (1 - beta2) * g * g;
    s.most = amsgrad ? Math.max(s.most ?? 0, s.v) : s.v;
    return w - ((lr / (1 - beta1 ** t)) * s.m) / (Math.sqrt(s.most / (1 - beta2 ** t)) + epsilon);
  },
  adamw: (w, g, t, s, o) => torch.adam(w, g, t, s, { weightDecay: 0.01, decoupled: true, ...o }),
  nadam(
    w,
    g,
    t,
    s,
    {
      learningRate: lr = 0.002,
      beta1 = 0.9,
      beta2 = 0.999,
      epsilon = 1e-8,
      momentumDecay = 0.004,
      weightDecay = 0,
      decoupledWeightDecay = false,
    },
  ) {
    if (decoupledWeightDecay) w -= lr * weightDecay * w;
    else g += weightDecay * w;
    const [now, next] = [t, t + 1].map((at) => beta1 * (1 - 0.5 * 0.96 ** (at * momentumDecay)));
    s.product = (s.product ?? 1) * now;
    s.m = beta1 * (s.m ?? 0) + (1 - beta1) * g;
    s.v = beta2 * (s.v ?? 0) + (1 - beta2) * g * g;
    const root = Math.sqrt(s.v / (1 - beta2 ** t)) + epsilon;
    return (
      w - (((lr * (1 - now)) / (1 - s.product)) * g) / root - (((lr * next) / (1 - s.product * next)) * s.m) / root
    );
  },
  adamax(w, g, t, s, { learningRate: lr = 0.002, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }) {
    g += weightDecay * w;
    s.m = beta1 * (s.m ?? 0) + (1 - beta1) * g;
    s.u = Math.max(beta2 * (s.u ?? 0), Math.abs(g) + epsilon);
    return w - ((lr / (1 - beta1 ** t)) * s.m) / s.u;
  },
  adagrad(
    w,
    g,
    t,
    s,
    { learningRate: lr = 0.01, initialAccumulatorValue = 0, epsilon = 1e-10, learningRateDecay = 0, weightDecay = 0 },
  ) {
    g += weightDecay * w;
    s.sum = (s.sum ?? initialAccumulatorValue) + g * g;
    return w - ((lr / (1 + (t - 1) * learningRateDecay)) * g) / (Math.sqrt(s.sum) + epsilon);
  },
  adadelta(w, g, _t, s, { learningRate: lr = 1, rho = 0.9, epsilon = 1e-6, weightDecay = 0 }) {
    g += weightDecay * w;
    s.v = rho * (s.v ?? 0) + (1 - rho) * g * g;
    const delta = (Math.sqrt((s.a ?? 0) + epsilon) / Math.sqrt(s.v + epsilon)) * g;
    s.a = rho * (s.a ?? 0) + (1 - rho) * delta * delta;
    return w - lr * delta;
  },
  lion: (w, g, t, s, o) => keras.lion(w, g, t, s, { learningRate: 0.0001, ...o }),
};

/** Options of each optimizer: the defaults, each alone, and some together. */
const CASES: Record<keyof typeof optimizers, Options[]> = {
  sgd: [
    {},
    { learningRate: 0.1 },
    { momentum: 0.9 },
    { momentum: 0.9, nesterov: true },
    { momentum: 0.8, dampening: 0.3 },
    { weightDecay: 0.1 },
    { momentum: 0.5, nesterov: true, weightDecay: 0.2, learningRate: 0.05 },
  ],
  rmsprop: [
    {},
    { rho: 0.5 },
    { momentum: 0.9 },
    { centered: true },
    { epsilon: 0.1 },
    { weightDecay: 0.1 },
    { momentum: 0.5, centered: true, epsilon: 1e-3, weightDecay: 0.2, learningRate: 0.02 },
  ],
  adam: [
    {},
    { beta1: 0.5 },
    { beta2: 0.9 },
    { epsilon: 0.1 },
    { amsgrad: true },
    { weightDecay: 0.1 },
    { amsgrad: true, epsilon: 1e-3, weightDecay: 0.2, learningRate: 0.02 },
  ],
  adamw: [{}, { weightDecay: 0.3, learningRate: 0.01 }, { amsgrad: true }],
  nadam: [
    {},
    { beta1: 0.5 },
    { beta2: 0.9 },
    { epsilon: 0.1 },
    { momentumDecay: 0.1 },
    { weightDecay: 0.1 },
    { weightDecay: 0.1, decoupledWeightDecay: true },
    { weightDecay: 0.1, decoupledWeightDecay: false },
    { momentumDecay: 2, epsilon: 1e-3, weightDecay: 0.2, learningRate: 0.02 },
  ],
  adamax: [
    {},
    { beta1: 0.5 },
    { beta2: 0.7 },
    { epsilon: 0.1 },
    { weightDecay: 0.1 },
    { beta2: 0.8, epsilon: 1e-3, weightDecay: 0.2, learningRate: 0.02 },
  ],
  adagrad: [
    {},
    { initialAccumulatorValue: 1 },
    { epsilon: 0.1 },
    { learningRateDecay: 0.2 },
    { weightDecay: 0.1 },
    { initialAccumulatorValue: 0.5, learningRateDecay: 0.1, weightDecay: 0.2, learningRate: 0.1 },
  ],
  adadelta: [
    {},
    { rho: 0.5 },
    { epsilon: 0.1 },
    { weightDecay: 0.1 },
    { rho: 0.8, epsilon: 1e-3, weightDecay: 0.2, learningRate: 0.5 },
  ],
  lion: [
    {},
    { beta1: 0.5 },
    { beta2: 0.5 },
    { weightDecay: 0.1 },
    { beta1: 0.7, beta2: 0.8, weightDecay: 0.2, learningRate: 0.02 },
  ],
};

const STEPS = 20;
const I = 5;
const O = 3;

const model = (seed = 1) => sequential([layers.dense({ units: O })], { inputShape: [I], seed });

/** Gradients of a step; they shrink and grow, so that amsgrad has a maximum to keep. */
const gradientsAt = (step: number): Record<string, NDArray> => ({
  "dense/kernel": { data: real(I * O, step, 2 / (1 + (step % 4))), shape: [I, O] },
  "dense/bias": { data: real(O, 100 + step), shape: [O] },
});

/** The gradients that reach the weights: those of plain descent with rate 1. */
function reaching(optimizer: Optimizer, gradients: Record<string, NDArray>): Record<string, Float64Array> {
  const m = model();
  const before = m.getWeights();
  optimizer.apply(m, gradients);
  const after = m.getWeights();
  m.dispose();
  return Object.fromEntries(
    Object.keys(before).map((name) => [name, Float64Array.from(before[name].data, (w, i) => w - after[name].data[i])]),
  );
}

const norm = (...arrays: ArrayLike<number>[]): number =>
  Math.sqrt(arrays.reduce((sum, array) => sum + Array.from(array).reduce((part, x) => part + x * x, 0), 0));

eachBackend("optimizers", (test) => {
  test("all have cases", () => assert.equal(Object.keys(CASES).sort(), Object.keys(optimizers).sort()));

  for (const [kind, cases] of Object.entries(CASES)) {
    for (const [convention, rules] of Object.entries({ keras, torch })) {
      test(`${kind}, as in ${convention}`, () => {
        for (const options of cases) {
          const m = model();
          const optimizer = (optimizers as Record<string, (options: object) => Optimizer>)[kind]({
            convention,
            ...options,
          });
          const expected = Object.fromEntries(
            Object.entries(m.getWeights()).map(([name, { data }]) => [name, Float64Array.from(data)]),
          );
          const slots = Object.fromEntries(
            Object.entries(expected).map(([name, data]) => [name, Array.from(data, () => ({}))]),
          );
          for (let t = 1; t <= STEPS; t++) {
            const gradients = gradientsAt(t);
            optimizer.apply(m, gradients);
            for (const [name, weights] of Object.entries(expected)) {
              weights.forEach((w, i) => {
                weights[i] = rules[kind](w, gradients[name].data[i], t, slots[name][i], options);
              });
            }
          }
          for (const [name, { data }] of Object.entries(m.getWeights()))
            close(data, expected[name], 5e-6, `${JSON.stringify(options)} ${name}`);
          m.dispose();
        }
      });
    }
  }

  test("the learning rate may change between updates, or follow a schedule", () => {
    const [byHand, scheduled] = [model(), model()];
    const adam = optimizers.adam();
    const rate = (step: number): number => 0.1 / (1 + step);
    const schedule = optimizers.adam({ learningRate: rate });
    for (let t = 0; t < 4; t++) {
      adam.learningRate = rate(t);
      adam.apply(byHand, gradientsAt(t));
      schedule.apply(scheduled, gradientsAt(t));
    }
    assert.equal(byHand.getWeights(), scheduled.getWeights());
    byHand.dispose();
    scheduled.dispose();
  });

  test("a schedule that gives no rate is refused, and the model is as before", () => {
    const m = model();
    const before = m.getWeights();
    for (const rate of [NaN, -1, 1e39]) {
      const sgd = optimizers.sgd({ learningRate: () => rate });
      refused(() => sgd.apply(m, gradientsAt(1)), "ERR_OPTION", /^optimizers\.sgd: expected learningRate ≥ 0, got /);
    }
    assert.equal(m.getWeights(), before);
    m.dispose();
  });

  test("slots belong to the module: one optimizer, two models", () => {
    const [a, b, alone] = [model(1), model(2), model(1)];
    const shared = optimizers.adam();
    const own = optimizers.adam();
    for (let t = 0; t < 3; t++) {
      shared.apply(a, gradientsAt(t));
      shared.apply(b, gradientsAt(t + 7));
      own.apply(alone, gradientsAt(t));
    }
    assert.equal(a.getWeights(), alone.getWeights());
    for (const m of [a, b, alone]) m.dispose();
  });

  const gradients = gradientsAt(1);
  const [kernel, bias] = [gradients["dense/kernel"].data, gradients["dense/bias"].data];
  const scaled = (data: ArrayLike<number>, by: number): Float64Array => Float64Array.from(data, (x) => x * by);

  test("clipNorm bounds the norm of each weight's gradient", () => {
    const limit = 1;
    assert.ok(norm(kernel) > limit && norm(bias) > 0.5);
    const reached = reaching(optimizers.sgd({ learningRate: 1, clipNorm: limit }), gradients);
    close(reached["dense/kernel"], scaled(kernel, limit / norm(kernel)), 1e-6);
    close(reached["dense/bias"], scaled(bias, Math.min(1, limit / norm(bias))), 1e-6);
    close([norm(reached["dense/kernel"])], [limit], 1e-6);
  });

  test("globalClipNorm bounds the norm of all gradients together", () => {
    const all = norm(kernel, bias);
    const reached = reaching(optimizers.sgd({ learningRate: 1, globalClipNorm: 0.5 }), gradients);
    close(reached["dense/kernel"], scaled(kernel, 0.5 / all), 1e-6);
    close(reached["dense/bias"], scaled(bias, 0.5 / all), 1e-6);
    const small = reaching(optimizers.sgd({ learningRate: 1, globalClipNorm: all * 1.01 }), gradients);
    close(small["dense/kernel"], kernel, 1e-6, "below the limit nothing changes");
  });

  test("clipValue bounds every element", () => {
    const reached = reaching(optimizers.sgd({ learningRate: 1, clipValue: 0.3 }), gradients);
    close(
      reached["dense/kernel"],
      Float64Array.from(kernel, (x) => Math.max(-0.3, Math.min(0.3, x))),
      1e-6,
    );
  });

  test("clips in turn when asked for several: each weight, all together, every element", () => {
    const reached = reaching(
      optimizers.sgd({ learningRate: 1, clipNorm: 1, globalClipNorm: 0.8, clipValue: 0.2 }),
      gradients,
    );
    const parts = [scaled(kernel, Math.min(1, 1 / norm(kernel))), scaled(bias, Math.min(1, 1 / norm(bias)))];
    const factor = 0.8 / norm(...parts);
    close(
      reached["dense/kernel"],
      parts[0].map((x) => Math.max(-0.2, Math.min(0.2, x * factor))),
      1e-6,
    );
    close(
      reached["dense/bias"],
      parts[1].map((x) => Math.max(-0.2, Math.min(0.2, x * factor))),
      1e-6,
    );
  });

  test("a gradient of zeros is no direction, with any clipping", () => {
    const zeros = { "dense/kernel": { data: new Float32Array(I * O), shape: [I, O] } };
    for (const options of [{ clipNorm: 1 }, { globalClipNorm: 1 }, { clipValue: 1 }]) {
      for (const convention of ["keras", "torch"] as const) {
        const reached = reaching(optimizers.sgd({ learningRate: 1, convention, ...options }), zeros);
        assert.ok(Object.values(reached).every((data) => data.every((x) => x === 0)));
      }
    }
  });

  test("a gradient that is not finite leaves weights, slots and counters as they were", () => {
    const [hurt, healthy] = [model(), model()];
    const [adam, other] = [optimizers.adam({ globalClipNorm: 1 }), optimizers.adam({ globalClipNorm: 1 })];
    for (let t = 0; t < 4; t++) {
      adam.apply(hurt, gradientsAt(t));
      other.apply(healthy, gradientsAt(t));
      for (const value of [NaN, Infinity, -Infinity]) {
        const bad = gradientsAt(t + 9);
        bad["dense/kernel"].data[7] = value;
        refused(
          () => adam.apply(hurt, bad),
          "ERR_VALUE",
          /^apply: expected finite gradients, got one that is not; the weights are as before/,
        );
      }
      assert.equal(hurt.getWeights(), healthy.getWeights());
    }
    hurt.dispose();
    healthy.dispose();
  });

  test("frozen weights stay, and have no gradient to be given", () => {
    const m = sequential(
      [layers.dense({ units: 2, trainable: false, name: "frozen" }), layers.dense({ units: 2, name: "free" })],
      { inputShape: [3], seed: 1 },
    );
    const before = m.getWeights();
    const adamw = optimizers.adamw({ learningRate: 0.1 });
    adamw.apply(m, { "free/kernel": { data: new Float32Array(4).fill(1), shape: [2, 2] } });
    const after = m.getWeights();
    same(after["frozen/kernel"].data, before["frozen/kernel"].data);
    assert.ok(after["free/kernel"].data.every((w, i) => w !== before["free/kernel"].data[i]));
    refused(
      () => adamw.apply(m, { "frozen/kernel": before["frozen/kernel"] }),
      "ERR_OPTION",
      /^apply: expected one of free\/kernel, free\/bias, got "frozen\/kernel"/,
    );
    m.dispose();
  });

  test("a layer that is trained by itself leaves those beside it alone", () => {
    const head = layers.dense({ units: 2 });
    const m = sequential([layers.dense({ units: 2, name: "body" }), head], { inputShape: [3], seed: 1 });
    const before = m.getWeights();
    const step = trainStep(
      head,
      optimizers.adamw({ learningRate: 0.1, weightDecay: 0.5, globalClipNorm: 1 }),
      (x: Tensor) => ops.sum(head.call(x)),
    );
    step([[1, 2]]);
    const after = m.getWeights();
    same(after["body/kernel"].data, before["body/kernel"].data);
    assert.ok(after["dense/kernel"].data.every((w, i) => w !== before["dense/kernel"].data[i]));
    m.dispose();
    head.dispose();
  });

  test("gradients by other names, of other shapes, before there are weights", () => {
    const m = model();
    const sgd = optimizers.sgd();
    refused(
      () => sgd.apply(m, { "dense/kernal": gradients["dense/kernel"] }),
      "ERR_OPTION",
      /got "dense\/kernal", did you mean "dense\/kernel"\?/,
    );
    refused(
      () => sgd.apply(m, { "dense/bias": { data: new Float32Array(4), shape: [4] } }),
      "ERR_SHAPE",
      /^apply: expected "dense\/bias" \[3\], got \[4\]/,
    );
    refused(
      () => sgd.apply(sequential([layers.dense({ units: 1 })]), {}),
      "ERR_STATE",
      /^apply: expected a model with weights, got one that is not built/,
    );
    m.dispose();
    refused(() => sgd.apply(m, gradients), "ERR_DISPOSED", /expected a live model/);
  });

  test("options there are not, and numbers out of range", () => {
    refused(
      () => optimizers.adam({ beta_1: 0.9 } as never),
      "ERR_OPTION",
      /^optimizers\.adam: expected a known option, got "beta_1", did you mean "beta1"\? There are /,
    );
    refused(
      () => optimizers.sgd({ learningRate: -1 }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected learningRate ≥ 0, got -1/,
    );
    refused(
      () => optimizers.sgd({ learningRate: "0.1" as never }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected learningRate ≥ 0, got "0\.1"/,
    );
    refused(
      () => optimizers.sgd({ momentum: 1.5 }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected momentum of 0 ≤ momentum ≤ 1, got 1\.5/,
    );
    refused(() => optimizers.sgd({ momentum: true as never }), "ERR_OPTION", /expected momentum ≥ 0, got true/);
    refused(
      () => optimizers.sgd({ nesterov: 1 as never }),
      "ERR_OPTION",
      /expected nesterov to be true or false, got 1/,
    );
    refused(
      () => optimizers.sgd({ momentum: 0.9, nesterov: true, dampening: 0.1 }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected no dampening with nesterov, got 0\.1/,
    );
    refused(
      () => optimizers.adamax({ beta2: 1 }),
      "ERR_OPTION",
      /^optimizers\.adamax: expected beta2 of 0 ≤ beta2 < 1, got 1/,
    );
    refused(() => optimizers.adadelta({ rho: 1 }), "ERR_OPTION", /expected rho of 0 ≤ rho < 1, got 1/);
    refused(
      () => optimizers.adagrad({ initialAccumulatorValue: -1 }),
      "ERR_OPTION",
      /expected initialAccumulatorValue ≥ 0, got -1/,
    );
    refused(
      () => optimizers.nadam({ amsgrad: true } as never),
      "ERR_OPTION",
      /^optimizers\.nadam: expected a known option, got "amsgrad"/,
    );
    refused(
      () => optimizers.lion({ epsilon: 1 } as never),
      "ERR_OPTION",
      /^optimizers\.lion: expected a known option, got "epsilon"/,
    );
    refused(
      () => optimizers.sgd({ useEma: true, emaMomentum: 1.1 }),
      "ERR_OPTION",
      /expected emaMomentum of 0 ≤ emaMomentum ≤ 1, got 1\.1/,
    );
    refused(() => optimizers.sgd({ useEma: 1 as never }), "ERR_OPTION", /expected useEma to be true or false, got 1/);
    refused(
      () => optimizers.sgd({ emaOverwriteFrequency: 0 }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected emaOverwriteFrequency to be a positive integer, got 0/,
    );
    refused(
      () => optimizers.sgd({ gradientAccumulationSteps: 1.5 }),
      "ERR_OPTION",
      /^optimizers\.sgd: expected gradientAccumulationSteps to be a positive integer, got 1\.5/,
    );
    refused(() => optimizers.rmsprop({ epsilon: NaN }), "ERR_OPTION", /expected epsilon ≥ 0, got NaN/);
    refused(
      () => optimizers.sgd({ convention: "jax" as never }),
      "ERR_OPTION",
      /expected convention "keras" or "torch", got "jax"/,
    );
    optimizers.adam({ beta1: undefined, clipNorm: undefined });
  });
});
