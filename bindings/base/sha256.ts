/** SHA-256 of a text (FIPS 180-4), for what a file brings along: engines have no synchronous one of their own. */
import { encodeUtf8 } from "./utf8.ts";

/** The first 32 bits of the fractional parts of a power of the first primes. */
function fractions(count: number, power: number): Uint32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return Uint32Array.from(primes, (prime) => (prime ** power % 1) * 2 ** 32);
}

const BLOCK = 64;

/** The bytes with the bit, the zeros and the length in bits that SHA-256 puts behind them. */
function padded(bytes: Uint8Array): DataView {
  const size = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK;
  const all = new Uint8Array(size);
  all.set(bytes);
  all[bytes.length] = 0x80;
  const view = new DataView(all.buffer);
  view.setUint32(size - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(size - 4, bytes.length << 3);
  return view;
}

const rotated = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** @returns 64 hexadecimal digits */
export function sha256(text: string): string {
  const view = padded(encodeUtf8(text));
  const [hash, keys] = [fractions(8, 1 / 2), fractions(64, 1 / 3)];
  const w = new Uint32Array(64);
  for (let block = 0; block < view.byteLength; block += BLOCK) {
    for (let i = 0; i < 16; i++) w[i] = view.getUint32(block + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [p, q] = [w[i - 15], w[i - 2]];
      const s0 = rotated(p, 7) ^ rotated(p, 18) ^ (p >>> 3);
      const s1 = rotated(q, 17) ^ rotated(q, 19) ^ (q >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const choice = (e & f) ^ (~e & g);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const t1 = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + keys[i] + w[i]) | 0;
      const t2 = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i] += word));
  }
  return Array.from(hash, (word) => word.toString(16).padStart(8, "0")).join("");
}
