/** What happens between batches and epochs. */
import { builtin } from "../../base/builtin.ts";
import { OptionError, StateError, type NonFiniteError } from "../../base/errors.ts";
import type { Module } from "../../models/module.ts";
import type { ArrayRecord } from "../../module/module_base.ts";
import { progressOf } from "../progress.ts";
import type { Logs } from "../score_means.ts";
import type { TrainEvent } from "../fit.ts";
import { checkBoolean, checkFlags, checkNumber, checkNumbers, checkOptions, checkWhole } from "../../base/options.ts";
import { quoted, shown } from "../../base/formatting.ts";

/** Called during `fit`; each may be async. Set `model.stopTraining` to end the training in good order. */
export interface Callback {
  /** Before the first epoch. */
  onTrainBegin?(model: Module): void | Promise<void>;
  /** After every batch, or window of a batch. */
  onBatchEnd?(event: TrainEvent, model: Module): void | Promise<void>;
  /** After every epoch and its validation. */
  onEpochEnd?(event: TrainEvent, model: Module): void | Promise<void>;
  /** At the end, also when an error or a signal ended the training. */
  onTrainEnd?(model: Module): void | Promise<void>;
  /** A loss or gradient was not finite; true ends the training normally instead of by the error. */
  onNonFinite?(error: NonFiniteError, model: Module): boolean;
}

/** What is watched, and what counts as better. */
export interface MonitorOptions {
  /** Key of the logs to watch. @default "val_loss" */
  monitor?: string;
  /** Smallest change that counts. */
  minDelta?: number;
  /** Epochs without improvement that it takes. */
  patience?: number;
  /** Whether smaller or larger is better; "auto" takes larger for keys with acc, auc, precision, recall, f1 or r2. @default "auto" */
  mode?: "auto" | "min" | "max";
}

/** Watches one value of the logs for improvement. */
class Monitor {
  best!: number;
  private readonly key: string;
  private readonly sign: number;
  private readonly minDelta: number;
  private readonly relative: boolean;

  /** @param relative  whether the smallest change is a share of the best value */
  constructor(
    subject: string,
    { monitor = "val_loss", minDelta = 0, mode = "auto" }: MonitorOptions,
    relative = false,
  ) {
    checkNumber(subject, "minDelta", minDelta);
    if (!["auto", "min", "max"].includes(mode))
      throw new OptionError(`${subject}: expected mode "auto", "min" or "max", got ${quoted(mode)}`);
    if (typeof monitor !== "string")
      throw new OptionError(`${subject}: expected monitor as a key of the logs, got ${shown(monitor)}`);
    this.key = monitor;
    const larger = mode === "max" || (mode === "auto" && /acc|auc|precision|recall|f1|r2/i.test(monitor));
    this.sign = larger ? -1 : 1;
    this.minDelta = Math.abs(minDelta);
    this.relative = relative;
    this.reset();
  }

  /** Begins anew: any value is better than none. */
  reset(): void {
    this.best = this.sign * Infinity;
  }

  value(logs: Logs): number {
    const value = logs[this.key];
    if (value === undefined)
      throw new OptionError(`callbacks: expected "${this.key}" to watch, got logs of ${Object.keys(logs).join(", ")}`);
    return value;
  }

  /** Whether this is better than another value. */
  better(logs: Logs, than: number): boolean {
    const least = this.relative && Number.isFinite(than) ? this.minDelta * Math.abs(than) : this.minDelta;
    return this.sign * this.value(logs) < this.sign * than - least;
  }

  /** Whether this is better than the best so far, which it then is. */
  improved(logs: Logs): boolean {
    if (!this.better(logs, this.best)) return false;
    this.best = this.value(logs);
    return true;
  }
}

/** Options of `callbacks.earlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Value to beat: epochs that do not are without improvement, however good they are. */
  baseline?: number;
  /** Puts the weights of the best epoch back at the end. @default false */
  restoreBestWeights?: boolean;
  /** Epochs before it are not looked at. @default 0 */
  startFromEpoch?: number;
}

function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const subject = "callbacks.earlyStopping";
  checkOptions(subject, options, [
    "monitor",
    "minDelta",
    "patience",
    "mode",
    "baseline",
    "restoreBestWeights",
    "startFromEpoch",
  ]);
  checkFlags(subject, options, ["restoreBestWeights"]);
  checkNumbers(subject, options, ["baseline"]);
  const { patience = 0, baseline, restoreBestWeights = false, startFromEpoch = 0 } = options;
  checkWhole(subject, "patience", patience);
  checkWhole(subject, "startFromEpoch", startFromEpoch);
  const monitor = new Monitor(subject, options);
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

