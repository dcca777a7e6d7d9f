/** Losses: functions of targets and predictions, with Keras' names, defaults and conventions. */
import { OptionError, nearest } from "../errors.ts";
import { crossentropyLosses } from "./crossentropy.ts";
import type { Loss } from "./define.ts";
import { regressionLosses } from "./regression.ts";

export const losses = { ...regressionLosses, ...crossentropyLosses };

/** Keras' short names. */
const NAMES: Record<string, keyof typeof losses> = {
  mse: "meanSquaredError", mae: "meanAbsoluteError", mape: "meanAbsolutePercentageError", msle: "meanSquaredLogarithmicError",
  kld: "klDivergence", logcosh: "logCosh",
};

/**
 * A loss given by name, or as it is.
 *
 * @throws OptionError for an unknown name
 */
export function lossOf(loss: Loss | string): Loss {
  if (typeof loss === "function") return loss;
  const name = NAMES[loss] ?? loss.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (!Object.hasOwn(losses, name)) throw new OptionError(`compile: expected a known loss, got "${loss}"${nearest(name, Object.keys(losses))}`);
  return losses[name as keyof typeof losses]();
}

export type { Loss, LossOptions, Reduction } from "./define.ts";
