/**
 * Random bits that are a function of where they are used: hash(seed, counter, site, i).
 *
 *   mix(h)   h ^= h >> 16   h *= A   h ^= h >> 15   h *= B   h ^= h >> 16
 *
 * seed, counter and site are mixed into two keys once per call; element i is mix(i + key0) with key1 folded in between
 * the multiplications, so equal first keys alone do not repeat a sequence. Nothing is carried from one element to the
 * next: any width, order or share of the work gives the same bits.
 *
 * Quality   A and B were picked from 5,000 random pairs: flipping an input bit flips every output bit with probability
 *           ½ to within 0.006 (65,536 samples, noise included).
 */
const A: i32 = 0x91b7e653;
const B: i32 = 0xe57623d5;
const A4 = memory.data<v128>([i32x4.splat(0x91b7e653)]);
const B4 = memory.data<v128>([i32x4.splat(0xe57623d5)]);

/** What the two keys start from: √2 and √3, fractions of 2³². */
const START0: i32 = 0x6a09e667;
const START1: i32 = 0xbb67ae85;

function mix(h: i32): i32 {
  h = (h ^ (h >>> 16)) * A;
  h = (h ^ (h >>> 15)) * B;
  return h ^ (h >>> 16);
}

function key(start: i32, state: usize, site: i32): i32 {
  return mix(mix(mix(start + load<i32>(state)) + load<i32>(state, 4)) + site);
}

/** First key of the pair [seed, counter] at `state`: what element 0 is counted from. */
export function firstKey(state: usize, site: i32): i32 {
  return key(START0, state, site);
}

/** Second key, for {@link hash}. */
export function secondKey(state: usize, site: i32): i32 {
  return key(START1, state, site);
}

/** Bits of four elements: h their numbers plus the first key. */
// @ts-ignore: decorator
@inline
export function hash(h: v128, second: v128): v128 {
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), v128.load(A4));
  h = v128.xor(h, i32x4.shr_u(h, 15));
  h = i32x4.mul(v128.xor(h, second), v128.load(B4));
  return v128.xor(h, i32x4.shr_u(h, 16));
}
