/** What the sequence ops with int8 recurrent weights share. They run forward only: such weights are not trained. */
import { UnsupportedError } from "../../base/errors.ts";
import type { Operand } from "../../graph/ir.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { stepProductScratch } from "../../abi/scratch.ts";
import { int8Scratch } from "../int8_linear.ts";
import type { SequenceConfig } from "./recurrent_config.ts";

/** Scratch of a step's product, with room for the product where it is not added in place. */
export const int8SequenceScratch = (trace: Trace, { rows, H }: SequenceConfig): Operand | 0 =>
  int8Scratch(trace, rows.B, H, stepProductScratch(rows.B, H));

/**
 * True for int8 recurrent weights.
 *
 * @throws UnsupportedError for such weights with recurrent dropout, which acts in training alone
 */
export function isInt8(u: Tensor | undefined, drop: Tensor | undefined): boolean {
  if (u!.dtype !== "i8") return false;
  if (drop)
    throw new UnsupportedError(
      "recurrentDropout: expected a model of f32 weights in training, got a quantised one, which only runs",
    );
  return true;
}
