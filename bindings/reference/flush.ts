/** What becomes 0 in the kernels, so that nothing ends among the denormals. */
const TINY = Math.fround(1e-30);

/** x, or 0 where |x| < 1e-30. */
export const flushTiny = (x: number): number => (Math.abs(x) < TINY ? 0 : x);
