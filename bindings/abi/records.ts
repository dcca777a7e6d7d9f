/**
 * Lists of words that ops write and kernels read: activations of a cell, axes of a strided copy, the state of dropout.
 */

/** An elementwise function with its parameters. */
export interface ActivationRecord {
  /** One of UNARY_CODES. */
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

/** An activation is i32 code, f32 alpha, f32 beta, and a word that is unused. */
const ACTIVATION_WORDS = 4;

/** Words of so many activations. */
export const activationWords = (count: number): number => count * ACTIVATION_WORDS;

/** The activation of a cell and its recurrent activation, as `acts` of kernels. */
export function encodeActivations(activations: readonly ActivationRecord[]): Int32Array {
  const words = new Int32Array(activationWords(activations.length));
  const floats = new Float32Array(words.buffer);
  activations.forEach(({ code, alpha, beta }, i) => {
    words[i * ACTIVATION_WORDS] = code;
    floats.set([alpha, beta], i * ACTIVATION_WORDS + 1);
  });
  return words;
}

/** What {@link encodeActivations} wrote, seen as integers and as floats. */
export function decodeActivations(words: ArrayLike<number>, floats: ArrayLike<number>): ActivationRecord[] {
  return Array.from({ length: words.length / ACTIVATION_WORDS }, (_, i) => {
    const at = i * ACTIVATION_WORDS;
    return { code: words[at], alpha: floats[at + 1], beta: floats[at + 2] };
  });
}

/** An axis of a strided copy: its size, and the strides of source and target in elements. */
export type StridedAxis = readonly [size: number, from: number, to: number];

/** Words of a strided copy of so many axes. */
export const stridedWords = (rank: number): number => 1 + 3 * rank;

/** A strided copy as `spec` of kernels: the number of axes, then the axes, the outermost first. */
export const encodeStrided = (axes: readonly StridedAxis[]): Int32Array =>
  Int32Array.from([axes.length, ...axes.flat()]);

/** The axes in what {@link encodeStrided} wrote. */
export const decodeStrided = ([rank, ...words]: Iterable<number> & ArrayLike<number>): StridedAxis[] =>
  Array.from({ length: rank }, (_, i) => [words[3 * i], words[3 * i + 1], words[3 * i + 2]]);

/**
 * Words of the state of dropout [3] u32: the seed, the number of the run, and the first row of the batch that a thread
 * computes.
 */
export const RANDOM_STATE = { seed: 0, counter: 1, firstRow: 2 } as const;
