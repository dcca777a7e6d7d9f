/** Twin of assembly/kernels/rows/gather.ts: rows by index, below 0 for none. */
import type { Kernels } from "../../generated/kernels.ts";
import { liveRows, type Views } from "../views.ts";

export const gather = (views: Views) => {
  const { f32, i32 } = views;

  return {
    f32_gather_rows(M, live, W, x, ldx, index, y, ldy) {
      for (let m = 0; m < liveRows(views, live, M); m++) {
        const from = i32(index, M)[m];
        const row = f32(y + m * ldy * 4, W);
        if (from < 0) row.fill(0);
        else row.set(f32(x + from * ldx * 4, W));
      }
    },

    i32_gather(M, live, x, index, y) {
      for (let m = 0; m < liveRows(views, live, M); m++) {
        const from = i32(index, M)[m];
        i32(y, M)[m] = from < 0 ? 0 : i32(x, from + 1)[from];
      }
    },
  } satisfies Partial<Kernels>;
};

export const gatherTraining = (views: Views) => {
  const { f32, i32 } = views;

  return {
    f32_scatter_rows_acc(M, live, W, x, ldx, index, y, ldy) {
      for (let m = 0; m < liveRows(views, live, M); m++) {
        const to = i32(index, M)[m];
        if (to < 0) continue;
        const row = f32(y + to * ldy * 4, W);
        f32(x + m * ldx * 4, W).forEach((value, w) => {
          row[w] += value;
        });
      }
    },
  } satisfies Partial<Kernels>;
};
