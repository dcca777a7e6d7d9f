/** Optimizers in Keras' names. */
import { knownName, namesOf } from "../options.ts";
import { Optimizer, type OptimizerOptions } from "./optimizer.ts";
import { RULES } from "./rules.ts";

export interface SGDOptions extends OptimizerOptions {
  momentum?: number;
  nesterov?: boolean;
  /** Share of the gradient that momentum leaves out (PyTorch). */
  dampening?: number;
}

export interface RMSpropOptions extends OptimizerOptions {
  rho?: number;
  momentum?: number;
  epsilon?: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square. */
  centered?: boolean;
}

/** Options of those that keep two moments. */
export interface MomentsOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

export interface AdamOptions extends MomentsOptions {
  /** Divides by the largest second moment so far. */
  amsgrad?: boolean;
}

export interface NadamOptions extends MomentsOptions {
  /** How fast momentum grows to beta1: by 1 − 0.96^(momentumDecay · t) / 2. 1 in Keras, 0.004 in PyTorch. */
  momentumDecay?: number;
}

export interface AdagradOptions extends OptimizerOptions {
  /** Where the sums of squares start. */
  initialAccumulatorValue?: number;
  epsilon?: number;
  /** Divides the rate by 1 + learningRateDecay · updates (PyTorch's lr_decay). */
  learningRateDecay?: number;
}

export interface AdadeltaOptions extends OptimizerOptions {
  rho?: number;
  epsilon?: number;
}

export interface LionOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
}

const factory = <O extends OptimizerOptions>(kind: string) => (options: O = {} as O): Optimizer =>
  new Optimizer(kind, options as OptimizerOptions & Record<string, unknown>);

export const optimizers = {
  /** Stochastic gradient descent, with momentum where asked. */
  sgd: factory<SGDOptions>("sgd"),
  /** Divides by the root of a running mean of squared gradients (Tieleman and Hinton 2012). */
  rmsprop: factory<RMSpropOptions>("rmsprop"),
  /** Adaptive moments (Kingma and Ba 2015). */
  adam: factory<AdamOptions>("adam"),
  /** Adam with decoupled weight decay (Loshchilov and Hutter 2019). */
  adamw: factory<AdamOptions>("adamw"),
  /** Adam with Nesterov momentum (Dozat 2016). */
  nadam: factory<NadamOptions>("nadam"),
  /** Adam by the largest gradient instead of the mean square (Kingma and Ba 2015, section 7.1). */
  adamax: factory<MomentsOptions>("adamax"),
  /** Divides by the root of the sum of squared gradients (Duchi et al. 2011). */
  adagrad: factory<AdagradOptions>("adagrad"),
  /** Steps as large as former ones (Zeiler 2012). */
  adadelta: factory<AdadeltaOptions>("adadelta"),
  /** Steps of one size, along the signs of a mean (Chen et al. 2023). */
  lion: factory<LionOptions>("lion"),
};

/** An optimizer given by name, or as it is. @throws OptionError for an unknown name */
export function optimizerOf(optimizer: Optimizer | string): Optimizer {
  if (typeof optimizer === "object" && typeof optimizer?.record === "function") return optimizer; // of another copy of the package too
  const name = typeof optimizer === "string" ? optimizer.toLowerCase() : optimizer;
  return new Optimizer(knownName("optimizer", "optimizer", name, namesOf(RULES)), {});
}

export { Optimizer, type Convention, type OptimizerOptions, type Schedule } from "./optimizer.ts";
