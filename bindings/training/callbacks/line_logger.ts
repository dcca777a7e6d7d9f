/** Logging of a line of text per epoch. */
import type { Callback } from "../callback.ts";
import type { TrainEvent } from "../events.ts";
import { checkTarget, fileSystem, type LogTarget } from "./log_target.ts";

/** Options of `callbacks.jsonLogger`. */
export interface LoggerOptions {
  /** A path, or a function that takes the lines. */
  filename: LogTarget;
  /** Appends to the file instead of replacing it. @default false */
  append?: boolean;
}

/** Writes a line after every epoch. @param header  gives the line before the first one */
export function lineLogger(
  subject: string,
  { filename, append }: Required<LoggerOptions>,
  line: (event: TrainEvent) => string,
  header?: (event: TrainEvent) => string,
): Callback {
  checkTarget(subject, "filename", filename);
  let started = false;
  return {
    onTrainBegin() {
      started = append && typeof filename === "string" && fileSystem(subject).existsSync(filename);
    },
    async onEpochEnd(event) {
      const text = `${!started && header ? `${header(event)}\n` : ""}${line(event)}\n`;
      if (typeof filename === "function") await filename(text, event);
      else if (started) fileSystem(subject).appendFileSync(filename, text);
      else fileSystem(subject).writeFileSync(filename, text);
      started = true;
    },
  };
}
