/**
 * What quantizing costs in accuracy.
 *
 *   node --import tsx bench/quantization/accuracy.ts [--seconds 40]
 *
 * Trains a model for each task, some seconds each, and scores it and its quantized copies on unseen data.
 */
import { parseArgs } from "node:util";
import { initSync } from "../../bindings/index.ts";
import { percent, table } from "../support/report.mjs";
import { MODES, titleOf } from "./modes.ts";
import { characters } from "./tasks/characters.ts";
import { prices } from "./tasks/prices.ts";
import { surnames } from "./tasks/surnames.ts";
import type { Task } from "./tasks/task.ts";

function rowOf({ name, model, train, score }: Task, seconds: number): string[] {
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) train();
  const quantized = MODES.map((activations) => model.quantize({ activations }));
  const models = [model, ...quantized];
  const scores = models.map((each) => score(each).toFixed(4));
  const size = percent(quantized[0].save().length / model.save().length);
  for (const each of models) each.dispose();
  return [name, ...scores, size];
}

const { values: given } = parseArgs({ options: { seconds: { type: "string", default: "40" } } });
initSync();
const rows = [characters, surnames, prices].map((task) => rowOf(task(), Number(given.seconds)));
console.log(table(["task", "f32", ...MODES.map(titleOf), "file, of f32"], rows));
