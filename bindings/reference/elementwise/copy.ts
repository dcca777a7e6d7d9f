/** Twin of assembly/kernels/elementwise/copy.ts: moving and converting elements. */
import { decodeStrided, stridedWords } from "../../abi/records.ts";
import type { Kernels } from "../../generated/kernels.ts";
import { flushTiny } from "../flush.ts";
import type { Views } from "../views.ts";

const BYTES = 4;

/** Calls visit(address of x, address of y) for every element of the loop that the spec describes. */
function walk({ i32 }: Views, spec: number, x: number, y: number, visit: (x: number, y: number) => void): void {
  const [rank] = i32(spec, 1);
  const axes = decodeStrided(i32(spec, stridedWords(rank)));
  const loop = (axis: number, px: number, py: number): void => {
    if (axis === rank) return visit(px, py);
    const [size, sx, sy] = axes[axis];
    for (let i = 0; i < size; i++) loop(axis + 1, px + i * sx * BYTES, py + i * sy * BYTES);
  };
  loop(0, x, y);
}

export const copy = (views: Views) => {
  const { f32, i32 } = views;

  return {
    f32_fill(n, y, value) {
      f32(y, n).fill(value);
    },

    f32_copy(n, x, y) {
      f32(y, n).set(f32(x, n));
    },

    f32_flush(n, x) {
      const X = f32(x, n);
      X.forEach((value, i) => {
        X[i] = flushTiny(value);
      });
      return X.findIndex((value) => !Number.isFinite(value));
    },

    i32_to_f32(n, x, y) {
      f32(y, n).set(i32(x, n));
    },

    /** towards 0, what does not fit to the nearest integer, NaN to 0 */
    f32_to_i32(n, x, y) {
      const [X, Y] = [f32(x, n), i32(y, n)];
      for (let i = 0; i < n; i++) Y[i] = Math.min(Math.max(X[i], -(2 ** 31)), 2 ** 31 - 1);
    },

    f32_copy_strided(spec, x, y) {
      walk(views, spec, x, y, (px, py) => {
        f32(py, 1)[0] = f32(px, 1)[0];
      });
    },

    f32_one_hot(M, N, index, y) {
      const [I, Y] = [i32(index, M), f32(y, M * N).fill(0)];
      for (let m = 0; m < M; m++) if (I[m] >= 0 && I[m] < N) Y[m * N + I[m]] = 1;
    },
  } satisfies Partial<Kernels>;
};

export const copyTraining = (views: Views) => {
  const { f32 } = views;

  return {
    f32_copy_strided_acc(spec, x, y) {
      walk(views, spec, x, y, (px, py) => {
        f32(py, 1)[0] += f32(px, 1)[0];
      });
    },
  } satisfies Partial<Kernels>;
};
