/** Callbacks for `fit`. */
import { csvLogger } from "./csv_logger.ts";
import { earlyStopping } from "./early_stopping.ts";
import { jsonLogger } from "./json_logger.ts";
import { lambda } from "./lambda.ts";
import { modelCheckpoint } from "./model_checkpoint.ts";
import { progress } from "./progress.ts";
import { reduceLROnPlateau } from "./reduce_lr_on_plateau.ts";
import { terminateOnNaN } from "./terminate_on_nan.ts";

/**
 * Callbacks for `fit`, which calls them in the order of its `callbacks` option.
 *
 * @namespace
 */
export const callbacks = {
  /** Ends the training when a logged value has not improved for `patience` epochs. */
  earlyStopping,
  /** Saves the model after every epoch, or with `saveBestOnly` when a logged value is the best so far. */
  modelCheckpoint,
  /** Writes epoch and logged values as comma-separated values, one line per epoch, the keys in the first line. */
  csvLogger,
  /** Writes epoch and logged values as JSON, one line per epoch. */
  jsonLogger,
  /** Multiplies all learning rates by `factor` when a logged value has not improved for `patience` epochs; logs `learning_rate`. */
  reduceLROnPlateau,
  /**
   * When a loss or a gradient is not finite, ends the training normally with the last finite weights. Without it `fit` rejects
   * with a NonFiniteError.
   */
  terminateOnNaN,
  /** A callback of functions of your own, `{ onEpochEnd(event, model) { … } }`, whose names are checked. */
  lambda,
  /** Shows the progress of `fit` on the terminal, as its `verbose` option does. */
  progress,
};
