/** Twin of assembly/kernels/elementwise/dropout.ts, with that of assembly/lib/elementwise/hash.ts: the same bits. */
import { RANDOM_STATE } from "../../abi/records.ts";
import type { Kernels } from "../../generated/kernels.ts";
import type { Views } from "../views.ts";

const A = 0x91b7e653;
const B = 0xe57623d5;
const STARTS = [0x6a09e667, 0xbb67ae85];

/** Mixes h; `key` is folded in between the multiplications. */
function mix(h: number, key = 0): number {
  h = Math.imul(h ^ (h >>> 16), A);
  h = Math.imul(h ^ (h >>> 15) ^ key, B);
  return (h ^ (h >>> 16)) >>> 0;
}

/** hash(seed, counter, site, i) as a function of i: uniform u32. */
export function hasher(seed: number, counter: number, site: number): (i: number) => number {
  const [first, second] = STARTS.map((start) => [seed, counter, site].reduce((h, word) => mix(h + word), start));
  return (i) => mix(first + i, second);
}

export const dropout = ({ f32, u32 }: Views) => {
  /** y = x ⊙ mask, mask = 0 where u < rate, 1 / (1 − rate) elsewhere. The scale is rounded as the kernels do it. */
  const drop = (x: Float32Array, state: number, y: Float32Array, site: number, row: number, rate: number): void => {
    const words = u32(state, Object.keys(RANDOM_STATE).length);
    const first = Math.imul(row, words[RANDOM_STATE.firstRow]);
    const hash = hasher(words[RANDOM_STATE.seed], words[RANDOM_STATE.counter], site);
    const scale = Math.fround(1 / Math.fround(1 - Math.fround(rate)));
    for (let i = 0; i < y.length; i++) {
      const u = (hash(first + i) >>> 8) / 2 ** 24;
      y[i] = u < Math.fround(rate) ? 0 : x[i] * scale;
    }
  };

  return {
    f32_dropout_fwd(n, x, state, y, site, row, rate) {
      drop(f32(x, n), state, f32(y, n), site, row, rate);
    },

    f32_dropout_mask(n, state, y, site, row, rate) {
      drop(f32(y, n).fill(1), state, f32(y, n), site, row, rate);
    },
  } satisfies Partial<Kernels>;
};
