/** The activations of a cell, by their records: twin of assembly/lib/activation.ts. */
import { unary, unaryGrad } from "./unary.ts";
import type { Views } from "./views.ts";

const TANH = 1;
const SIGMOID = 2;

/** A function of one number, and its derivative at x where it is y. */
export interface Activation {
  value(x: number): number;
  slope(x: number, y: number): number;
}

/** Activation and recurrent activation: records { code, alpha, beta, 0 }, or 0 for tanh and σ. */
export function activations(views: Views, acts: number, count: 1 | 2): Activation[] {
  const codes = acts ? views.i32(acts, count * 4) : [TANH, 0, 0, 0, SIGMOID];
  const parameters = acts ? views.f32(acts, count * 4) : [];
  return Array.from({ length: count }, (_, i) => {
    const [code, alpha, beta] = [codes[i * 4], parameters[i * 4 + 1], parameters[i * 4 + 2]];
    return { value: (x) => unary(code, x, alpha, beta), slope: (x, y) => unaryGrad(code, x, y, alpha, beta) };
  });
}
