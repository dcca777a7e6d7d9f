/** Logging of a line of text per epoch. */
import type { Callback } from "../callback.ts";
import type { TrainEvent } from "../events.ts";
import { checkTarget, fileSystem, type LogTarget } from "./log_target.ts";
import { replaceFile } from "./replace_file.ts";

/** Options of `callbacks.jsonLogger`. */
export interface LoggerOptions {
  /** A path, or a function that takes the lines. */
  filename: LogTarget;
  /** Appends to the file instead of replacing it. @default false */
  append?: boolean;
}

/** Writes a line after every epoch; a file is replaced whole. @param header  gives the line before the first one */
export function lineLogger(
  subject: string,
  { filename, append }: Required<LoggerOptions>,
  line: (event: TrainEvent) => string,
  header?: (event: TrainEvent) => string,
): Callback {
  checkTarget(subject, "filename", filename);
  let written = "";
  return {
    onTrainBegin() {
      written = "";
      if (!append || typeof filename === "function") return;
      const fs = fileSystem(subject);
      if (fs.existsSync(filename)) written = fs.readFileSync(filename, "utf8");
    },
    async onEpochEnd(event) {
      const text = `${written === "" && header ? `${header(event)}\n` : ""}${line(event)}\n`;
      written += text;
      if (typeof filename === "function") await filename(text, event);
      else replaceFile(fileSystem(subject), subject, filename, written);
    },
  };
}
