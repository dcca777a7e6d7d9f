/** `callbacks.jsonLogger`: the logs as lines of JSON. */
import { withDefaults, type Defaults } from "../../base/options.ts";
import type { Callback } from "../callback.ts";
import { lineLogger, type LoggerOptions } from "./line_logger.ts";

const DEFAULTS = { filename: undefined, append: false } satisfies Defaults<LoggerOptions>;

export function jsonLogger(options: LoggerOptions): Callback {
  const subject = "callbacks.jsonLogger";
  const settings = withDefaults(subject, options, DEFAULTS);
  return lineLogger(subject, settings, ({ epoch, logs }) => JSON.stringify({ epoch, ...logs }));
}
