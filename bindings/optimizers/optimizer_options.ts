/** Options of the optimizers: those that all have, and those of each rule. */
import type { Defaults } from "../base/options.ts";

/**
 * A learning rate that changes: gets the number of steps done, from 0, and gives the rate of the next one.
 * `schedules.*` make them.
 */
export type Schedule = (step: number) => number;

/** Whose formulas and defaults an optimizer follows, where Keras and PyTorch differ. */
export type Convention = "keras" | "torch";

/** Options that all optimizers have. */
export interface OptimizerOptions {
  /** Learning rate: a number ≥ 0 or a schedule. The default is the optimizer's own. */
  learningRate?: number | Schedule;
  /**
   * Other learning rates for some weights, by the path of a layer or of a weight: `"embedding"`, `"blocks/0/cell"`,
   * `"lstm/kernel"`. The longest path that fits a weight counts; all others have `learningRate`. @default {}
   */
  learningRates?: Readonly<Record<string, number | Schedule>> | undefined;
  /** Scales the gradient of each weight down to at most this L2 norm. @default none */
  clipNorm?: number | undefined;
  /** Scales all gradients together down to at most this L2 norm. @default none */
  globalClipNorm?: number | undefined;
  /** Clips every element of a gradient to −clipValue…clipValue. @default none */
  clipValue?: number | undefined;
  /**
   * Weight decay. Keras' convention: each step takes `learningRate · weightDecay · w` off a weight w. PyTorch's: `weightDecay · w`
   * is added to its gradient (L2), but in adamw and lion. @default 0; in adamw 0.004, PyTorch 0.01
   */
  weightDecay?: number | undefined;
  /**
   * Weights without decay: the path of a layer or of a weight as in `learningRates`, or the name a weight has in every layer,
   * such as `"bias"`. @default []
   */
  excludeFromWeightDecay?: readonly string[] | undefined;
  /**
   * Keeps an exponential moving average of the weights. At the end of `fit` the averages become the weights; elsewhere
   * {@link Optimizer.finalizeVariableValues} does it. @default false
   */
  useEma?: boolean | undefined;
  /** Momentum m of that average: average ← m · average + (1 − m) · weight. @default 0.99 */
  emaMomentum?: number | undefined;
  /** Also replaces the weights by their averages after every so many updates. @default never */
  emaOverwriteFrequency?: number | undefined;
  /**
   * Steps per update: gradients of so many steps are averaged into one update. As in Keras, schedules count steps and
   * everything else counts updates. @default 1
   */
  gradientAccumulationSteps?: number | undefined;
  /** Whose formulas and defaults hold where Keras and PyTorch differ: epsilon, momentum, weight decay. @default "keras" */
  convention?: Convention;
}

/** Options that do not depend on the rule, with their defaults. */
export const COMMON_DEFAULTS = {
  learningRates: {},
  excludeFromWeightDecay: [],
  clipNorm: undefined,
  globalClipNorm: undefined,
  clipValue: undefined,
  useEma: false,
  emaMomentum: 0.99,
  emaOverwriteFrequency: undefined,
  gradientAccumulationSteps: 1,
  convention: "keras",
} satisfies Defaults<Omit<OptimizerOptions, "learningRate" | "weightDecay">>;

/** Options of `optimizers.sgd`. */
export interface SGDOptions extends OptimizerOptions {
  /** Momentum m: v ← m · v − learningRate · gradient, w ← w + v. @default 0 */
  momentum?: number;
  /** Nesterov momentum: the gradient is followed from where momentum leads (Nesterov 1983). @default false */
  nesterov?: boolean;
  /** Dampening of momentum (PyTorch): v ← m · v + (1 − dampening) · gradient. Not with `nesterov`. @default 0 */
  dampening?: number;
}

/** Options of `optimizers.rmsprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** Decay of the running mean of squared gradients: v ← rho · v + (1 − rho) · gradient². @default 0.9, PyTorch 0.99 */
  rho?: number;
  /** Momentum of the update. @default 0 */
  momentum?: number;
  /** Added to the divisor for numerical stability. @default 1e-7, PyTorch 1e-8 */
  epsilon?: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square. @default false */
  centered?: boolean;
}

/** Options of optimizers that keep the first and the second moment of the gradient. */
export interface MomentsOptions extends OptimizerOptions {
  /** Decay of the first moment: m ← beta1 · m + (1 − beta1) · gradient. @default 0.9 */
  beta1?: number;
  /** Decay of the second moment: v ← beta2 · v + (1 − beta2) · gradient². @default 0.999 */
  beta2?: number;
  /** Added to the divisor for numerical stability. @default 1e-7, PyTorch 1e-8 */
  epsilon?: number;
}

/** Options of `optimizers.adam` and `optimizers.adamw`. */
export interface AdamOptions extends MomentsOptions {
  /** Divides by the largest second moment so far (Reddi et al. 2018). @default false */
  amsgrad?: boolean;
}

/** Options of `optimizers.nadam`. */
export interface NadamOptions extends MomentsOptions {
  /** How fast the momentum of step t grows to beta1: beta1 · (1 − 0.96^(momentumDecay · t) / 2). @default 1, PyTorch 0.004 */
  momentumDecay?: number;
  /** Weight decay is taken off the weights instead of being added to the gradient. @default true, PyTorch false */
  decoupledWeightDecay?: boolean;
}

/** Options of `optimizers.adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** Initial value of the sums of squared gradients. @default 0.1, PyTorch 0 */
  initialAccumulatorValue?: number;
  /** Added to the divisor for numerical stability. @default 1e-7, PyTorch 1e-10 */
  epsilon?: number;
  /** The rate of update t, from 0, is learningRate / (1 + learningRateDecay · t) (PyTorch's lr_decay). @default 0 */
  learningRateDecay?: number;
}

/** Options of `optimizers.adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of the running means of squared gradients and squared updates. @default 0.95, PyTorch 0.9 */
  rho?: number;
  /** Added to both means for numerical stability. @default 1e-7, PyTorch 1e-6 */
  epsilon?: number;
}

/** Options of `optimizers.lion`. */
export interface LionOptions extends OptimizerOptions {
  /** Decay of the moment in the direction of an update: sign(beta1 · m + (1 − beta1) · gradient). @default 0.9 */
  beta1?: number;
  /** Decay of the moment that is kept: m ← beta2 · m + (1 − beta2) · gradient. @default 0.99 */
  beta2?: number;
}

/** The options of every optimizer, by its name. */
export interface OptionsByOptimizer {
  sgd: SGDOptions;
  rmsprop: RMSpropOptions;
  adam: AdamOptions;
  adamw: AdamOptions;
  nadam: NadamOptions;
  adamax: MomentsOptions;
  adagrad: AdagradOptions;
  adadelta: AdadeltaOptions;
  lion: LionOptions;
}
