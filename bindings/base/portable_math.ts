/**
 * Elementary functions with the same bits in every engine, from + − × ÷ on doubles, which IEEE 754 rounds in one way.
 * Math.exp, Math.log and Math.cos differ between engines, so no initial weight depends on them.
 */

const LN_2 = 0.6931471805599453;
/** ln 2 in two parts, the first short enough that whole multiples of it are exact. */
const LN_2_HIGH = 0.6931471803691238;
const LN_2_LOW = 1.9082149292705877e-10;
const SQRT_2 = 1.4142135623730951;

/** ln x for x > 0, within 2 ULP: x = m·2^e with m around 1, ln m = 2·artanh((m − 1)/(m + 1)). */
export function ln(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  let e = 0;
  for (; x < 1; e--) x *= 2;
  for (; x >= 2; e++) x /= 2;
  if (x > SQRT_2) {
    x /= 2;
    e++;
  }
  const t = (x - 1) / (x + 1);
  let sum = 0;
  // |t| < 0.172: the terms fall by 34 each, the next one would be below 2^-57
  for (let k = 21; k >= 1; k -= 2) sum = sum * t * t + 1 / k;
  return e * LN_2 + 2 * t * sum;
}

/** e^x, to about 1e-15: x = r + n·ln 2, the series at r/16, squared four times. */
export function exp(x: number): number {
  if (x > 709.7) return Infinity;
  if (x < -745.1) return 0;
  const n = Math.round(x / LN_2);
  const r = (x - n * LN_2_HIGH - n * LN_2_LOW) / 16;
  let sum = 1;
  for (let k = 10; k >= 1; k--) sum = 1 + (r / k) * sum;
  for (let i = 0; i < 4; i++) sum *= sum;
  return sum * scale(n);
}

/** 2^n by doubling or halving. */
function scale(n: number): number {
  let result = 1;
  for (; n > 0; n--) result *= 2;
  for (; n < 0; n++) result /= 2;
  return result;
}

/** base^x for base ≥ 0; by multiplication alone when x is a whole number ≥ 0. */
export function power(base: number, x: number): number {
  if (Number.isInteger(x) && x >= 0) {
    let result = 1;
    for (let square = base; x > 0; x = Math.floor(x / 2), square *= square) if (x % 2 === 1) result *= square;
    return result;
  }
  return base === 0 ? 0 : exp(x * ln(base));
}

/** cos x for |x| ≤ π, to about 1e-15: the series at x/8, doubled three times. */
export function cos(x: number): number {
  const r = (x / 8) * (x / 8);
  // 1 − cos keeps its digits while it is doubled: 1 − cos 2a = 2·u·(2 − u) for u = 1 − cos a
  let u = 0;
  for (let k = 16; k >= 2; k -= 2) u = (r / (k * (k - 1))) * (1 - u);
  for (let i = 0; i < 3; i++) u = 2 * u * (2 - u);
  return 1 - u;
}
