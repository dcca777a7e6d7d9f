/** UTF-8 without TextEncoder and TextDecoder, which worklets lack. */
import { FormatError } from "./errors.ts";

const REPLACEMENT = 0xfffd;
const CHUNK = 4096;

/** The bytes of a text. Half a surrogate pair becomes U+FFFD, as TextEncoder has it. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(3 * text.length); // a pair of units takes 4 bytes, any other unit at most 3
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i)!;
    if (code > 0xffff) i++;
    else if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
    } else {
      if (code < 0x10000) {
        bytes[at++] = 0xe0 | (code >> 12);
      } else {
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 63);
      }
      bytes[at++] = 0x80 | ((code >> 6) & 63);
    }
    bytes[at++] = 0x80 | (code & 63);
  }
  return bytes.slice(0, at);
}

/** The number of bytes after a first byte and the least code point that needs them; undefined for no first byte. */
function sequence(first: number): [more: number, least: number] | undefined {
  if (first >= 0xc0 && first < 0xe0) return [1, 0x80];
  if (first >= 0xe0 && first < 0xf0) return [2, 0x800];
  if (first >= 0xf0 && first < 0xf8) return [3, 0x10000];
  return undefined;
}

/** The code point of several bytes that starts at `at`, or −1; `more` bytes follow the first. */
function longCodePoint(bytes: Uint8Array, at: number, more: number, least: number): number {
  let code = bytes[at] & (0x3f >> more);
  for (let i = 1; i <= more; i++) {
    const next = bytes[at + i]; // undefined beyond the end
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 63);
  }
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < least || code > 0x10ffff || surrogate ? -1 : code;
}

/**
 * The text of well-formed UTF-8.
 *
 * @throws FormatError at a byte that cannot be: cut off, overlong, half a surrogate pair, beyond U+10FFFF
 */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  let units: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    let code = bytes[i];
    if (code >= 0x80) {
      const [more, least] = sequence(code) ?? [0, 0];
      code = more === 0 ? -1 : longCodePoint(bytes, i, more, least);
      if (code < 0) throw new FormatError(`text: expected UTF-8, got byte ${bytes[i]} at ${i}`);
      i += more;
    }
    if (code > 0xffff) units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    else units.push(code);
    if (units.length >= CHUNK) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}
