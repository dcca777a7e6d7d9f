/**
 * Loops that kernels are compared with, and the timing of both. Runs in any engine.
 *
 * A share of a ceiling needs times that nothing else on the machine disturbed, so it is taken from the shortest of many
 * slices of 2 ms in turns (measured: slices of 50 ms, as benchmark.js has them, give 50 to 120 % on a busy machine).
 */
import type { Kernels } from "../../bindings/generated/kernels.ts";

/** Kernels and the memory that holds their arrays. */
export interface Box {
  readonly kernels: Kernels;
  /** Places floats: the values given, or room for `n`. */
  f32(values: number | ArrayLike<number>): { readonly ptr: number };
}

/** Iterations per call: about 10 µs. */
const ITERATIONS = 4000;

interface Loops {
  madd_chains(iterations: number, p: number): void;
  madd_weights(bytes: number, weights: number, p: number): void;
  dot_weights(bytes: number, weights: number, limbs: number, p: number): void;
}

const POINTS = 4096;
const WEIGHTS = 65536;

/** The loops over a memory with room for `bytes` of weights. */
function loops(module: WebAssembly.Module, bytes: number): Loops {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((WEIGHTS + bytes) / 65536) });
  new Float32Array(memory.buffer, POINTS, 12).fill(0.5);
  new Float32Array(memory.buffer, WEIGHTS, bytes >> 2).fill(1e-3);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Loops;
}

/** A loop whose pace is the ceiling for one kind of work. */
export interface Probe {
  /** Work per call of `run`: multiply-adds, or values. */
  readonly work: number;
  run(): void;
}

/** Multiply-adds between registers: no product is faster. */
export function multiplyAdds(ceiling: WebAssembly.Module): Probe {
  const { madd_chains } = loops(ceiling, 0);
  return { work: ITERATIONS * 48, run: () => madd_chains(ITERATIONS, POINTS) };
}

/** Bytes that one iteration of the loop over weights reads. */
const READ = 160;

/** Multiply-adds that read a weight each: no product of one row with as many weights is faster. */
export function weightReads(ceiling: WebAssembly.Module, bytes: number): Probe {
  const whole = Math.max(1, Math.round(bytes / READ)) * READ;
  const { madd_weights } = loops(ceiling, whole);
  return { work: whole >> 2, run: () => madd_weights(whole, WEIGHTS, POINTS) };
}

/**
 * The same with int8 weights. Activations of 7 bits are one limb and need one product per weight, those of 14 bits are
 * two limbs and need two. The simd build multiplies int16, which needs one.
 */
export function int8Reads(ceiling: WebAssembly.Module, bytes: number, limbs: 1 | 2): Probe {
  const whole = Math.max(1, Math.round(bytes / READ)) * READ;
  const { dot_weights } = loops(ceiling, whole);
  return { work: whole, run: () => dot_weights(whole, WEIGHTS, limbs, POINTS) };
}

/** Values of tanh or sigmoid over an array in the first cache: no gate is faster. */
export function transcendentals(box: Box): Probe {
  const n = 2048;
  const [x, y] = [box.f32(Float32Array.from({ length: n }, (_, i) => i / 512 - 2)), box.f32(n)];
  const tanh = 1;
  return { work: n, run: () => box.kernels.f32_unary_fwd(n, x.ptr, y.ptr, tanh, 0, 0) };
}

/** Milliseconds that one function runs before the next one does. */
const SLICE = 2;

/** Calls that fill a slice, counted while the engine compiles the function. */
function callsPerSlice(fn: () => void, warmUp: number): number {
  let calls = 1;
  const end = performance.now() + warmUp;
  for (;;) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) fn();
    const now = performance.now();
    if (now > end) return Math.max(1, Math.round((calls * SLICE) / Math.max(now - start, 1e-3)));
    if (now - start < SLICE) calls *= 2;
  }
}

/**
 * Seconds per call of each function in its shortest slice.
 *
 * @param options.rounds  slices per function
 * @param options.warmUp  milliseconds that each function runs before it is timed
 */
export function fastest(fns: readonly (() => void)[], { rounds = 30, warmUp = 100 } = {}): number[] {
  const calls = fns.map((fn) => callsPerSlice(fn, warmUp));
  const best = fns.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    fns.forEach((fn, k) => {
      for (;;) {
        const start = performance.now();
        for (let i = 0; i < calls[k]; i++) fn();
        const elapsed = performance.now() - start;
        if (elapsed >= SLICE / 2) {
          best[k] = Math.min(best[k], elapsed / calls[k] / 1e3);
          break;
        }
        calls[k] *= 2; // something disturbed the counting of calls, or this engine's clock is coarse
      }
    });
  }
  return best;
}
