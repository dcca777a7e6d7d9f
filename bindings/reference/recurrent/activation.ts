/** The activations of a cell, by their records: twin of assembly/lib/elementwise/activation.ts. */
import { activationWords, decodeActivations, type ActivationRecord } from "../../abi/records.ts";
import { UNARY_CODES } from "../../abi/unary_codes.ts";
import { unary, unaryGrad } from "../elementwise/unary.ts";
import type { Views } from "../views.ts";

/** Activation and recurrent activation where there are no records. */
const USUAL: readonly ActivationRecord[] = [
  { code: UNARY_CODES.tanh, alpha: 0, beta: 0 },
  { code: UNARY_CODES.sigmoid, alpha: 0, beta: 0 },
];

/** A function of one number, and its derivative at x where it is y. */
export interface Activation {
  value(x: number): number;
  slope(x: number, y: number): number;
}

/** Activation and recurrent activation, by their records; tanh and σ where `acts` is 0. */
export function activations({ i32, f32 }: Views, acts: number, count: 1 | 2): Activation[] {
  const words = activationWords(count);
  const records = acts ? decodeActivations(i32(acts, words), f32(acts, words)) : USUAL.slice(0, count);
  return records.map(({ code, alpha, beta }) => ({
    value: (x) => unary(code, x, alpha, beta),
    slope: (x, y) => unaryGrad(code, x, y, alpha, beta),
  }));
}
