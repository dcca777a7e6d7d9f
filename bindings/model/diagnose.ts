/** Where a number first stopped being finite. */
import type { NDArray } from "../program/array.ts";
import type { Dataset } from "./dataset.ts";
import { inspect } from "./inspect.ts";
import type { Module } from "./module.ts";

const finite = ({ data }: { data: ArrayLike<number> }): boolean => Array.prototype.every.call(data, Number.isFinite);

const layerOf = (name: string): string => name.replace(/\/[^/]*$/, "");

/** The first layer with a non-finite output in the batch of a failed step, else the first weight with a non-finite gradient. */
export function diagnose(model: Module, loss: number, data: Dataset, order: Int32Array): { layer: string | undefined; what: string } {
  const { x, steps } = data.pick(order);
  const values = inspect(model, x, steps, undefined);
  const outputs = Object.entries(values).filter(([name]) => name.endsWith("/output")) as [string, NDArray][];
  const bad = outputs.find(([, value]) => !finite(value));
  if (bad) return { layer: layerOf(bad[0]), what: `an output that is not finite (loss ${loss})` };
  if (!Number.isFinite(loss)) return { layer: outputs.at(-1) && layerOf(outputs.at(-1)![0]), what: `a loss of ${loss} from finite outputs` };
  const weight = model.trainableParameters().find(([, parameter]) => !finite({ data: parameter.block!.view(parameter, parameter.block!.gradientPtr()) }));
  return { layer: weight && layerOf(weight[0]), what: "a gradient that is not finite" };
}
