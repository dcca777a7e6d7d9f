/** Twin of assembly/kernels/rows/pack_rows.ts. */
import { ROW_FLAGS } from "../../abi/row_flags.ts";
import type { Kernels } from "../../generated/kernels.ts";
import { liveRows, type Views } from "../views.ts";

export const packRows = (views: Views) => {
  const { f32, i32 } = views;

  /** Row b's timeline: the time read at each processing index s, and whether that step counts. */
  const timeline = (b: number, T: number, lengths: number, mask: number, backwards: boolean) => {
    const end = lengths ? i32(lengths, b + 1)[b] : T;
    const given = mask ? i32(mask, (b + 1) * T).subarray(b * T) : undefined;
    return Array.from({ length: T }, (_, s) => {
      const t = backwards && s < end ? end - 1 - s : s;
      return { s, t, valid: s < end && (!given || given[t] !== 0) };
    });
  };

  return {
    i32_pack_rows(B, T, lengths, mask, order, rank, active, count, source, place, _scratch, flags) {
      const all = Array.from({ length: B }, (_, b) =>
        timeline(b, T, lengths, mask, (flags & ROW_FLAGS.backwards) !== 0),
      );
      const steps = all.map((row) => row.filter(({ valid }) => valid).length);
      const sorted = steps.map((_, b) => b).sort((a, b) => steps[b] - steps[a] || a - b);
      i32(order, B).set(sorted);
      sorted.forEach((b, r) => {
        i32(rank, B)[b] = r;
      });

      const first: number[] = []; // packed step where time step k starts
      let total = 0;
      for (let k = 0; k < T; k++) {
        first.push(total);
        total += i32(active, T)[k] = steps.filter((n) => n > k).length;
      }
      i32(count, 1)[0] = total;

      i32(source, B * T).fill(-1);
      all.forEach((row, b) => {
        let k = 0;
        let last = -1;
        for (const { s, t, valid } of row) {
          if (valid) {
            last = first[k++] + i32(rank, B)[b];
            i32(source, B * T)[last] = b * T + t;
          }
          i32(place, B * T)[b * T + (flags & ROW_FLAGS.asRead ? t : s)] = valid || flags & ROW_FLAGS.hold ? last : -1;
        }
      });
    },

    i32_unique(n, live, _V, tokens, _slots, values, count, inverse) {
      const slots = new Map<number, number>();
      i32(tokens, liveRows(views, live, n)).forEach((token, i) => {
        const slot = slots.get(token) ?? slots.size;
        slots.set(token, slot);
        i32(values, n)[slot] = token;
        i32(inverse, n)[i] = slot;
      });
      i32(count, 1)[0] = slots.size;
    },

    f32_valid_steps(B, T, lengths, mask, y) {
      for (let b = 0; b < B; b++) {
        for (const { t, valid } of timeline(b, T, lengths, mask, false)) f32(y, B * T)[b * T + t] = valid ? 1 : 0;
      }
    },
  } satisfies Partial<Kernels>;
};
