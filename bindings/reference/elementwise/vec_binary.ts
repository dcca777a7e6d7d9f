/** Twin of assembly/kernels/elementwise/vec_binary.ts: elementwise arithmetic of two operands. */
import type { Kernels } from "../../generated/kernels.ts";
import type { Views } from "../views.ts";

export const vecBinary = ({ f32 }: Views) => {
  /** y = f(a, b) */
  const map =
    (f: (a: number, b: number) => number) =>
    (n: number, a: number, b: number, y: number): void => {
      const [A, B, Y] = [f32(a, n), f32(b, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] = f(A[i], B[i]);
    };

  return {
    f32_vadd: map((a, b) => a + b),
    f32_vsub: map((a, b) => a - b),
    f32_vmul: map((a, b) => a * b),
    f32_vdiv: map((a, b) => a / b),
    f32_vmaximum: map(Math.max),
    f32_vminimum: map(Math.min),
    f32_vgreater: map((a, b) => (a > b ? 1 : 0)),
    f32_vgreater_equal: map((a, b) => (a >= b ? 1 : 0)),
    f32_vequal: map((a, b) => (a === b ? 1 : 0)),

    /** y += a ⊙ b */
    f32_vmul_acc(n, a, b, y) {
      const [A, B, Y] = [f32(a, n), f32(b, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] += A[i] * B[i];
    },

    /** y = scale·x + shift */
    f32_vaffine(n, x, y, scale, shift) {
      const [X, Y] = [f32(x, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] = scale * X[i] + shift;
    },

    /** y = cond ≠ 0 ? a : b */
    f32_vselect(n, cond, a, b, y) {
      const [C, A, B, Y] = [f32(cond, n), f32(a, n), f32(b, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] = C[i] !== 0 ? A[i] : B[i];
    },
  } satisfies Partial<Kernels>;
};

export const vecBinaryTraining = ({ f32, i32 }: Views) =>
  ({
    i32_vequal(n, a, b, y) {
      const [A, B, Y] = [i32(a, n), i32(b, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] = A[i] === B[i] ? 1 : 0;
    },

    /** y += a·x */
    f32_vaxpy_acc(n, x, y, a) {
      const [X, Y] = [f32(x, n), f32(y, n)];
      for (let i = 0; i < n; i++) Y[i] += a * X[i];
    },

    /** y = x·by[0] */
    f32_vscale(n, x, y, by) {
      const [X, Y, [scale]] = [f32(x, n), f32(y, n), f32(by, 1)];
      for (let i = 0; i < n; i++) Y[i] = X[i] * scale;
    },
  }) satisfies Partial<Kernels>;