/** A path whose {epoch}, {epoch:03d}, {val_loss:.2f} stand for the epoch, from 1, and the logs. @throws OptionError for other names */
function filled(path: string, { epoch, logs }: TrainEvent): string {
  const values: Record<string, number> = { ...logs, epoch: epoch + 1 };
  return path.replace(/\{(\w+)(?::0?(\d*)(?:\.(\d+)f|d)?)?\}/g, (_, name: string, width = "", digits?: string) => {
    if (!Object.hasOwn(values, name))
      throw new OptionError(
        `callbacks.modelCheckpoint: expected ${Object.keys(values).join(", ")} in filepath, got "{${name}}"`,
      );
    return (digits === undefined ? String(values[name]) : values[name].toFixed(+digits)).padStart(+width, "0");
  });
}

/** Writes text or bytes where the caller says: to a function, or to a file where there is a file system. */
export type LogTarget = string | ((content: Uint8Array | string, event: TrainEvent) => void | Promise<void>);

interface FileSystem {
  existsSync(path: string): boolean;
  writeFileSync(path: string, content: Uint8Array | string): void;
  appendFileSync(path: string, content: string): void;
}

function checkTarget(subject: string, name: string, target: unknown): void {
  if (typeof target !== "string" && typeof target !== "function")
    throw new OptionError(
      `${subject}: expected ${name} as a path or a function, got ${target === null ? "null" : typeof target}`,
    );
}

/** node:fs. @throws StateError where there is none */
function fileSystem(subject: string): FileSystem {
  const fs = builtin()?.("node:fs");
  if (!fs)
    throw new StateError(
      `${subject}: expected a file system for a path, got an engine without; pass a function instead`,
    );
  return fs;
}

/** Options of `callbacks.modelCheckpoint`. */
export interface CheckpointOptions extends MonitorOptions {
  /** A path, in which `{epoch}`, `{epoch:03d}`, `{val_loss:.2f}` and the like are replaced, or a function that takes the bytes. */
  filepath: LogTarget;
  /** Only when the watched value is the best so far. @default false */
  saveBestOnly?: boolean;
  /** With what the optimizer remembers, to go on from. @default false */
  optimizer?: boolean;
}

function modelCheckpoint(options: CheckpointOptions): Callback {
  checkOptions("callbacks.modelCheckpoint", options, [
    "filepath",
    "saveBestOnly",
    "optimizer",
    "monitor",
    "minDelta",
    "mode",
  ]);
  checkFlags("callbacks.modelCheckpoint", options, ["saveBestOnly", "optimizer"]);
  const { filepath, saveBestOnly = false, optimizer = false } = options;
  checkTarget("callbacks.modelCheckpoint", "filepath", filepath);
  const monitor = new Monitor("callbacks.modelCheckpoint", options);
  return {
    async onEpochEnd(event, model) {
      if (saveBestOnly && !monitor.improved(event.logs)) return;
      const bytes = model.save({ optimizer });
      if (typeof filepath === "function") await filepath(bytes, event);
      else fileSystem("callbacks.modelCheckpoint").writeFileSync(filled(filepath, event), bytes);
    },
  };
}

/** Options of `callbacks.jsonLogger`. */
export interface LoggerOptions {
  /** A path, or a function that takes the lines. */
  filename: LogTarget;
  /** Goes on behind what the file holds, instead of writing over it. @default false */
  append?: boolean;
}

/** Options of `callbacks.csvLogger`. */
export interface CsvLoggerOptions extends LoggerOptions {
  /** Between the values of a line. @default "," */
  separator?: string;
}

/** A line per epoch, written as the epochs end; `header` is the line before the first. */
function lineLogger(
  subject: string,
  { filename, append = false }: LoggerOptions,
  line: (event: TrainEvent) => string,
  header?: (event: TrainEvent) => string,
): Callback {
  checkTarget(subject, "filename", filename);
  checkBoolean(subject, "append", append);
  let started = false;
  return {
    onTrainBegin: () =>
      void (started = append && typeof filename === "string" && fileSystem(subject).existsSync(filename)),
    async onEpochEnd(event) {
      const text = `${!started && header ? `${header(event)}\n` : ""}${line(event)}\n`;
      if (typeof filename === "function") await filename(text, event);
      else if (started) fileSystem(subject).appendFileSync(filename, text);
      else fileSystem(subject).writeFileSync(filename, text);
      started = true;
    },
  };
}

function csvLogger(options: CsvLoggerOptions): Callback {
  checkOptions("callbacks.csvLogger", options, ["filename", "separator", "append"]);
  const { separator = "," } = options;
  if (typeof separator !== "string")
    throw new OptionError(`callbacks.csvLogger: expected separator as text, got ${shown(separator)}`);
  return lineLogger(
    "callbacks.csvLogger",
    options,
    ({ epoch, logs }) => [epoch, ...Object.values(logs)].join(separator),
    ({ logs }) => ["epoch", ...Object.keys(logs)].join(separator),
  );
}

