/** The standard normal distribution in f64, for the exact GELU. */

export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …), for |x| < 3. */
function fromCentre(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/** Φ(−x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))) for x ≥ 3: the relative error stays small in the tail. */
function tail(x: number): number {
  let fraction = x;
  for (let k = 60; k >= 1; k--) fraction = x + k / fraction;
  return normalDensity(x) / fraction;
}

/** Φ(x), NaN for NaN. */
export function normalCdf(x: number): number {
  if (x <= -3) return tail(-x);
  if (x >= 3) return 1 - tail(x);
  return fromCentre(x);
}
