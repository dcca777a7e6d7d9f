/** `callbacks.reduceLROnPlateau`: lowers the learning rates when a logged value has stopped improving. */
import { OptionError } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import { checkNumber, checkWhole, withDefaults, type Defaults } from "../../base/options.ts";
import type { Callback } from "../callback.ts";
import { MONITOR_DEFAULTS, Monitor, type MonitorOptions } from "./monitor.ts";

/**
 * Options of `callbacks.reduceLROnPlateau`. Epochs are counted as in Keras: for a `patience` of n in PyTorch give n + 1, and for
 * a `cooldown` above 0 one more too.
 */
export interface PlateauOptions extends MonitorOptions {
  /** Epochs without improvement after which learning rates are lowered. @default 10 */
  patience?: number;
  /** `minDelta` is a fraction of the best value (PyTorch's threshold_mode "rel", its default). @default false */
  relative?: boolean;
  /** Learning rates are multiplied by it, 0 < factor < 1. @default 0.1 */
  factor?: number;
  /** Epochs after a reduction in which none follows. @default 0 */
  cooldown?: number;
  /** No learning rate is lowered further than this. @default 0 */
  minLr?: number;
}

const DEFAULTS = {
  ...MONITOR_DEFAULTS,
  minDelta: 1e-4,
  patience: 10,
  relative: false,
  factor: 0.1,
  cooldown: 0,
  minLr: 0,
} satisfies Defaults<PlateauOptions>;

export function reduceLROnPlateau(options: PlateauOptions = {}): Callback {
  const subject = "callbacks.reduceLROnPlateau";
  const settings = withDefaults(subject, options, DEFAULTS);
  const { factor, patience, cooldown, minLr, relative } = settings;
  if (!(typeof factor === "number" && factor > 0 && factor < 1))
    throw new OptionError(`${subject}: expected factor of 0 < factor < 1, got ${shown(factor)}`);
  checkWhole(subject, "patience", patience);
  checkWhole(subject, "cooldown", cooldown);
  checkNumber(subject, "minLr", minLr, 0);
  const monitor = new Monitor(subject, settings, relative);
  let waited = 0;
  let cooling = 0;
  return {
    onTrainBegin() {
      monitor.reset();
      waited = cooling = 0;
    },
    onEpochEnd({ logs }, model) {
      const { learningRate } = model.optimizer!;
      if (typeof learningRate === "number") logs.learning_rate = learningRate; // that of this epoch
      if (cooling > 0) {
        cooling--;
        waited = 0;
      }
      if (monitor.improved(logs)) waited = 0;
      else if (cooling === 0 && ++waited >= patience) {
        model.optimizer!.scaleLearningRates(factor, minLr);
        cooling = cooldown;
        waited = 0;
      }
    },
  };
}
