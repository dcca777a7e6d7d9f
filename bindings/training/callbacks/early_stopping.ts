/** `callbacks.earlyStopping`: ends the training when a logged value has stopped improving. */
import { checkNumbers, checkWhole, withDefaults, type Defaults } from "../../base/options.ts";
import type { ArrayRecord } from "../../module/module_base.ts";
import type { Callback } from "../callback.ts";
import { MONITOR_DEFAULTS, Monitor, type MonitorOptions } from "./monitor.ts";

/** Options of `callbacks.earlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which training ends. @default 0 */
  patience?: number;
  /** Value to beat: epochs that are not better count as without improvement. @default none */
  baseline?: number;
  /** At the end, puts the weights of the best epoch back. @default false */
  restoreBestWeights?: boolean;
  /** Number of the first epoch that is watched, from 0. @default 0 */
  startFromEpoch?: number;
}

const DEFAULTS = {
  ...MONITOR_DEFAULTS,
  patience: 0,
  baseline: undefined,
  restoreBestWeights: false,
  startFromEpoch: 0,
} satisfies Defaults<EarlyStoppingOptions>;

export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const subject = "callbacks.earlyStopping";
  const settings = withDefaults(subject, options, DEFAULTS);
  const { patience, baseline, restoreBestWeights, startFromEpoch } = settings;
  checkNumbers(subject, options, ["baseline"]);
  checkWhole(subject, "patience", patience);
  checkWhole(subject, "startFromEpoch", startFromEpoch);
  const monitor = new Monitor(subject, settings);
  let waited: number;
  let best: ArrayRecord | undefined;
  return {
    onTrainBegin() {
      monitor.reset();
      waited = 0;
      best = undefined;
    },
    onEpochEnd({ epoch, logs }, model) {
      if (epoch < startFromEpoch) return;
      waited++;
      if (monitor.improved(logs)) {
        if (restoreBestWeights) best = model.getWeights();
        if (baseline === undefined || monitor.better(logs, baseline)) waited = 0;
      } else if (waited >= patience && epoch > 0) {
        model.stopTraining = true;
      }
    },
    onTrainEnd(model) {
      if (best) model.setWeights(best);
    },
  };
}
