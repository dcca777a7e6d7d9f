/** Losses: functions of targets and predictions, with Keras' names, defaults and conventions. */
import { knownName, namesOf } from "../base/options.ts";
import { crossentropyLosses } from "./crossentropy.ts";
import type { Loss } from "./define_loss.ts";
import { regressionLosses } from "./regression.ts";

/**
 * Losses with Keras' names, defaults and conventions, for `compile` and for functions of your own: one number per sample [batch] or
 * step [batch, time], reduced to their mean. t: target, p: prediction; the mean over the last axis where nothing else is said.
 *
 * @namespace
 */
export const losses: typeof regressionLosses & typeof crossentropyLosses = {
  ...regressionLosses,
  ...crossentropyLosses,
};

/** Short names of Keras. */
const SHORT_NAMES = {
  mse: "meanSquaredError",
  mae: "meanAbsoluteError",
  mape: "meanAbsolutePercentageError",
  msle: "meanSquaredLogarithmicError",
  kld: "klDivergence",
  logcosh: "logCosh",
  bce: "binaryCrossentropy",
} as const satisfies Record<string, keyof typeof losses>;

/** Name of a loss: its own, a short one, or in another spelling of Keras, such as `"mean_squared_error"`. */
export type LossName = keyof typeof losses | keyof typeof SHORT_NAMES | (string & {});

/**
 * A loss given by name, or as it is.
 *
 * @throws OptionError for an unknown name
 */
export function lossOf(loss: Loss | LossName): Loss {
  if (typeof loss === "function") return loss;
  return losses[knownName("compile", "loss", loss, namesOf(losses), SHORT_NAMES)]();
}

export type { Loss } from "./define_loss.ts";
