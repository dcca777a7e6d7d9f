/** The rules of the optimizers, a row of a table each: defaults, slots, hyperparameters, kernel. `record_update.ts` applies them. */
import { power } from "../base/portable_math.ts";
import type { Operand } from "../graph/ir.ts";
import type { Trace } from "../graph/trace.ts";
import type { AdamOptions, COMMON_DEFAULTS, OptionsByOptimizer } from "./optimizer_options.ts";
import type { UpdateRange } from "./update_rule.ts";
import {
  ADADELTA_HYPER,
  ADAMAX_HYPER,
  ADAM_HYPER,
  LION_HYPER,
  RMSPROP_HYPER,
  SGD_HYPER,
} from "../abi/hyperparameters.ts";

/** The options of a rule, filled in. */
export type RuleConfig = Record<string, number | boolean>;

/** Hyperparameters of a kernel by name, for update number `step`, from 1, at this learning rate. */
export type RuleHyper = (rate: number, step: number) => Record<string, number>;

export interface RuleDefinition {
  readonly defaults: RuleConfig;
  /** Defaults that differ in PyTorch. */
  readonly torch?: RuleConfig;
  /** The arrays kept beside every weight, with the value that each starts from. */
  slots(config: RuleConfig): Readonly<Record<string, number>>;
  /** Names of the kernel's hyperparameters, in order. */
  readonly layout: readonly string[];
  hyper(config: RuleConfig, torch: boolean): RuleHyper;
  record(trace: Trace, range: UpdateRange, slot: (name: string) => Operand | 0, config: RuleConfig): void;
}

/** Holds the defaults of a row to the options of its optimizer. */
type RuleFor<O> = Omit<RuleDefinition, "defaults"> & {
  readonly defaults: { readonly [K in Exclude<keyof Required<O>, keyof typeof COMMON_DEFAULTS>]: number | boolean };
};

/** Weight decay as kernels take it: `l2` is added to the gradient, `decay` taken off the weight. */
const decays = ({ weightDecay }: RuleConfig, rate: number, l2: boolean): { l2: number; decay: number } =>
  l2 ? { l2: +weightDecay, decay: 0 } : { l2: 0, decay: rate * +weightDecay };

/** Adam. @param decoupled  weight decay is taken off the weights in both conventions (Loshchilov and Hutter 2019) */
const adamRule = (decoupled: boolean, weightDecay: number, torchDecay: number): RuleFor<AdamOptions> => ({
  defaults: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false, weightDecay },
  torch: { epsilon: 1e-8, weightDecay: torchDecay },
  slots: ({ amsgrad }) => ({ m: 0, v: 0, ...(amsgrad ? { vhat: 0 } : {}) }),
  layout: ADAM_HYPER,
  hyper(config, torch) {
    const [beta1, beta2, epsilon] = [+config.beta1, +config.beta2, +config.epsilon];
    return (rate, step) => {
      const root = Math.sqrt(1 - power(beta2, step));
      return {
        rate: (rate * root) / (1 - power(beta1, step)),
        ...decays(config, rate, torch && !decoupled),
        beta1,
        share1: 1 - beta1,
        beta2,
        share2: 1 - beta2,
        direct: 0,
        // PyTorch adds epsilon after the bias correction, Keras before: its epsilon is the paper's epsilon hat
        epsilon: torch ? epsilon * root : epsilon,
      };
    };
  },
  record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
    trace.call("f32_adam", size, gradient, parameter, slot("m"), slot("v"), slot("vhat"), hyper, guard),
});

/** A product below this does not change 1 − product. */
const VANISHED = 2 ** -60;

/** Nadam's momentum µ of a step, and the product of µ over all steps so far, which is kept from step to step. */
function nadamMomentum(
  beta1: number,
  momentumDecay: number,
): { mu: (t: number) => number; product: (t: number) => number } {
  const mu = (t: number): number => beta1 * (1 - 0.5 * power(0.96, t * momentumDecay));
  const products = [1];
  return {
    mu,
    product(t) {
      while (products.length <= t && products.at(-1)! > VANISHED) products.push(products.at(-1)! * mu(products.length));
      return products[t] ?? 0;
    },
  };
}

