/** Where callbacks write: to a file, or to a function of the caller's. */
import { builtin } from "../../base/builtin.ts";
import { OptionError, StateError } from "../../base/errors.ts";
import type { TrainEvent } from "../events.ts";
import type { FileSystem } from "./replace_file.ts";

/** A path of a file, where there is a file system, or a function that takes the text or the bytes. */
export type LogTarget = string | ((content: Uint8Array | string, event: TrainEvent) => void | Promise<void>);

/** @throws OptionError unless it is a path or a function */
export function checkTarget(subject: string, name: string, target: unknown): void {
  if (typeof target !== "string" && typeof target !== "function")
    throw new OptionError(
      `${subject}: expected ${name} as a path or a function, got ${target === null ? "null" : typeof target}`,
    );
}

/** node:fs. @throws StateError where there is none */
export function fileSystem(subject: string): FileSystem {
  const fs = builtin()?.("node:fs");
  if (!fs)
    throw new StateError(
      `${subject}: expected a file system for a path, got an engine without; pass a function instead`,
    );
  return fs;
}
