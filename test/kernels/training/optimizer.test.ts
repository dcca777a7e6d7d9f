// Updates over several steps, against the rules as Keras and PyTorch state them, in double precision.
import * as assert from "uvu/assert";
import {
  ADADELTA_HYPER,
  ADAMAX_HYPER,
  ADAM_HYPER,
  LION_HYPER,
  RMSPROP_HYPER,
  SGD_HYPER,
} from "../../../bindings/abi/hyperparameters.ts";
import { eachBuild, type Sandbox } from "../../support/builds.ts";
import { close, LENGTHS, real, same } from "../../support/numbers.ts";

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
        v = v === undefined ? -lr * g : momentum * v - lr * (1 - dampening) * g;
        return p + (nesterov ? momentum * v - lr * g : v);
      };
    },
    fields: SGD_HYPER,
    hyper: (t) => ({
      rate: lr,
      l2,
      decay: lr * weightDecay,
      momentum,
      share: t === 1 ? 1 : 1 - dampening,
      torch: Number(torch),
    }),
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
        m = momentum * m + (lr * g) / Math.sqrt(variance + epsilon);
        return p - m;
      };
    },
    fields: RMSPROP_HYPER,
    hyper: () => ({
      rate: lr,
      l2,
      decay: lr * weightDecay,
      momentum,
      rho,
      share: 1 - rho,
      epsilon,
      torch: Number(torch),
    }),
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
        if (torch) return p - ((lr / c1) * m) / (Math.sqrt(square) / Math.sqrt(c2) + epsilon);
        return p - (((lr * Math.sqrt(c2)) / c1) * m) / (Math.sqrt(square) + epsilon);
      };
    },
    fields: ADAM_HYPER,
    hyper: (t) => {
      const r = Math.sqrt(1 - beta2 ** t);
      return {
        rate: (lr * r) / (1 - beta1 ** t),
        l2,
        decay: lr * weightDecay,
        beta1,
        share1: 1 - beta1,
        beta2,
        share2: 1 - beta2,
        epsilon: torch ? epsilon * r : epsilon,
        direct: 0,
      };
    },
    call: ({ kernels }, n, g, p, [m, v, w], hyper, guard) =>
      kernels.f32_adam(n, g, p, m!, v!, amsgrad ? w! : 0, hyper, guard),
  };
}

/** Nadam: the mean looks one step ahead, by the gradient itself. */
function nadam({ lr, beta1, beta2, epsilon, l2, weightDecay }: Omit<AdamOptions, "amsgrad" | "torch">): Rule {
  const mu = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** t);
  const product = (t: number): number => (t === 0 ? 1 : product(t - 1) * mu(t));
  const rates = (t: number): [mean: number, gradient: number] => [
    (lr * mu(t + 1)) / (1 - product(t + 1)),
    (lr * (1 - mu(t))) / (1 - product(t)),
  ];
  return {
    start: () => {
      let [m, v] = [0, 0];
      return (g, p, t) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        const [mean, gradient] = rates(t);
        return p - (mean * m + gradient * g) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
      };
    },
    fields: ADAM_HYPER,
    hyper: (t) => {
      const r = Math.sqrt(1 - beta2 ** t);
      const [mean, gradient] = rates(t);
      return {
        rate: mean * r,
        direct: gradient * r,
        l2,
        decay: lr * weightDecay,
        beta1,
        share1: 1 - beta1,
        beta2,
        share2: 1 - beta2,
        epsilon: epsilon * r,
      };
    },
    call: ({ kernels }, n, g, p, [m, v], hyper, guard) => kernels.f32_adam(n, g, p, m!, v!, 0, hyper, guard),
  };
}

function adamax({ lr, beta1, beta2, epsilon, torch, l2, weightDecay }: Omit<AdamOptions, "amsgrad">): Rule {
  return {
    start: () => {
      let [m, u] = [0, 0];
      return (g, p, t) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        m = beta1 * m + (1 - beta1) * g;
        u = Math.max(beta2 * u, Math.abs(g) + (torch ? epsilon : 0));
        return p - ((lr / (1 - beta1 ** t)) * m) / (u + (torch ? 0 : epsilon));
      };
    },
    fields: ADAMAX_HYPER,
    hyper: (t) => ({
      rate: lr / (1 - beta1 ** t),
      l2,
      decay: lr * weightDecay,
      beta1,
      share1: 1 - beta1,
      beta2,
      epsilon: torch ? 0 : epsilon,
      within: torch ? epsilon : 0,
    }),
    call: ({ kernels }, n, g, p, [m, u], hyper, guard) => kernels.f32_adamax(n, g, p, m!, u!, hyper, guard),
  };
}

