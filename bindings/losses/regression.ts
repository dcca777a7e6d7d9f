/** Losses of numbers: one per sample or step, the mean over the last axis. */
import {
  abs,
  add,
  affine,
  div,
  greater,
  log,
  maximum,
  minimum,
  mul,
  neg,
  square,
  sub,
  unary,
  where,
  exp,
} from "../ops/elementwise.ts";
import { denseCrossEntropy, squaredError } from "../ops/loss.ts";
import { mean, sum } from "../ops/reduce.ts";
import { slice, stopGradient } from "../ops/shape.ts";
import { ShapeError } from "../base/errors.ts";
import type { Defaults } from "../base/options.ts";
import { describe } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { EPSILON, TINY, alignTargets, defineLoss, type LossFactory } from "./define_loss.ts";

/** A loss that is the mean over the last axis of something elementwise. */
const elementwise = <O extends object>(
  name: string,
  defaults: Defaults<O>,
  each: (target: Tensor, prediction: Tensor, options: O) => Tensor,
): LossFactory<O> =>
  defineLoss<O>(name, defaults, (yTrue, yPred, options) =>
    mean(each(alignTargets(name, yTrue, yPred), yPred, options), { axis: -1 }),
  );

/** Quadratic up to a limit, linear beyond. */
const bent = (error: Tensor, limit: number): Tensor => {
  const size = abs(error);
  return where(greater(size, limit), affine(size, limit, -0.5 * limit * limit), affine(square(error), 0.5, 0));
};

/** x over its length along the last axis. */
const unit = (x: Tensor): Tensor =>
  div(x, maximum(unary("sqrt", maximum(sum(square(x), { axis: -1, keepDims: true }), 1e-24)), 1e-12));

/** log(x + 1) of what is not below Keras' guard. */
const logPlusOne = (x: Tensor): Tensor => log(add(maximum(x, EPSILON), 1));

const LN_2 = 0.6931471805599453;
const HALF_LN_TWO_PI = 0.9189385332046727;

/** Targets of ±1, also when they are given as 0 and 1. @internal */
const signs = (t: Tensor): Tensor => affine(greater(t, 0), 2, -1);

/** Options of `losses.huber`. */
export interface HuberOptions {
  /** Size of an error from which on the loss is linear. @default 1 */
  delta?: number;
}

/** Options of `losses.smoothL1`. */
export interface SmoothL1Options {
  /** Size of an error from which on the loss is linear. @default 1 */
  beta?: number;
}

/** Options of `losses.gaussianNll`. */
export interface GaussianNllOptions {
  /** Adds ½·log 2π. @default false */
  full?: boolean;
  /** Smallest variance that counts. @default 1e-6 */
  epsilon?: number;
  /** The second half of the predictions is the logarithm of the variance. @default false */
  logVariance?: boolean;
}

/** Options of `losses.klDivergence`. */
export interface KLDivergenceOptions {
  /** Predictions are before the softmax. @default false */
  fromLogits?: boolean;
}

/** Options of `losses.poisson`. */
export interface PoissonOptions {
  /** Predictions are logarithms of rates, as PyTorch takes them. @default false */
  logRate?: boolean;
}

