/**
 * DEFLATE (RFC 1951), to unpack the kernels: a module of its own, small enough to travel as it is. Engines run it at
 * speed at once, while the first JavaScript of a page is interpreted (measured: 7 ms of a start).
 *
 * It trusts what it reads: damaged data run out of the memory, which holds nothing else, and trap.
 */

/** Bits of the longest codes. */
const LONGEST: u32 = 15;
/** Bytes of a code's counts, one for each length of 0…15; its symbols follow in order. */
const COUNTS: usize = 32;
/** Symbols of literals and lengths, of distances, and of lengths of codes. */
const LITERALS: usize = 288,
  DISTANCES: usize = 32,
  LENGTHS: usize = 19;
const END_OF_BLOCK: u32 = 256;

const literals = memory.data(608),
  distances = memory.data(96),
  own = memory.data(70);
/** Lengths of the codes of a block, as they are read. */
const lengths = memory.data(320);

/** The order in which the lengths of the code for code lengths are written. */
const LENGTH_ORDER = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]);

let source: usize = 0;
/** Bits that have been read and not taken, lowest first. */
let held: u32 = 0,
  count: u32 = 0;

/** Reads on until at least n bits are held. */
// @ts-ignore: decorator
@inline
function hold(n: u32): void {
  for (; count < n; count += 8) held |= (<u32>load<u8>(source++)) << count;
}

function take(n: u32): u32 {
  hold(n);
  const value = held & ((1 << n) - 1);
  held >>= n;
  count -= n;
  return value;
}

/** A canonical Huffman code of n symbols, of the lengths of their codes. */
function makeCode(code: usize, from: usize, n: usize): void {
  memory.fill(code, 0, COUNTS);
  let symbols = code + COUNTS;
  for (let length: u32 = 1; length <= LONGEST; length++) {
    const first = symbols;
    for (let i: usize = 0; i < n; i++) {
      if (load<u8>(from + i) != length) continue;
      store<u16>(symbols, <u16>i);
      symbols += 2;
    }
    store<u16>(code + (length << 1), <u16>((symbols - first) >> 1));
  }
}

/** The next symbol: codes of one length are consecutive numbers, which start where those of the length before ended. */
function symbol(code: usize): u32 {
  hold(LONGEST);
  let bits = held,
    length: u32 = 1,
    value = bits & 1,
    first: u32 = 0;
  let codes: u32 = load<u16>(code, 2),
    symbols = code + COUNTS;
  while (value - first >= codes) {
    symbols += codes << 1;
    first = (first + codes) << 1;
    bits >>= 1;
    value = (value << 1) | (bits & 1);
    code += 2;
    length++;
    codes = load<u16>(code, 2);
  }
  held >>= length;
  count -= length;
  return load<u16>(symbols + ((value - first) << 1));
}

/** The two codes that a block begins with, their lengths written in a third. */
function readCodes(): void {
  const m: usize = take(5) + 257,
    n: usize = take(5) + 1,
    k: usize = take(4) + 4;
  memory.fill(lengths, 0, LENGTHS);
  for (let i: usize = 0; i < k; i++) store<u8>(lengths + load<u8>(LENGTH_ORDER + i), <u8>take(3));
  makeCode(own, lengths, LENGTHS);
  let last: u8 = 0;
  for (let at = lengths, end = lengths + m + n; at < end;) {
    const next = symbol(own);
    let times: u32 = 1;
    if (next < 16) last = <u8>next;
    else if (next == 16) times = 3 + take(2);
    else {
      last = 0;
      times = next == 17 ? 3 + take(3) : 11 + take(7);
    }
    memory.fill(at, last, times);
    at += times;
  }
  makeCode(distances, lengths + m, n);
  makeCode(literals, lengths, m);
}

/** The codes of blocks too short for codes of their own. */
function fixedCodes(): void {
  memory.fill(lengths, 8, 144);
  memory.fill(lengths + 144, 9, 112);
  memory.fill(lengths + 256, 7, 24);
  memory.fill(lengths + 280, 8, 8);
  makeCode(literals, lengths, LITERALS);
  memory.fill(lengths, 5, DISTANCES);
  makeCode(distances, lengths, DISTANCES);
}

/** Literals, and copies of what is written already, to the end of a block. @returns where it ends */
function block(to: usize): usize {
  for (let next = symbol(literals); next != END_OF_BLOCK; next = symbol(literals)) {
    if (next < END_OF_BLOCK) {
      store<u8>(to++, <u8>next);
      continue;
    }
    // bits of lengths grow by one after every fourth code, of distances after every second one
    const code = next - 257;
    let length = code + 3;
    if (code == 28) length = 258;
    else if (code >= 8) {
      const more = (code >> 2) - 1;
      length = ((4 + (code & 3)) << more) + 3 + take(more);
    }
    let distance = symbol(distances);
    if (distance >= 4) {
      const more = (distance >> 1) - 1;
      distance = ((2 + (distance & 1)) << more) + take(more);
    }
    for (const end = to + length; to < end; to++) store<u8>(to, load<u8>(to - distance - 1));
  }
  return to;
}

/** Bytes as they are. @returns where they end */
function stored(to: usize): usize {
  source -= count >> 3; // they begin with the next byte
  held = count = 0;
  const length: usize = load<u16>(source);
  memory.copy(to, source + 4, length);
  source += 4 + length;
  return to + length;
}

/**
 * Unpacks what lies at `from`.
 *
 * @returns how many bytes lie at `to` then
 */
export function inflate(from: usize, to: usize): usize {
  source = from;
  held = count = 0;
  const start = to;
  for (let last: u32 = 0; !last;) {
    last = take(1);
    const kind = take(2);
    if (kind == 0) to = stored(to);
    else {
      if (kind == 1) fixedCodes();
      else readCodes();
      to = block(to);
    }
  }
  return to - start;
}
