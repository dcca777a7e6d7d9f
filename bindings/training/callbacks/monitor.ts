/** Watching one of the logged values for improvement. */
import { OptionError } from "../../base/errors.ts";
import { quoted, shown } from "../../base/formatting.ts";
import { checkNumber, type Defaults } from "../../base/options.ts";
import type { Logs } from "../events.ts";

/** Options of callbacks that watch a logged value. */
export interface MonitorOptions {
  /** Key of the logged value: `"loss"`, `"val_accuracy"`. @default "val_loss" */
  monitor?: string;
  /** Smallest change that counts as an improvement. @default 0, reduceLROnPlateau 1e-4 */
  minDelta?: number;
  /**
   * Whether smaller or larger values are better. `"auto"`: larger ones for keys that contain acc, auc, precision, recall, f1
   * or r2, smaller ones for all others. @default "auto"
   */
  mode?: "auto" | "min" | "max";
}

export const MONITOR_DEFAULTS = {
  monitor: "val_loss",
  minDelta: 0,
  mode: "auto",
} satisfies Defaults<MonitorOptions>;

export class Monitor {
  /** The best value so far. */
  best!: number;
  private readonly key: string;
  private readonly sign: number;
  private readonly minDelta: number;
  private readonly relative: boolean;

  /** @param relative  whether `minDelta` is a fraction of the best value */
  constructor(subject: string, { monitor, minDelta, mode }: Required<MonitorOptions>, relative = false) {
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

  /** Forgets the best value. */
  reset(): void {
    this.best = this.sign * Infinity;
  }

  private valueIn(logs: Logs): number {
    const value = logs[this.key];
    if (value === undefined)
      throw new OptionError(`callbacks: expected "${this.key}" to watch, got logs of ${Object.keys(logs).join(", ")}`);
    return value;
  }

  /** Whether the logged value is better than another one by at least `minDelta`. */
  better(logs: Logs, than: number): boolean {
    const least = this.relative && Number.isFinite(than) ? this.minDelta * Math.abs(than) : this.minDelta;
    return this.sign * this.valueIn(logs) < this.sign * than - least;
  }

  /** Whether the logged value is better than the best so far, which it then becomes. */
  improved(logs: Logs): boolean {
    if (!this.better(logs, this.best)) return false;
    this.best = this.valueIn(logs);
    return true;
  }
}
