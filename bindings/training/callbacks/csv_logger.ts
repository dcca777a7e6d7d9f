/** `callbacks.csvLogger`: the logs as comma-separated values. */
import { OptionError } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import { withDefaults, type Defaults } from "../../base/options.ts";
import type { Callback } from "../callback.ts";
import { lineLogger, type LoggerOptions } from "./line_logger.ts";

/** Options of `callbacks.csvLogger`. */
export interface CsvLoggerOptions extends LoggerOptions {
  /** Stands between the values of a line. @default "," */
  separator?: string;
}

const DEFAULTS = { filename: undefined, separator: ",", append: false } satisfies Defaults<CsvLoggerOptions>;

export function csvLogger(options: CsvLoggerOptions): Callback {
  const subject = "callbacks.csvLogger";
  const settings = withDefaults(subject, options, DEFAULTS);
  const { separator } = settings;
  if (typeof separator !== "string")
    throw new OptionError(`${subject}: expected separator as text, got ${shown(separator)}`);
  return lineLogger(
    subject,
    settings,
    ({ epoch, logs }) => [epoch, ...Object.values(logs)].join(separator),
    ({ logs }) => ["epoch", ...Object.keys(logs)].join(separator),
  );
}
