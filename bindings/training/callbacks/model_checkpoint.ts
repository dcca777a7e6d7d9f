/** `callbacks.modelCheckpoint`: saves the model after every epoch, or after the best ones. */
import { OptionError } from "../../base/errors.ts";
import { withDefaults, type Defaults } from "../../base/options.ts";
import type { Callback } from "../callback.ts";
import type { TrainEvent } from "../events.ts";
import { checkTarget, fileSystem, type LogTarget } from "./log_target.ts";
import { replaceFile } from "./replace_file.ts";
import { MONITOR_DEFAULTS, Monitor, type MonitorOptions } from "./monitor.ts";

/** Options of `callbacks.modelCheckpoint`. */
export interface CheckpointOptions extends MonitorOptions {
  /**
   * A path, in which `{epoch}` (from 1) and logged values are filled in: `"{epoch:03d}-{val_loss:.2f}.safetensors"`. Or a
   * function that takes the bytes and the event.
   */
  filepath: LogTarget;
  /** Saves only when the watched value is the best so far. @default false */
  saveBestOnly?: boolean;
  /** Also saves the state of the optimizer, so that training can go on from the file. @default false */
  optimizer?: boolean;
}

const DEFAULTS = {
  filepath: undefined,
  saveBestOnly: false,
  optimizer: false,
  ...MONITOR_DEFAULTS,
} satisfies Defaults<CheckpointOptions>;

export function modelCheckpoint(options: CheckpointOptions): Callback {
  const subject = "callbacks.modelCheckpoint";
  const settings = withDefaults(subject, options, DEFAULTS);
  const { filepath, saveBestOnly, optimizer } = settings;
  checkTarget(subject, "filepath", filepath);
  const monitor = new Monitor(subject, settings);
  return {
    async onEpochEnd(event, model) {
      if (saveBestOnly && !monitor.improved(event.logs)) return;
      const bytes = model.save({ optimizer });
      if (typeof filepath === "function") await filepath(bytes, event);
      else replaceFile(fileSystem(subject), subject, filledIn(filepath, event), bytes);
    },
  };
}

/** Replaces {epoch}, {epoch:03d}, {val_loss:.2f} in a path by the epoch, from 1, and logged values. @throws OptionError for other names */
function filledIn(path: string, { epoch, logs }: TrainEvent): string {
  const values: Record<string, number> = { ...logs, epoch: epoch + 1 };
  return path.replace(/\{(\w+)(?::0?(\d*)(?:\.(\d+)f|d)?)?\}/g, (_, name: string, width = "", digits?: string) => {
    if (!Object.hasOwn(values, name))
      throw new OptionError(
        `callbacks.modelCheckpoint: expected ${Object.keys(values).join(", ")} in filepath, got "{${name}}"`,
      );
    return (digits === undefined ? String(values[name]) : values[name].toFixed(+digits)).padStart(+width, "0");
  });
}