export const regressionLosses = {
  /** (t − p)² */
  meanSquaredError: elementwise("meanSquaredError", {}, (t, p) => squaredError(p, t)),
  /** |t − p| */
  meanAbsoluteError: elementwise("meanAbsoluteError", {}, (t, p) => abs(sub(p, t))),
  /** 100·|t − p| / |t| */
  meanAbsolutePercentageError: elementwise("meanAbsolutePercentageError", {}, (t, p) =>
    affine(abs(div(sub(p, t), maximum(abs(t), EPSILON))), 100, 0),
  ),
  /** (log(t + 1) − log(p + 1))² */
  meanSquaredLogarithmicError: elementwise("meanSquaredLogarithmicError", {}, (t, p) =>
    square(sub(logPlusOne(p), logPlusOne(t))),
  ),
  /** Quadratic up to `delta`, linear beyond (Huber 1964). */
  huber: elementwise<HuberOptions>("huber", { delta: 1 }, (t, p, { delta }) => bent(sub(p, t), delta!)),
  /** PyTorch's smooth L1: Huber over `beta`, and |t − p| for 0. */
  smoothL1: elementwise<SmoothL1Options>("smoothL1", { beta: 1 }, (t, p, { beta }) =>
    beta === 0 ? abs(sub(p, t)) : affine(bent(sub(p, t), beta!), 1 / beta!, 0),
  ),
  /** log cosh(p − t) = x + softplus(−2x) − log 2 */
  logCosh: elementwise("logCosh", {}, (t, p) => {
    const x = sub(p, t);
    return affine(add(x, unary("softplus", affine(x, -2, 0))), 1, -LN_2);
  }),
  /** p − t·log p; `logRate`: eᵖ − t·p */
  poisson: elementwise<PoissonOptions>("poisson", { logRate: false }, (t, p, { logRate }) =>
    logRate ? sub(exp(p), mul(t, p)) : sub(p, mul(t, log(add(p, EPSILON)))),
  ),
  /** max(1 − t·p, 0), t being ±1; 0 and 1 stand for −1 and 1 */
  hinge: elementwise("hinge", {}, (t, p) => maximum(affine(mul(signs(t), p), -1, 1), 0)),
  /** max(1 − t·p, 0)² */
  squaredHinge: elementwise("squaredHinge", {}, (t, p) => square(maximum(affine(mul(signs(t), p), -1, 1), 0))),

  /** Minus the cosine of the angle between target and prediction: −1 when they point the same way. */
  cosineSimilarity: defineLoss("cosineSimilarity", {}, (yTrue, yPred) =>
    neg(sum(mul(unit(alignTargets("cosineSimilarity", yTrue, yPred)), unit(yPred)), { axis: -1 })),
  ),

  /** Σ t·log(t / p), of probabilities that count as 1e-7 at least; `fromLogits`: of any, p = softmax(predictions). */
  klDivergence: defineLoss<KLDivergenceOptions>(
    "klDivergence",
    { fromLogits: false },
    (yTrue, yPred, { fromLogits }) => {
      const targets = alignTargets("klDivergence", yTrue, yPred);
      if (fromLogits)
        return add(denseCrossEntropy(yPred, targets), sum(mul(targets, log(maximum(targets, TINY))), { axis: -1 }));
      const [t, p] = [targets, yPred].map((x) => minimum(maximum(x, EPSILON), 1));
      return sum(mul(t, log(div(t, p))), { axis: -1 });
    },
  ),

  /**
   * ½·(log v + (t − m)²/v) for predictions [.., 2n]: n means m, then n variances v, which count as at least `epsilon` but
   * keep their gradient, as in PyTorch; `full` adds ½·log 2π. `logVariance`: the second half is log v.
   */
  gaussianNll: defineLoss<GaussianNllOptions>(
    "gaussianNll",
    { full: false, epsilon: 1e-6, logVariance: false },
    (yTrue, yPred, { full, epsilon, logVariance }) => {
      const n = yPred.shape.at(-1)! / 2;
      if (!Number.isInteger(n))
        throw new ShapeError(
          `gaussianNll: expected predictions [.., 2n] of means and variances, got ${describe(yPred.shape)}`,
        );
      const half = (first: number): Tensor =>
        slice(yPred, [...yPred.shape.slice(1).map(() => 0), first], [...yPred.shape.slice(1).map(() => -1), n]);
      const m = half(0);
      const given = logVariance ? exp(half(n)) : half(n);
      const v = add(given, stopGradient(maximum(affine(given, -1, epsilon!), 0)));
      const each = affine(
        add(log(v), div(squaredError(m, alignTargets("gaussianNll", yTrue, m)), v)),
        0.5,
        full ? HALF_LN_TWO_PI : 0,
      );
      return mean(each, { axis: -1 });
    },
  ),
};