function adadelta({ lr, rho, epsilon, l2, weightDecay }: Pick<RmspropOptions, "lr" | "rho" | "epsilon"> & Decay): Rule {
  return {
    start: () => {
      let [v, a] = [0, 0];
      return (g, p) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        v = rho * v + (1 - rho) * g * g;
        const step = (g * Math.sqrt(a + epsilon)) / Math.sqrt(v + epsilon);
        a = rho * a + (1 - rho) * step * step;
        return p - lr * step;
      };
    },
    fields: ADADELTA_HYPER,
    hyper: () => ({ rate: lr, l2, decay: lr * weightDecay, rho, share: 1 - rho, epsilon }),
    call: ({ kernels }, n, g, p, [v, a], hyper, guard) => kernels.f32_adadelta(n, g, p, v!, a!, hyper, guard),
  };
}

/** The sum of squares is a mean that forgets nothing. */
function adagrad({
  lr,
  epsilon,
  torch,
  l2,
  weightDecay,
}: Pick<RmspropOptions, "lr" | "epsilon" | "torch"> & Decay): Rule {
  return {
    start: () => {
      let sum = 0;
      return (g, p) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        sum += g * g;
        return p - (lr * g) / (torch ? Math.sqrt(sum) + epsilon : Math.sqrt(sum + epsilon));
      };
    },
    fields: RMSPROP_HYPER,
    hyper: () => ({
      rate: lr,
      l2,
      decay: lr * weightDecay,
      momentum: 0,
      rho: 1,
      share: 1,
      epsilon,
      torch: Number(torch),
    }),
    call: ({ kernels }, n, g, p, [v], hyper, guard) => kernels.f32_rmsprop(n, g, p, v!, 0, 0, hyper, guard),
  };
}

function lion({ lr, beta1, beta2, l2, weightDecay }: Pick<AdamOptions, "lr" | "beta1" | "beta2"> & Decay): Rule {
  return {
    start: () => {
      let m = 0;
      return (g, p) => {
        g += l2 * p;
        p -= lr * weightDecay * p;
        const direction = Math.sign(beta1 * m + (1 - beta1) * g);
        m = beta2 * m + (1 - beta2) * g;
        return p - lr * direction;
      };
    },
    fields: LION_HYPER,
    hyper: () => ({ rate: lr, l2, decay: lr * weightDecay, beta1, share1: 1 - beta1, beta2, share2: 1 - beta2 }),
    call: ({ kernels }, n, g, p, [m], hyper, guard) => kernels.f32_lion(n, g, p, m!, hyper, guard),
  };
}

const BOTH = [false, true];
const DECAYS: Decay[] = [
  { l2: 0, weightDecay: 0 },
  { l2: 0.1, weightDecay: 0 },
  { l2: 0, weightDecay: 0.2 },
];

function* rules(): Generator<[string, Rule]> {
  for (const torch of BOTH) {
    for (const decay of DECAYS) {
      const name = `${torch ? "torch" : "keras"} ${JSON.stringify(decay)}`;
      for (const nesterov of BOTH) {
        for (const [momentum, dampening] of [
          [0, 0],
          [0.9, 0],
          [0.7, 0.3],
        ] as const) {
          yield [
            `sgd ${name} ${momentum} ${dampening} ${nesterov}`,
            sgd({ lr: 0.05, momentum, dampening, nesterov, torch, ...decay }),
          ];
        }
      }
      for (const centered of BOTH) {
        for (const momentum of [0, 0.8]) {
          // an epsilon that matters shows where it stands
          yield [
            `rmsprop ${name} ${centered} ${momentum}`,
            rmsprop({ lr: 0.01, rho: 0.9, momentum, epsilon: 0.05, centered, torch, ...decay }),
          ];
        }
      }
      for (const amsgrad of BOTH) {
        yield [
          `adam ${name} ${amsgrad}`,
          adam({ lr: 0.02, beta1: 0.9, beta2: 0.95, epsilon: 0.1, amsgrad, torch, ...decay }),
        ];
      }
      yield [`adamax ${name}`, adamax({ lr: 0.02, beta1: 0.9, beta2: 0.95, epsilon: 0.1, torch, ...decay })];
      yield [`adagrad ${name}`, adagrad({ lr: 0.02, epsilon: 0.1, torch, ...decay })];
      if (torch) continue; // the same in both
      yield [`nadam ${name}`, nadam({ lr: 0.02, beta1: 0.9, beta2: 0.95, epsilon: 0.1, ...decay })];
      yield [`adadelta ${name}`, adadelta({ lr: 0.5, rho: 0.9, epsilon: 0.1, ...decay })];
      yield [`lion ${name}`, lion({ lr: 0.01, beta1: 0.9, beta2: 0.8, ...decay })];
    }
  }
}