function jsonLogger(options: LoggerOptions): Callback {
  checkOptions("callbacks.jsonLogger", options, ["filename", "append"]);
  return lineLogger("callbacks.jsonLogger", options, ({ epoch, logs }) => JSON.stringify({ epoch, ...logs }));
}

const HOOKS = [
  "onTrainBegin",
  "onBatchEnd",
  "onEpochEnd",
  "onTrainEnd",
  "onNonFinite",
] as const satisfies (keyof Callback)[];

/** @throws OptionError for what is no object with functions to call */
export function checkCallback(subject: string, callback: unknown): void {
  if (typeof callback !== "object" || callback === null)
    throw new OptionError(`${subject}: expected callbacks, such as callbacks.earlyStopping(), got ${shown(callback)}`);
  const odd = HOOKS.find((name) => !["function", "undefined"].includes(typeof (callback as Callback)[name]));
  if (odd)
    throw new OptionError(`${subject}: expected ${odd} to be a function, got ${shown((callback as Callback)[odd])}`);
}

function lambda(functions: Callback): Callback {
  checkOptions("callbacks.lambda", functions, HOOKS);
  checkCallback("callbacks.lambda", functions);
  return functions;
}

/** Options of `callbacks.reduceLROnPlateau`, counted as Keras does: PyTorch's `patience` is one more here, a `cooldown` above 0 too. */
export interface PlateauOptions extends MonitorOptions {
  /** `minDelta` is a share of the best value (PyTorch's default, its threshold_mode "rel"). @default false */
  relative?: boolean;
  /** What the rates are multiplied by. @default 0.1 */
  factor?: number;
  /** Epochs to wait after a reduction. @default 0 */
  cooldown?: number;
  /** What no rate falls below; one that is below it stays. @default 0 */
  minLr?: number;
}

function reduceLROnPlateau(options: PlateauOptions = {}): Callback {
  const subject = "callbacks.reduceLROnPlateau";
  checkOptions(subject, options, [
    "monitor",
    "minDelta",
    "patience",
    "mode",
    "relative",
    "factor",
    "cooldown",
    "minLr",
  ]);
  const { factor = 0.1, patience = 10, cooldown = 0, minLr = 0, minDelta = 1e-4, relative = false } = options;
  if (!(typeof factor === "number" && factor > 0 && factor < 1))
    throw new OptionError(`${subject}: expected factor of 0 < factor < 1, got ${shown(factor)}`);
  checkFlags(subject, options, ["relative"]);
  checkWhole(subject, "patience", patience);
  checkWhole(subject, "cooldown", cooldown);
  checkNumber(subject, "minLr", minLr, 0);
  const monitor = new Monitor(subject, { ...options, minDelta }, relative);
  let waited = 0;
  let resting = 0;
  return {
    onTrainBegin() {
      monitor.reset();
      waited = resting = 0;
    },
    onEpochEnd({ logs }, model) {
      const { learningRate } = model.optimizer!;
      if (typeof learningRate === "number") logs.learning_rate = learningRate; // that of this epoch
      if (resting > 0) {
        resting--;
        waited = 0;
      }
      if (monitor.improved(logs)) waited = 0;
      else if (resting === 0 && ++waited >= patience) {
        model.optimizer!.scaleLearningRates(factor, minLr);
        resting = cooldown;
        waited = 0;
      }
    },
  };
}

/**
 * Callbacks for `fit`.
 *
 * @namespace
 */
export const callbacks = {
  /** Ends the training when a value no longer improves. */
  earlyStopping,
  /** Saves the model after every epoch, or after the best ones. */
  modelCheckpoint,
  /** The logs as comma-separated values. */
  csvLogger,
  /** The logs as a line of JSON per epoch. */
  jsonLogger,
  /** Lowers all learning rates when a value no longer improves; the logs have `learning_rate` then. */
  reduceLROnPlateau,
  /** A loss or gradient that is not finite ends the training normally, with the last finite weights, instead of by an error. */
  terminateOnNaN: (): Callback => ({ onNonFinite: () => true }),
  /** A callback of functions given one by one. */
  lambda,
  /** Progress on the terminal, as `verbose` shows it. */
  progress(): Callback {
    let shown: Callback | undefined;
    return {
      async onTrainBegin(model) {
        shown = await progressOf();
        await shown.onTrainBegin?.(model);
      },
      onBatchEnd: (event, model) => shown?.onBatchEnd?.(event, model),
      onEpochEnd: (event, model) => shown?.onEpochEnd?.(event, model),
      onTrainEnd: (model) => shown?.onTrainEnd?.(model),
    };
  },
};
