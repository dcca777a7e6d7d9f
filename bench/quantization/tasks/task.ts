import { readFileSync } from "node:fs";
import type { Model } from "../../../bindings/index.ts";

/** A model, how to train it, and a score on unseen data. */
export interface Task {
  readonly name: string;
  readonly model: Model;
  /** Trains on one batch. */
  train(): void;
  score(model: Model): number;
}

/** A text of examples/data. */
export const readData = (path: string): string =>
  readFileSync(new URL(`../../../examples/data/${path}`, import.meta.url), "utf8");
