/** Optimizers in Keras' names. */
import { knownName, namesOf } from "../base/options.ts";
import { Optimizer } from "./optimizer.ts";
import type { OptionsByOptimizer } from "./optimizer_options.ts";
import { RULES } from "./rules.ts";

const factory =
  <K extends keyof OptionsByOptimizer>(kind: K) =>
  (options: OptionsByOptimizer[K] = {}): Optimizer =>
    new Optimizer(kind, options);

/**
 * Optimizers with the names, formulas and defaults of Keras, or those of PyTorch with `convention: "torch"`. Below, η is the
 * learning rate, g the gradient of a weight w, t the number of the update from 1. Every optimizer also takes `learningRates`,
 * `clipNorm`, `globalClipNorm`, `clipValue`, `weightDecay`, `excludeFromWeightDecay`, `useEma`, `gradientAccumulationSteps`.
 *
 * @namespace
 */
export const optimizers = {
  /**
   * Stochastic gradient descent: w ← w − η·g, or with momentum v ← momentum·v − η·g, w ← w + v.
   * Learning rate 0.01; PyTorch 0.001.
   */
  sgd: factory("sgd"),
  /**
   * RMSprop (Tieleman and Hinton 2012): v ← rho·v + (1 − rho)·g², w ← w − η·g / √(v + epsilon).
   * Learning rate 0.001; PyTorch 0.01.
   */
  rmsprop: factory("rmsprop"),
  /**
   * Adam (Kingma and Ba 2015): m ← beta1·m + (1 − beta1)·g, v ← beta2·v + (1 − beta2)·g²,
   * w ← w − η·√(1 − beta2ᵗ) / (1 − beta1ᵗ) · m / (√v + epsilon); PyTorch divides v by 1 − beta2ᵗ before epsilon is added.
   * Learning rate 0.001.
   */
  adam: factory("adam"),
  /**
   * Adam with decoupled weight decay (Loshchilov and Hutter 2019): also w ← w − η·weightDecay·w.
   * Learning rate 0.001, weight decay 0.004; PyTorch 0.01.
   */
  adamw: factory("adamw"),
  /** Adam with Nesterov momentum (Dozat 2016). Learning rate 0.001; PyTorch 0.002. */
  nadam: factory("nadam"),
  /**
   * Adam with the infinity norm (Kingma and Ba 2015, section 7.1): m as in Adam, u ← max(beta2·u, |g|),
   * w ← w − η / (1 − beta1ᵗ) · m / (u + epsilon).
   * Learning rate 0.001; PyTorch 0.002.
   */
  adamax: factory("adamax"),
  /** Adagrad (Duchi et al. 2011): a ← a + g², w ← w − η·g / √(a + epsilon). Learning rate 0.001; PyTorch 0.01. */
  adagrad: factory("adagrad"),
  /**
   * Adadelta (Zeiler 2012): w ← w − η·g·√(d + epsilon) / √(v + epsilon), with running means v of squared gradients and d of
   * squared updates. Learning rate 0.001; PyTorch 1.
   */
  adadelta: factory("adadelta"),
  /**
   * Lion (Chen et al. 2023): w ← w − η·sign(beta1·m + (1 − beta1)·g), m ← beta2·m + (1 − beta2)·g.
   * Learning rate 0.001; with `convention: "torch"` 0.0001, its authors' own.
   */
  lion: factory("lion"),
} satisfies { [K in keyof OptionsByOptimizer]: (options?: OptionsByOptimizer[K]) => Optimizer };

/** Name of an optimizer, in lower or upper case. */
export type OptimizerName = keyof OptionsByOptimizer | (string & {});

/** An optimizer given by name, or as it is. @throws OptionError for an unknown name */
export function optimizerOf(optimizer: Optimizer | OptimizerName): Optimizer {
  if (typeof optimizer === "object" && typeof optimizer?.record === "function") return optimizer; // of another copy of the package too
  const name = typeof optimizer === "string" ? optimizer.toLowerCase() : optimizer;
  return new Optimizer(knownName("optimizer", "optimizer", name, namesOf(RULES)), {});
}

export { Optimizer } from "./optimizer.ts";
