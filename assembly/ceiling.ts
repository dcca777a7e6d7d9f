/** What benchmarks compare with: multiply-adds at the pace of the registers. Part of no module that ships. */
import { madd } from "./lib/f32x4";

/**
 * Twelve chains x ← x·a + b, as many as fit the registers beside a and b: 48 multiply-adds a turn, none known before.
 *
 * @param turns
 * @param p  in/out  [3, 4]  a, b, and where x starts and its sum ends
 */
export function madd_chains(turns: usize, p: usize): void {
  const a = v128.load(p), b = v128.load(p, 16), x = v128.load(p, 32);
  let x0 = x, x1 = x, x2 = x, x3 = x, x4 = x, x5 = x, x6 = x, x7 = x, x8 = x, x9 = x, x10 = x, x11 = x;
  for (; turns; turns--) {
    x0 = madd(x0, a, b);
    x1 = madd(x1, a, b);
    x2 = madd(x2, a, b);
    x3 = madd(x3, a, b);
    x4 = madd(x4, a, b);
    x5 = madd(x5, a, b);
    x6 = madd(x6, a, b);
    x7 = madd(x7, a, b);
    x8 = madd(x8, a, b);
    x9 = madd(x9, a, b);
    x10 = madd(x10, a, b);
    x11 = madd(x11, a, b);
  }
  const left = f32x4.add(f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)), f32x4.add(x4, x5));
  const right = f32x4.add(f32x4.add(f32x4.add(x6, x7), f32x4.add(x8, x9)), f32x4.add(x10, x11));
  v128.store(p, f32x4.add(left, right), 32);
}
