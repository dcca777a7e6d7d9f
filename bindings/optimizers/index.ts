/** Optimizers in Keras' names. */
import { knownName, namesOf } from "../base/options.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { RULES } from "./rules.ts";

/** Options of `optimizers.sgd`. */
export interface SGDOptions extends OptimizerOptions {
  /** How much of the last update is repeated. @default 0 */
  momentum?: number;
  /** Looks ahead by the momentum (Nesterov 1983). @default false */
  nesterov?: boolean;
  /** Share of the gradient that momentum leaves out (PyTorch). @default 0 */
  dampening?: number;
}

/** Options of `optimizers.rmsprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** How much of the running mean stays. @default 0.9, PyTorch 0.99 */
  rho?: number;
  /** How much of the last update is repeated. @default 0 */
  momentum?: number;
  /** Keeps the divisor from 0. @default 1e-7, PyTorch 1e-8 */
  epsilon?: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square. @default false */
  centered?: boolean;
}

/** Options of those that keep two moments. */
export interface MomentsOptions extends OptimizerOptions {
  /** How much of the mean gradient stays. @default 0.9 */
  beta1?: number;
  /** How much of the mean square stays. @default 0.999 */
  beta2?: number;
  /** Keeps the divisor from 0. @default 1e-7, PyTorch 1e-8 */
  epsilon?: number;
}

/** Options of `optimizers.adam` and `adamw`. */
export interface AdamOptions extends MomentsOptions {
  /** Divides by the largest second moment so far (Reddi et al. 2018). @default false */
  amsgrad?: boolean;
}

/** Options of `optimizers.nadam`. */
export interface NadamOptions extends MomentsOptions {
  /** How fast momentum grows to beta1: by 1 − 0.96^(momentumDecay · t) / 2. @default 1, PyTorch 0.004 */
  momentumDecay?: number;
  /** Takes weight decay off the weights instead of adding it to the gradient (L2). @default true, PyTorch false */
  decoupledWeightDecay?: boolean;
}

/** Options of `optimizers.adagrad`. */
export interface AdagradOptions extends OptimizerOptions {
  /** Where the sums of squares start. @default 0.1, PyTorch 0 */
  initialAccumulatorValue?: number;
  /** Keeps the divisor from 0. @default 1e-7, PyTorch 1e-10 */
  epsilon?: number;
  /** Divides the rate by 1 + learningRateDecay · updates (PyTorch's lr_decay). @default 0 */
  learningRateDecay?: number;
}

/** Options of `optimizers.adadelta`. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** How much of the running means stays. @default 0.95, PyTorch 0.9 */
  rho?: number;
  /** Keeps the divisor from 0. @default 1e-7, PyTorch 1e-6 */
  epsilon?: number;
}

/** Options of `optimizers.lion`. */
export interface LionOptions extends OptimizerOptions {
  /** Share of the mean in the direction of an update. @default 0.9 */
  beta1?: number;
  /** How much of the mean gradient stays. @default 0.99 */
  beta2?: number;
}

const factory =
  <O extends OptimizerOptions>(kind: string) =>
  (options: O = {} as O): Optimizer =>
    new Optimizer(kind, options as OptimizerOptions & Record<string, unknown>);

/**
 * Optimizers with Keras' names and defaults, or PyTorch's by `convention: "torch"`. Default rates are given below, PyTorch's behind.
 *
 * @namespace
 */
export const optimizers = {
  /** Stochastic gradient descent, with momentum where asked. Rate 0.01; 0.001. */
  sgd: factory<SGDOptions>("sgd"),
  /** Divides by the root of a running mean of squared gradients (Tieleman and Hinton 2012). Rate 0.001; 0.01. */
  rmsprop: factory<RMSpropOptions>("rmsprop"),
  /** Adaptive moments (Kingma and Ba 2015). Rate 0.001. */
  adam: factory<AdamOptions>("adam"),
  /** Adam with decoupled weight decay (Loshchilov and Hutter 2019), 0.004; 0.01. Rate 0.001. */
  adamw: factory<AdamOptions>("adamw"),
  /** Adam with Nesterov momentum (Dozat 2016). Rate 0.001; 0.002. */
  nadam: factory<NadamOptions>("nadam"),
  /** Adam by the largest gradient instead of the mean square (Kingma and Ba 2015, section 7.1). Rate 0.001; 0.002. */
  adamax: factory<MomentsOptions>("adamax"),
  /** Divides by the root of the sum of squared gradients (Duchi et al. 2011). Rate 0.001; 0.01. */
  adagrad: factory<AdagradOptions>("adagrad"),
  /** Steps as large as former ones (Zeiler 2012). Rate 0.001; 1. */
  adadelta: factory<AdadeltaOptions>("adadelta"),
  /** Steps of one size, along the signs of a mean (Chen et al. 2023). Rate 0.001; 0.0001. */
  lion: factory<LionOptions>("lion"),
};

/** An optimizer given by name, or as it is. @throws OptionError for an unknown name */
export function optimizerOf(optimizer: Optimizer | string): Optimizer {
  if (typeof optimizer === "object" && typeof optimizer?.record === "function") return optimizer; // of another copy of the package too
  const name = typeof optimizer === "string" ? optimizer.toLowerCase() : optimizer;
  return new Optimizer(knownName("optimizer", "optimizer", name, namesOf(RULES)), {});
}

export { Optimizer, type Convention, type OptimizerOptions, type Schedule } from "./optimizer.ts";
