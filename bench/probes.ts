/**
 * What kernels are compared with, and how both are timed: in any engine, nothing here asks where it runs.
 *
 * Shares of a ceiling need times undisturbed by whatever else the machine does, so they are the shortest of many slices
 * of 2 ms that take turns (measured: the 50 ms that benchmark.js takes give anything from 50 to 120 % on a busy machine).
 */
import type { Kernels } from "../bindings/generated/kernels.ts";

/** Kernels with a memory that arrays are placed in. */
export interface Box {
  readonly kernels: Kernels;
  /** Floats: the values given, or room for `n`. */
  f32(values: number | ArrayLike<number>): { readonly ptr: number };
}

/** Turns of a call: about 10 µs. */
const TURNS = 4000;

interface Loops {
  madd_chains(turns: number, p: number): void;
  madd_weights(bytes: number, weights: number, p: number): void;
  dot_weights(bytes: number, weights: number, limbs: number, p: number): void;
}

const POINTS = 4096;
const WEIGHTS = 65536;

/** The loops over a memory with room for some bytes of weights. */
function loops(module: WebAssembly.Module, bytes: number): Loops {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((WEIGHTS + bytes) / 65536) });
  new Float32Array(memory.buffer, POINTS, 12).fill(0.5);
  new Float32Array(memory.buffer, WEIGHTS, bytes >> 2).fill(1e-3);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Loops;
}

/** One probe: how much work a call of `run` does. */
export interface Probe {
  readonly work: number;
  run(): void;
}

/** Multiply-adds between registers: what no product can exceed. */
export function multiplyAdds(ceiling: WebAssembly.Module): Probe {
  const { madd_chains } = loops(ceiling, 0);
  return { work: TURNS * 48, run: () => madd_chains(TURNS, POINTS) };
}

/** Bytes that a turn of the loop over weights reads. */
const READ = 160;

/** Multiply-adds with weights that are read once each: what no product of one row with as many can exceed. */
export function weightReads(ceiling: WebAssembly.Module, bytes: number): Probe {
  const whole = Math.max(1, Math.round(bytes / READ)) * READ;
  const { madd_weights } = loops(ceiling, whole);
  return { work: whole >> 2, run: () => madd_weights(whole, WEIGHTS, POINTS) };
}

/**
 * The same with int8 weights, whose products are done once or, for activations in two limbs, twice. A ceiling of the simd
 * build multiplies int16, which need no limbs.
 */
export function int8Reads(ceiling: WebAssembly.Module, bytes: number, limbs: 1 | 2): Probe {
  const whole = Math.max(1, Math.round(bytes / READ)) * READ;
  const { dot_weights } = loops(ceiling, whole);
  return { work: whole, run: () => dot_weights(whole, WEIGHTS, limbs, POINTS) };
}

/** Values of tanh or the sigmoid over an array in the first cache: what no gate can exceed. */
export function transcendentals(box: Box): Probe {
  const n = 2048;
  const [x, y] = [box.f32(Float32Array.from({ length: n }, (_, i) => i / 512 - 2)), box.f32(n)];
  const tanh = 1;
  return { work: n, run: () => box.kernels.f32_unary_fwd(n, x.ptr, y.ptr, tanh, 0, 0) };
}

/** Milliseconds of one function's turn. */
const SLICE = 2;

/** How often fn runs in a slice, found while the engine compiles it. */
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

/** Seconds per call of each function, in its best slice. */
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
        calls[k] *= 2; // it was disturbed when its calls were counted; clocks of some engines are coarse
      }
    });
  }
  return best;
}
