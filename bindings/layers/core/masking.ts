/** Masks found in the input. */
import { defineLayer, type CommonOptions } from "../definition.ts";
import { checkNumber } from "../../base/options.ts";
import { affine, equal, mul } from "../../ops/elementwise.ts";
import { integersOf } from "../../ops/operands.ts";
import { max } from "../../ops/reduce.ts";
import { reshape } from "../../ops/shape.ts";

/** Options of `layers.masking`. */
export interface MaskingOptions extends CommonOptions {
  /** A step is masked if all its features have this value. @default 0 */
  maskValue?: number;
}

/**
 * Masks steps whose features all equal `maskValue`, for the layers that follow: [batch, time, features] to the same
 * shape, with zeros at masked steps.
 */
export const masking = defineLayer<MaskingOptions>({
  type: "masking",
  prefix: "masking",
  input: "sequence",
  defaults: { maskValue: 0 },
  normalize: (config, label) => (checkNumber(label, "maskValue", config.maskValue), config),
  call({ trace, config }, x) {
    const different = affine(equal(x, config.maskValue!), -1, 1);
    const valid = max(different, { axis: -1 });
    const y = mul(x, reshape(valid, [...valid.shape, 1]));
    y.steps = { mask: integersOf(trace, valid) };
    return y;
  },
});
