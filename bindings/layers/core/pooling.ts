/** Pooling over time. */
import { defineLayer, type CommonOptions } from "../definition.ts";
import { div, maximum, mul, where } from "../../ops/elementwise.ts";
import { validSteps } from "../../ops/valid_steps.ts";
import { max, mean, sum } from "../../ops/reduce.ts";
import { reshape } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { currentTrace } from "../../graph/trace.ts";

/** 1 at valid steps [batch, time, 1], 0 elsewhere; undefined when all are valid. */
function validity(x: Tensor): Tensor | undefined {
  const [B, T] = x.shape;
  return x.steps && reshape(validSteps(currentTrace("pooling"), x.steps, x.shape), [B, T, 1]);
}

/** Mean over the valid steps: [batch, time, features] to [batch, features]; 0 for a row without any. */
export const globalAveragePooling = defineLayer<CommonOptions>({
  type: "globalAveragePooling",
  prefix: "global_average_pooling",
  input: "sequence",
  defaults: {},
  unstreamable: () => "it needs the whole sequence",
  call(_scope, x) {
    const valid = validity(x);
    if (!valid) return mean(x, { axis: 1 });
    // a row without a valid step gives 0, not 0/0
    return div(sum(mul(x, valid), { axis: 1 }), maximum(sum(valid, { axis: 1 }), 1));
  },
});

/** In the place of masked steps in a maximum: below any float that a model gives. */
const LOWEST = -3.0e38;

/** Maximum over the valid steps: [batch, time, features] to [batch, features]; 0 for a row without any. */
export const globalMaxPooling = defineLayer<CommonOptions>({
  type: "globalMaxPooling",
  prefix: "global_max_pooling",
  input: "sequence",
  defaults: {},
  unstreamable: () => "it needs the whole sequence",
  call(_scope, x) {
    const valid = validity(x);
    if (!valid) return max(x, { axis: 1 });
    return where(max(valid, { axis: 1 }), max(where(valid, x, LOWEST), { axis: 1 }), 0);
  },
});
