/**
 * Random numbers with the same bits in every engine: integers, and only + − × ÷ √ on floats, each of which IEEE 754
 * rounds in one way. Math.log and its kin differ between engines and are not used.
 */
import { ValueError } from "./errors.ts";
import { ln } from "./portable_math.ts";
import { shown } from "./formatting.ts";

/** Everything a generator knows: four u32. */
export type RandomState = readonly [number, number, number, number];

const TWO_32 = 2 ** 32;

/** Rounds until every bit of the seed has reached every bit of the state (sfc32's author asks for 12). */
const WARM_UP = 16;

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * A small fast counting generator: sfc32 of Chris Doty-Humphrey, 128 bits of state, period at least 2³².
 *
 * @example
 * const random = new Random(42);
 * const order = Int32Array.from({ length: 10 }, (_, i) => i);
 * random.shuffle(order);
 */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  /**
   * @param seed any safe integer
   * @throws ValueError when it is none
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new ValueError(`seed: expected an integer, got ${shown(seed)}`);
    this.start(0, seed >>> 0, Math.floor(seed / TWO_32) >>> 0);
  }

  private start(a: number, b: number, c: number): void {
    this.state = [a, b, c, 1];
    for (let i = 0; i < WARM_UP; i++) this.next();
  }

  /** The next 32 bits, as an integer in [0, 2³²). */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1), a multiple of 2⁻²⁴: exact as a float, so it does not round up to 1 there. */
  uniform(): number {
    return (this.next() >>> 8) / 0x1000000;
  }

  /**
   * An integer in [0, n), each equally likely.
   *
   * @throws ValueError unless n is an integer from 1 to 2³²
   */
  below(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= TWO_32)) {
      throw new ValueError(`below: expected an integer from 1 to 2^32, got ${n}`);
    }
    const whole = TWO_32 - (TWO_32 % n); // beyond it the first remainders would come once more often
    let bits = this.next();
    while (bits >= whole) bits = this.next();
    return bits % n;
  }

  /** A number from the standard normal distribution (Marsaglia's polar method). */
  normal(): number {
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const s = x * x + y * y;
      // the method's second number is dropped, so that the state stays four integers
      if (s > 0 && s < 1) return x * Math.sqrt((-2 * ln(s)) / s);
    }
  }

  /** Puts the elements into a random order, in place (Fisher and Yates). */
  shuffle(order: Int32Array): void {
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
  }

  /** A copy of the state: assigned to a generator, it goes on from here. */
  get state(): RandomState {
    return [this.a >>> 0, this.b >>> 0, this.c >>> 0, this.counter >>> 0];
  }

  /** Goes on from a state that was read. */
  set state([a, b, c, counter]: RandomState) {
    this.a = a | 0;
    this.b = b | 0;
    this.c = c | 0;
    this.counter = counter | 0;
  }

  /**
   * A generator with a sequence of its own, chosen by this one's state and the label. This one does not move: what is
   * drawn for one label does not depend on which others were asked for, or in which order.
   */
  fork(label: number | string): Random {
    const child = new Random(0);
    const [a, b, c, counter] = this.state;
    child.start(a ^ counter, b ^ hash(String(label)), c);
    return child;
  }
}

/** A seed from the engine's own source of randomness. */
export function randomSeed(): number {
  const source = globalThis.crypto;
  if (source === undefined) return Math.floor(Math.random() * TWO_32); // AudioWorklets have no crypto
  return source.getRandomValues(new Uint32Array(1))[0];
}
