/** The two 16-bit floats that files hold, widened to 32 bits without rounding. */

/** IEEE binary16: 1 sign, 5 exponent, 10 fraction bits. */
export function f32FromF16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) {
    const sign = (halves[i] & 0x8000) << 16;
    const exponent = (halves[i] >> 10) & 31;
    const fraction = halves[i] & 0x3ff;
    if (exponent === 0) {
      floats[i] = fraction * 5.960464477539063e-8; // 2⁻²⁴: subnormals are multiples of it
      bits[i] |= sign;
    } else {
      const widened = exponent === 31 ? 255 : exponent + 112; // the biases are 15 and 127
      bits[i] = sign | (widened << 23) | (fraction << 13);
    }
  }
  return floats;
}

/** bfloat16: the upper half of a 32-bit float. */
export function f32FromBf16(halves: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
