// Updates over several steps, against the rules as Keras and PyTorch state them, in double precision.
import * as assert from "uvu/assert";
import { ADAM_HYPER, RMSPROP_HYPER, SGD_HYPER } from "../../bindings/reference/optimizer.ts";
import { eachBuild, type Sandbox } from "../support/builds.ts";
import { close, LENGTHS, real, same } from "../support/numbers.ts";

const STEPS = 7;
const BOUND = 3e-6;

type Torch = boolean;
type Update = (g: number, p: number, t: number) => number;
type Fields = Record<string, number>;

/** A rule: how one parameter moves (its state in the closure), and what the kernel is told at step t = 1, 2, …. */
interface Rule {
  start: () => Update;
  hyper: (t: number) => Fields;
  call: (sandbox: Sandbox, n: number, g: number, p: number, slots: number[], hyper: number, guard: number) => void;
  fields: readonly string[];
}

/** What weight decay means: PyTorch's L2 joins the gradient, Keras' and AdamW's shrinks the parameter. */
interface Decay {
  l2: number;
  weightDecay: number;
}

interface SgdOptions extends Decay {
  lr: number;
  momentum: number;
  dampening: number;
  nesterov: boolean;
  torch: Torch;
}

function sgd({ lr, momentum, dampening, nesterov, torch, l2, weightDecay }: SgdOptions): Rule {
  return {
    start: () => {
      let v: number | undefined;
      return (g, p) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        if (momentum === 0) return p - lr * g;
        if (torch) {
          v = v === undefined ? g : momentum * v + (1 - dampening) * g;
          return p - lr * (nesterov ? g + momentum * v : v);
        }
        v = momentum * (v ?? 0) - lr * g;
        return p + (nesterov ? momentum * v - lr * g : v);
      };
    },
    fields: SGD_HYPER,
    hyper: (t) => ({ rate: lr, l2, decay: lr * weightDecay, momentum, share: t === 1 ? 1 : 1 - dampening, torch: Number(torch) }),
    call: ({ kernels }, n, g, p, [v], hyper, guard) =>
      kernels.f32_sgd(n, g, p, momentum === 0 ? 0 : v!, hyper, guard, Number(nesterov)),
  };
}

interface RmspropOptions extends Decay {
  lr: number;
  rho: number;
  momentum: number;
  epsilon: number;
  centered: boolean;
  torch: Torch;
}

function rmsprop({ lr, rho, momentum, epsilon, centered, torch, l2, weightDecay }: RmspropOptions): Rule {
  return {
    start: () => {
      let [v, a, m] = [0, 0, 0];
      return (g, p) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        v = rho * v + (1 - rho) * g * g;
        a = rho * a + (1 - rho) * g;
        const variance = centered ? v - a * a : v;
        if (torch) {
          m = momentum * m + g / (Math.sqrt(variance) + epsilon);
          return p - lr * m;
        }
        m = momentum * m + lr * g / Math.sqrt(variance + epsilon);
        return p - m;
      };
    },
    fields: RMSPROP_HYPER,
    hyper: () => ({ rate: lr, l2, decay: lr * weightDecay, momentum, rho, share: 1 - rho, epsilon, torch: Number(torch) }),
    call: ({ kernels }, n, g, p, [v, m, a], hyper, guard) =>
      kernels.f32_rmsprop(n, g, p, v!, momentum === 0 ? 0 : m!, centered ? a! : 0, hyper, guard),
  };
}

interface AdamOptions extends Decay {
  lr: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  amsgrad: boolean;
  torch: Torch;
}

function adam({ lr, beta1, beta2, epsilon, amsgrad, torch, l2, weightDecay }: AdamOptions): Rule {
  return {
    start: () => {
      let [m, v, w] = [0, 0, 0];
      return (g, p, t) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        w = Math.max(w, v);
        const square = amsgrad ? w : v;
        const [c1, c2] = [1 - beta1 ** t, 1 - beta2 ** t];
        if (torch) return p - (lr / c1) * m / (Math.sqrt(square) / Math.sqrt(c2) + epsilon);
        return p - lr * Math.sqrt(c2) / c1 * m / (Math.sqrt(square) + epsilon);
      };
    },
    fields: ADAM_HYPER,
    hyper: (t) => {
      const r = Math.sqrt(1 - beta2 ** t);
      return {
        rate: lr * r / (1 - beta1 ** t), l2, decay: lr * weightDecay, beta1, share1: 1 - beta1, beta2, share2: 1 - beta2,
        epsilon: torch ? epsilon * r : epsilon,
      };
    },
    call: ({ kernels }, n, g, p, [m, v, w], hyper, guard) =>
      kernels.f32_adam(n, g, p, m!, v!, amsgrad ? w! : 0, hyper, guard),
  };
}

const BOTH = [false, true];
const DECAYS: Decay[] = [{ l2: 0, weightDecay: 0 }, { l2: 0.1, weightDecay: 0 }, { l2: 0, weightDecay: 0.2 }];

function* rules(): Generator<[string, Rule]> {
  for (const torch of BOTH) {
    for (const decay of DECAYS) {
      const name = `${torch ? "torch" : "keras"} ${JSON.stringify(decay)}`;
      for (const nesterov of BOTH) {
        for (const [momentum, dampening] of [[0, 0], [0.9, 0], [0.7, 0.3]] as const) {
          yield [`sgd ${name} ${momentum} ${dampening} ${nesterov}`, sgd({ lr: 0.05, momentum, dampening, nesterov, torch, ...decay })];
        }
      }
      for (const centered of BOTH) {
        for (const momentum of [0, 0.8]) {
          // an epsilon that matters shows where it stands
          yield [`rmsprop ${name} ${centered} ${momentum}`, rmsprop({ lr: 0.01, rho: 0.9, momentum, epsilon: 0.05, centered, torch, ...decay })];
        }
      }
      for (const amsgrad of BOTH) {
        yield [`adam ${name} ${amsgrad}`, adam({ lr: 0.02, beta1: 0.9, beta2: 0.95, epsilon: 0.1, amsgrad, torch, ...decay })];
      }
    }
  }
}

