/** Dropout as a layer. */
import { checkRate } from "../checks.ts";
import { REQUIRED, defineLayer, type CommonOptions } from "../definition.ts";
import { dropout as drop } from "../../ops/dropout.ts";

/** Options of `layers.dropout`. */
export interface DropoutOptions extends CommonOptions {
  /** Fraction of the elements to drop, 0 ≤ rate < 1. */
  rate: number;
}

/**
 * In training, sets elements to 0 at random and scales the others by 1 / (1 − rate) (Srivastava et al. 2014); otherwise
 * returns its input. The shape stays the same.
 */
export const dropout = defineLayer<DropoutOptions>({
  type: "dropout",
  prefix: "dropout",
  input: "any",
  defaults: { rate: REQUIRED },
  normalize: (config, label) => (checkRate(label, "rate", config.rate), config),
  call: ({ config }, x) => drop(x, config.rate),
});
