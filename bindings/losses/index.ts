/** Losses: functions of targets and predictions, with Keras' names, defaults and conventions. */
import { knownName, namesOf } from "../base/options.ts";
import { crossentropyLosses } from "./crossentropy.ts";
import type { Loss } from "./define.ts";
import { regressionLosses } from "./regression.ts";

/**
 * Losses with Keras' names, defaults and conventions, for `compile` and for functions of your own: one number per sample [batch] or
 * step [batch, time], reduced to their mean. t: target, p: prediction; the mean over the last axis where nothing else is said.
 *
 * @namespace
 */
export const losses = { ...regressionLosses, ...crossentropyLosses };

/** Keras' short names. */
const NAMES: Record<string, keyof typeof losses> = {
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
  mape: "meanAbsolutePercentageError",
  msle: "meanSquaredLogarithmicError",
  kld: "klDivergence",
  logcosh: "logCosh",
  bce: "binaryCrossentropy",
};

/**
 * A loss given by name, or as it is.
 *
 * @throws OptionError for an unknown name
 */
export function lossOf(loss: Loss | string): Loss {
  if (typeof loss === "function") return loss;
  return losses[knownName("compile", "loss", loss, namesOf(losses), NAMES)]();
}

export type { Loss, LossOptions, Reduction } from "./define.ts";
