/** Finds the layer that gave the first number which is not finite. */
import type { NDArray } from "../base/ndarray.ts";
import type { Dataset } from "./data/dataset.ts";
import { inspectStep } from "./inspect.ts";
import type { Objective } from "./output_heads.ts";
import type { ModuleBase } from "../module/module_base.ts";

const finite = ({ data }: NDArray): boolean => data.every(Number.isFinite);

const layerOf = (name: string): string => name.replace(/\/[^/]*$/, "");

/**
 * Computes a step again and looks for the first output that is not finite, or, as gradients are computed from the last layer
 * to the first, for the last gradient.
 *
 * @param batch  batch of the step that failed, which was the last one to draw random numbers
 * @returns name of the layer, where there is one, and what is not finite
 */
export function firstNonFinite(
  model: ModuleBase,
  objective: Objective,
  loss: number,
  batch: Dataset,
): { layer: string | undefined; what: string } {
  const { randomState } = model;
  const { counter } = randomState;
  randomState.counter = counter - 1; // the same dropout again
  const values = Object.entries(inspectStep(model, objective, batch, true)) as [string, NDArray][];
  randomState.counter = counter;

  const outputs = values.filter(([name]) => name.endsWith("/output"));
  const bad = outputs.find(([, value]) => !finite(value));
  if (bad) return { layer: layerOf(bad[0]), what: `an output that is not finite (loss ${loss})` };
  const last = outputs.at(-1);
  if (!Number.isFinite(loss)) return { layer: last && layerOf(last[0]), what: `a loss of ${loss} from finite outputs` };
  const weights = new Set(model.trainableParameters().map(([name]) => `${name}/grad`));
  const weight = values.filter(([name, value]) => weights.has(name) && !finite(value)).at(-1);
  return { layer: weight && layerOf(weight[0].replace(/\/grad$/, "")), what: "a gradient that is not finite" };
}
