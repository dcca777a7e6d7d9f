/** Twin of assembly/kernels/elementwise/vec_unary.ts: elementwise functions of one operand. */
import type { Kernels } from "../../generated/kernels.ts";
import { unary, unaryGrad } from "./unary.ts";
import type { Views } from "../views.ts";

export const vecUnary = ({ f32 }: Views) =>
  ({
    /** y = f(x) */
    f32_unary_fwd(n, x, y, code, alpha, beta) {
      const [X, Y] = [f32(x, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] = unary(code, X[i], alpha, beta);
    },
  }) satisfies Partial<Kernels>;

export const vecUnaryTraining = ({ f32 }: Views) =>
  ({
    /** dx = dy · f′(x) */
    f32_unary_bwd(n, x, y, dy, dx, code, alpha, beta) {
      const [X, Y, DY, DX] = [f32(x, n), f32(y, n), f32(dy, n), f32(dx, n)];
      for (let i = 0; i < n; i++) DX[i] = DY[i] * unaryGrad(code, X[i], Y[i], alpha, beta);
    },
  }) satisfies Partial<Kernels>;