const KINDS: [string, Rule][] = [
  ["sgd", sgd({ lr: 0.1, momentum: 0.9, dampening: 0, nesterov: true, torch: false, l2: 0, weightDecay: 0 })],
  [
    "rmsprop",
    rmsprop({ lr: 0.1, rho: 0.9, momentum: 0.9, epsilon: 1e-7, centered: true, torch: false, l2: 0, weightDecay: 0 }),
  ],
  [
    "adam",
    adam({ lr: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: true, torch: false, l2: 0, weightDecay: 0 }),
  ],
  ["nadam", nadam({ lr: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, l2: 0, weightDecay: 0 })],
  ["adamax", adamax({ lr: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-7, torch: false, l2: 0, weightDecay: 0 })],
  ["adadelta", adadelta({ lr: 1, rho: 0.9, epsilon: 1e-7, l2: 0, weightDecay: 0 })],
  ["lion", lion({ lr: 0.1, beta1: 0.9, beta2: 0.9, l2: 0, weightDecay: 0 })],
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
          rule.call(
            sandbox,
            n,
            g.ptr,
            p.ptr,
            slots.map(({ ptr }) => ptr),
            hyper.ptr,
            0,
          );
          expected.forEach((value, i) => {
            expected[i] = updates[i]!(g.data[i]!, value, t);
          });
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
        rule.call(
          sandbox,
          n,
          g.ptr,
          p.ptr,
          slots.map(({ ptr }) => ptr),
          hyper.ptr,
          sandbox.i32([1]).ptr,
        );
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
      rule.call(
        sandbox,
        n,
        g.ptr,
        p.ptr,
        slots.map(({ ptr }) => ptr),
        hyper.ptr,
        sandbox.i32([0]).ptr,
      );
      for (const { data } of [p, ...slots]) same(data, before);
    });

    test(`${name}: gradients of zero let slots vanish, not linger among the denormals; NaN shows`, () => {
      const p = sandbox.f32([1, 1, 1, 1, 1]);
      const slots = [0, 1, 2].map(() => sandbox.f32([1e-30, -1e-30, 2e-31, 1e-38, 1]));
      const hyper = sandbox.f32(listOf(rule, 1));
      const g = sandbox.f32([0, 0, 0, 0, NaN]);
      rule.call(
        sandbox,
        5,
        g.ptr,
        p.ptr,
        slots.map(({ ptr }) => ptr),
        hyper.ptr,
        0,
      );
      assert.is(slots[0]!.data[3], 0);
      for (const { data } of slots.slice(0, 1)) assert.ok(data.subarray(0, 4).every((value) => value === 0));
      assert.ok(Number.isNaN(p.data[4]) && p.data.subarray(0, 4).every(Number.isFinite));
    });
  }

  test("averages of weights: the first is the weights, what follows is a mean; they are written when asked for", () => {
    for (const n of LENGTHS) {
      sandbox.reset();
      const [p, a] = [sandbox.f32(real(n, 1)), sandbox.f32(real(n, 2))];
      const run = (keep: number, write: number, guard = 1): void =>
        sandbox.kernels.f32_average(
          n,
          p.ptr,
          a.ptr,
          sandbox.f32([keep, 1 - keep, write]).ptr,
          sandbox.i32([guard]).ptr,
        );
      run(0.5, 1, 0);
      same(p.data, real(n, 1), "a closed guard");
      same(a.data, real(n, 2), "a closed guard");
      run(0, 0);
      same(a.data, p.data);
      p.data.set(real(n, 3));
      run(0.75, 0);
      close(
        a.data,
        real(n, 1).map((first, i) => 0.75 * first + 0.25 * p.data[i]!),
        1e-6,
      );
      same(p.data, real(n, 3));
      run(0.75, 1);
      same(p.data, a.data);
      sandbox.checkGuards();
    }
  });

  test("a direction of 0 is no step of Lion", () => {
    const rule = lion({ lr: 0.5, beta1: 0.5, beta2: 0.5, l2: 0, weightDecay: 0 });
    const [p, m] = [sandbox.f32([1, 1, 1, 1, 1]), sandbox.f32([0, 1, -1, 1, 0])];
    rule.call(sandbox, 5, sandbox.f32([0, -1, 1, 2, -0]).ptr, p.ptr, [m.ptr], sandbox.f32(listOf(rule, 1)).ptr, 0);
    same(p.data, [1, 1, 1, 0.5, 1]);
  });

  test("the first step of Adam is the learning rate, whatever the gradient's size", () => {
    const rule = adam({
      lr: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      amsgrad: false,
      torch: false,
      l2: 0,
      weightDecay: 0,
    });
    const p = sandbox.f32(4);
    p.data.fill(0);
    const slots = [0, 1].map(() => sandbox.f32(new Float32Array(4)).ptr);
    rule.call(sandbox, 4, sandbox.f32([100, -1, 1, -100]).ptr, p.ptr, slots, sandbox.f32(listOf(rule, 1)).ptr, 0);
    close(p.data, [-0.001, 0.001, -0.001, 0.001], 5e-6);
  });
});
