/**
 * DEFLATE (RFC 1951) without DecompressionStream, which is asynchronous and missing in worklets.
 *
 * Reads what the build wrote: blocks with Huffman codes of their own or the fixed ones, nothing damaged. A bit at a time, which takes
 * milliseconds for the kernels and less text than anything faster.
 */
import { FormatError } from "../errors.ts";

const LONGEST = 15;
const END_OF_BLOCK = 256;

/** The order in which the lengths of the code for code lengths are written. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** First values and numbers of extra bits of consecutive codes: the bits grow by one after each `group`, but the first two groups. */
function ranges(first: number, group: number, codes: number): [first: number, extra: number][] {
  let next = first;
  return Array.from({ length: codes }, (_, i) => {
    const extra = Math.max(0, Math.floor(i / group) - 1);
    const at = next;
    next += 1 << extra;
    return [at, extra];
  });
}

const LENGTHS = [...ranges(3, 4, 28), [258, 0] as const];
const DISTANCES = ranges(1, 2, 30);

/** A canonical Huffman code: how many codes there are of each length, and their symbols in order. */
interface Code {
  counts: number[];
  symbols: number[];
}

function codeOf(lengths: readonly number[]): Code {
  const counts = new Array<number>(LONGEST + 1).fill(0);
  for (const length of lengths) if (length > 0) counts[length]++;
  const symbols = lengths.flatMap((length, symbol) => (length > 0 ? [symbol] : [])).sort((a, b) => lengths[a] - lengths[b] || a - b);
  return { counts, symbols };
}

/** Bits of a stream of bytes, lowest first. */
class Bits {
  private readonly source: Uint8Array;
  private at = 0;

  constructor(source: Uint8Array) {
    this.source = source;
  }

  take(n: number): number {
    let value = 0;
    for (let i = 0; i < n; i++, this.at++) value |= ((this.source[this.at >> 3] >> (this.at & 7)) & 1) << i;
    return value;
  }

  /** The next symbol: codes of one length are consecutive numbers, which start where those of the length before ended. */
  symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let before = 0;
    for (let length = 1; length <= LONGEST; length++) {
      code |= this.take(1);
      if (code - first < counts[length]) return symbols[before + code - first];
      before += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    throw new FormatError("inflate: expected a code of the block, got none");
  }
}

/** The two codes that a block begins with, their lengths written in a third. */
function readCodes(bits: Bits): { literals: Code; distances: Code } {
  const [literals, distances, own] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  const ownLengths = new Array<number>(LENGTH_ORDER.length).fill(0);
  for (let i = 0; i < own; i++) ownLengths[LENGTH_ORDER[i]] = bits.take(3);
  const code = codeOf(ownLengths);
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = bits.symbol(code);
    if (symbol < 16) {
      lengths.push(symbol);
      continue;
    }
    // 16 repeats the last length, 17 and 18 are runs of zeros
    const [length, more, least] = [[lengths.at(-1)!, 2, 3], [0, 3, 3], [0, 7, 11]][symbol - 16];
    for (let i = least + bits.take(more); i > 0; i--) lengths.push(length);
  }
  return { literals: codeOf(lengths.slice(0, literals)), distances: codeOf(lengths.slice(literals)) };
}

const run = (length: number, symbols: number): number[] => new Array<number>(symbols).fill(length);

/** The codes of blocks too short for codes of their own. */
const fixedCodes = (): { literals: Code; distances: Code } =>
  ({ literals: codeOf([...run(8, 144), ...run(9, 112), ...run(7, 24), ...run(8, 8)]), distances: codeOf(run(5, 32)) });

/**
 * What was compressed.
 *
 * @param size  how many bytes that is
 * @throws FormatError for blocks that the build does not write
 */
export function inflate(source: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bits = new Bits(source);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let last = 0; last === 0;) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind !== 1 && kind !== 2) throw new FormatError(`inflate: expected a block with Huffman codes, got one of kind ${kind}`);
    const { literals, distances } = kind === 1 ? fixedCodes() : readCodes(bits);
    for (let symbol = bits.symbol(literals); symbol !== END_OF_BLOCK; symbol = bits.symbol(literals)) {
      if (symbol < END_OF_BLOCK) {
        bytes[at++] = symbol;
        continue;
      }
      const [length, lengthBits] = LENGTHS[symbol - END_OF_BLOCK - 1];
      const end = at + length + bits.take(lengthBits);
      const [distance, distanceBits] = DISTANCES[bits.symbol(distances)];
      const back = distance + bits.take(distanceBits);
      for (; at < end; at++) bytes[at] = bytes[at - back];
    }
  }
  return bytes;
}