const KINDS: [string, Rule][] = [
  ["sgd", sgd({ lr: 0.1, momentum: 0.9, dampening: 0, nesterov: true, torch: false, l2: 0, weightDecay: 0 })],
  ["rmsprop", rmsprop({ lr: 0.1, rho: 0.9, momentum: 0.9, epsilon: 1e-7, centered: true, torch: false, l2: 0, weightDecay: 0 })],
  ["adam", adam({ lr: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: true, torch: false, l2: 0, weightDecay: 0 })],
];

const listOf = (rule: Rule, t: number): number[] => rule.fields.map((name) => rule.hyper(t)[name]!);
/** Gradients whose size changes, so that a largest square differs from the last one. */
const gradient = (n: number, t: number): Float32Array => real(n, t, t === 3 ? 4 : 1);

eachBuild("optimizer", (test, sandbox) => {
  test("every rule, seven steps, any number of parameters", () => {
    for (const [name, rule] of rules()) {
      for (const n of [5, 8, 97]) {
        sandbox.reset();
        const start = real(n, 99);
        const p = sandbox.f32(start);
        const g = sandbox.f32(n);
        const slots = [0, 1, 2].map(() => sandbox.f32(new Float32Array(n)));
        const hyper = sandbox.f32(rule.fields.length);
        const expected = Array.from(start);
        const updates = expected.map(rule.start);
        for (let t = 1; t <= STEPS; t++) {
          g.data.set(gradient(n, t));
          hyper.data.set(listOf(rule, t));
          rule.call(sandbox, n, g.ptr, p.ptr, slots.map(({ ptr }) => ptr), hyper.ptr, 0);
          expected.forEach((value, i) => { expected[i] = updates[i]!(g.data[i]!, value, t); });
          close(p.data, expected, BOUND, `${name} n ${n} step ${t}`);
          same(g.data, gradient(n, t), "gradients are only read");
        }
        sandbox.checkGuards();
      }
    }
  });

  for (const [name, rule] of KINDS) {
    test(`${name}: each parameter by itself, whatever its neighbours`, () => {
      const all = Math.max(...LENGTHS);
      const run = (n: number): number[][] => {
        sandbox.reset();
        const [p, g] = [sandbox.f32(real(n, 1)), sandbox.f32(real(n, 2))];
        const slots = [0, 1, 2].map(() => sandbox.f32(new Float32Array(n).fill(0.5)));
        const hyper = sandbox.f32(listOf(rule, 2));
        rule.call(sandbox, n, g.ptr, p.ptr, slots.map(({ ptr }) => ptr), hyper.ptr, sandbox.i32([1]).ptr);
        sandbox.checkGuards();
        return [p, ...slots].map(({ data }) => Array.from(data));
      };
      const whole = run(all);
      for (const n of LENGTHS) run(n).forEach((list, i) => same(list, whole[i]!.slice(0, n), `n ${n}`));
    });

    test(`${name}: a closed guard touches nothing`, () => {
      const n = 9;
      const before = real(n, 3);
      const p = sandbox.f32(before);
      const slots = [0, 1, 2].map(() => sandbox.f32(before));
      const g = sandbox.f32(new Float32Array(n).fill(NaN));
      const hyper = sandbox.f32(listOf(rule, 1));
      rule.call(sandbox, n, g.ptr, p.ptr, slots.map(({ ptr }) => ptr), hyper.ptr, sandbox.i32([0]).ptr);
      for (const { data } of [p, ...slots]) same(data, before);
    });

    test(`${name}: gradients of zero let slots vanish, not linger among the denormals; NaN shows`, () => {
      const p = sandbox.f32([1, 1, 1, 1, 1]);
      const slots = [0, 1, 2].map(() => sandbox.f32([1e-30, -1e-30, 2e-31, 1e-38, 1]));
      const hyper = sandbox.f32(listOf(rule, 1));
      const g = sandbox.f32([0, 0, 0, 0, NaN]);
      rule.call(sandbox, 5, g.ptr, p.ptr, slots.map(({ ptr }) => ptr), hyper.ptr, 0);
      assert.is(slots[0]!.data[3], 0);
      for (const { data } of slots.slice(0, 1)) assert.ok(data.subarray(0, 4).every((value) => value === 0));
      assert.ok(Number.isNaN(p.data[4]) && p.data.subarray(0, 4).every(Number.isFinite));
    });
  }

  test("the first step of Adam is the learning rate, whatever the gradient's size", () => {
    const rule = adam({ lr: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false, torch: false, l2: 0, weightDecay: 0 });
    const p = sandbox.f32(4);
    p.data.fill(0);
    const slots = [0, 1].map(() => sandbox.f32(new Float32Array(4)).ptr);
    rule.call(sandbox, 4, sandbox.f32([100, -1, 1, -100]).ptr, p.ptr, slots, sandbox.f32(listOf(rule, 1)).ptr, 0);
    close(p.data, [-0.001, 0.001, -0.001, 0.001], 5e-6);
  });
});