export const RULES: { readonly [K in keyof OptionsByOptimizer]: RuleFor<OptionsByOptimizer[K]> } = {
  sgd: {
    defaults: { learningRate: 0.01, momentum: 0, nesterov: false, dampening: 0, weightDecay: 0 },
    torch: { learningRate: 0.001 },
    slots: ({ momentum }): Record<string, number> => (momentum !== 0 ? { momentum: 0 } : {}),
    layout: SGD_HYPER,
    hyper: (config, torch) => (rate, step) => ({
      rate,
      ...decays(config, rate, torch),
      momentum: +config.momentum,
      torch: +torch,
      share: step === 1 ? 1 : 1 - +config.dampening, // the first momentum is the gradient itself
    }),
    record: (trace, { size, gradient, parameter, hyper, guard }, slot, { nesterov }) =>
      trace.call("f32_sgd", size, gradient, parameter, slot("momentum"), hyper, guard, +nesterov),
  },
  rmsprop: {
    defaults: { learningRate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false, weightDecay: 0 },
    torch: { learningRate: 0.01, rho: 0.99, epsilon: 1e-8 },
    slots: ({ momentum, centered }) => ({
      v: 0,
      ...(momentum !== 0 ? { momentum: 0 } : {}),
      ...(centered ? { average: 0 } : {}),
    }),
    layout: RMSPROP_HYPER,
    hyper: (config, torch) => (rate) => ({
      rate,
      ...decays(config, rate, torch),
      momentum: +config.momentum,
      rho: +config.rho,
      share: 1 - +config.rho,
      epsilon: +config.epsilon,
      torch: +torch,
    }),
    record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
      trace.call("f32_rmsprop", size, gradient, parameter, slot("v"), slot("momentum"), slot("average"), hyper, guard),
  },
  adam: adamRule(false, 0, 0),
  adamw: adamRule(true, 0.004, 0.01),
  nadam: {
    ...adamRule(false, 0, 0),
    defaults: {
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      momentumDecay: 1,
      weightDecay: 0,
      decoupledWeightDecay: true,
    },
    torch: { learningRate: 0.002, epsilon: 1e-8, momentumDecay: 0.004, decoupledWeightDecay: false },
    hyper(config) {
      const [beta1, beta2, epsilon] = [+config.beta1, +config.beta2, +config.epsilon];
      const { mu, product } = nadamMomentum(beta1, +config.momentumDecay);
      return (rate, step) => {
        const root = Math.sqrt(1 - power(beta2, step));
        return {
          rate: (rate * root * mu(step + 1)) / (1 - product(step + 1)),
          direct: (rate * root * (1 - mu(step))) / (1 - product(step)),
          ...decays(config, rate, !config.decoupledWeightDecay),
          beta1,
          share1: 1 - beta1,
          beta2,
          share2: 1 - beta2,
          epsilon: epsilon * root,
        };
      };
    },
  },
  adamax: {
    defaults: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0 },
    torch: { learningRate: 0.002, epsilon: 1e-8 },
    slots: () => ({ m: 0, u: 0 }),
    layout: ADAMAX_HYPER,
    hyper(config, torch) {
      const [beta1, beta2, epsilon] = [+config.beta1, +config.beta2, +config.epsilon];
      return (rate, step) => ({
        rate: rate / (1 - power(beta1, step)),
        ...decays(config, rate, torch),
        beta1,
        share1: 1 - beta1,
        beta2,
        epsilon: torch ? 0 : epsilon,
        within: torch ? epsilon : 0,
      });
    },
    record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
      trace.call("f32_adamax", size, gradient, parameter, slot("m"), slot("u"), hyper, guard),
  },
  adagrad: {
    defaults: {
      learningRate: 0.001,
      initialAccumulatorValue: 0.1,
      epsilon: 1e-7,
      learningRateDecay: 0,
      weightDecay: 0,
    },
    torch: { learningRate: 0.01, initialAccumulatorValue: 0, epsilon: 1e-10 },
    slots: ({ initialAccumulatorValue }) => ({ accumulator: +initialAccumulatorValue }),
    layout: RMSPROP_HYPER,
    hyper: (config, torch) => (rate, step) => ({
      rate: rate / (1 + (step - 1) * +config.learningRateDecay),
      ...decays(config, rate, torch),
      momentum: 0,
      rho: 1,
      share: 1,
      epsilon: +config.epsilon,
      torch: +torch,
    }),
    record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
      trace.call("f32_rmsprop", size, gradient, parameter, slot("accumulator"), 0, 0, hyper, guard),
  },
  adadelta: {
    defaults: { learningRate: 0.001, rho: 0.95, epsilon: 1e-7, weightDecay: 0 },
    torch: { learningRate: 1, rho: 0.9, epsilon: 1e-6 },
    slots: () => ({ v: 0, steps: 0 }),
    layout: ADADELTA_HYPER,
    hyper: (config, torch) => (rate) => ({
      rate,
      ...decays(config, rate, torch),
      rho: +config.rho,
      share: 1 - +config.rho,
      epsilon: +config.epsilon,
    }),
    record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
      trace.call("f32_adadelta", size, gradient, parameter, slot("v"), slot("steps"), hyper, guard),
  },
  lion: {
    defaults: { learningRate: 0.001, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
    torch: { learningRate: 0.0001 }, // the authors' own: PyTorch has none
    slots: () => ({ m: 0 }),
    layout: LION_HYPER,
    hyper(config) {
      const [beta1, beta2] = [+config.beta1, +config.beta2];
      return (rate) => ({ rate, ...decays(config, rate, false), beta1, share1: 1 - beta1, beta2, share2: 1 - beta2 });
    },
    record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
      trace.call("f32_lion", size, gradient, parameter, slot("m"), hyper, guard),
  },
};
