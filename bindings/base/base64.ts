/** Base64 without `atob` and `Buffer`, which worklets lack. */
import { FormatError } from "./errors.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const INVALID = 255;

const VALUES = new Uint8Array(128).fill(INVALID);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

const native = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array }).fromBase64;

/** The plain loop behind {@link decodeBase64}: four characters are three bytes. */
export function decodeBase64Plain(base64: string): Uint8Array<ArrayBuffer> {
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  const length = base64.length - padding;
  if (base64.length % 4 !== 0) {
    throw new FormatError(`base64: expected a multiple of 4 characters, got ${base64.length}`);
  }
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  for (let i = 0, at = 0; i < length; i++) {
    const code = base64.charCodeAt(i);
    const value = code < 128 ? VALUES[code] : INVALID;
    if (value === INVALID)
      throw new FormatError(`base64: expected only letters of its alphabet, got "${base64[i]}" at ${i}`);
    bits = (bits << 6) | value;
    // 18, 12 and 6 bits are in when the second, third and fourth character of a quartet complete a byte
    if ((i & 3) !== 0) bytes[at++] = bits >> (6 - 2 * (i & 3));
  }
  return bytes;
}

/**
 * The bytes that padded base64 stands for.
 *
 * @throws FormatError when it is not base64
 */
export function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  if (native === undefined) return decodeBase64Plain(base64);
  try {
    return native.call(Uint8Array, base64) as Uint8Array<ArrayBuffer>;
  } catch (cause) {
    throw new FormatError("base64: expected letters of its alphabet, got others", { cause });
  }
}
