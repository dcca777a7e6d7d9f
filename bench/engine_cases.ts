/**
 * Every family of kernels as a share of what the engine allows, in whatever engine this is bundled for: `engines.mjs` does
 * that, and calls `measureEngine` with the modules.
 */
import type { Kernels } from "../bindings/generated/kernels.ts";
import { CURVES, prepareCell, type CellShape } from "./cell_runs.ts";
import { GATES } from "../test/support/cells.ts";
import { fastest, multiplyAdds, transcendentals, weightReads, type Box, type Probe } from "./probes.ts";

const PAGES = 1024;
const FIRST = 65536;

/** A memory that is filled from one end. */
function box(module: WebAssembly.Module): Box {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const abort = (): never => {
    throw new Error("a kernel aborted");
  };
  const kernels = new WebAssembly.Instance(module, { env: { memory, abort } }).exports as unknown as Kernels;
  let next = FIRST;
  return {
    kernels,
    f32(values) {
      const ptr = next;
      const n = typeof values === "number" ? values : values.length;
      next += (n * 4 + 79) & ~63;
      if (typeof values !== "number") new Float32Array(memory.buffer, ptr, n).set(values);
      return { ptr };
    },
  };
}

interface Case {
  readonly name: string;
  /** Multiply-adds in which a weight serves many rows, and those for which each is read. */
  readonly blocked?: number;
  readonly single?: number;
  readonly bytes?: number;
  /** Values of tanh and the sigmoid. */
  readonly curves?: number;
  prepare(at: Box): { run(): void; restore?(): void };
}

const wave = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i * 1.7));

const gemm = (name: string, M: number, N: number, K: number): Case => ({
  name,
  ...(M > 1 ? { blocked: M * N * K } : { single: N * K, bytes: 4 * N * K }),
  prepare({ kernels, f32 }) {
    const [a, b, panels, c] = [f32(wave(M * K)).ptr, f32(wave(K * N)).ptr, f32(K * ((N + 7) & ~7)).ptr, f32(M * N).ptr];
    kernels.f32_pack_nn(K, N, b, N, panels);
    return { run: () => kernels.f32_gemm_nn(M, 0, N, K, a, K, panels, 0, 0, c, N) };
  },
});

const gemmOfTranspose = (M: number, K: number, N: number): Case => ({
  name: `AᵀD, ${M} rows, ${K} × ${N}`,
  blocked: M * N * K,
  prepare({ kernels, f32 }) {
    const [a, d, c, scratch] = [
      f32(wave(M * K)).ptr,
      f32(wave(M * N)).ptr,
      f32(new Float32Array(K * N)).ptr,
      f32(M * ((N + 7) & ~7) + 8 * K).ptr,
    ];
    return { run: () => kernels.f32_gemm_tn_acc(M, 0, K, N, a, K, d, N, c, N, scratch) };
  },
});

function cell(name: string, shape: CellShape, direction: "forward" | "backward" = "forward"): Case {
  const { H, T, B } = shape;
  const products = T * B * H * H * GATES[shape.cell];
  return {
    name,
    ...(B > 1 ? { blocked: products } : { single: products, bytes: 4 * GATES[shape.cell] * H * H }),
    curves: T * B * H * CURVES[shape.cell][direction === "forward" ? 0 : 1],
    prepare(at) {
      const { restore, restoreGates, forward, backward } = prepareCell(at, shape);
      return direction === "forward" ? { run: () => forward(0), restore } : { run: backward, restore: restoreGates };
    },
  };
}

const unary = (name: string, code: number): Case => ({
  name,
  curves: 2048,
  prepare({ kernels, f32 }) {
    const [x, y] = [f32(wave(2048)).ptr, f32(2048).ptr];
    return { run: () => kernels.f32_unary_fwd(2048, x, y, code, 0, 0) };
  },
});

const CASES: readonly Case[] = [
  gemm("GEMM 256 × 256 × 256", 256, 256, 256),
  gemm("GEMM M 32, K 256, N 1024", 32, 1024, 256),
  gemmOfTranspose(800, 256, 768),
  gemm("GEMV K 192, N 768", 1, 768, 192),
  gemm("GEMV K 512, N 512", 1, 512, 512),
  cell("step of LSTM 64", { cell: "lstm", H: 64, T: 1, B: 1 }),
  cell("step of LSTM 256", { cell: "lstm", H: 256, T: 1, B: 1 }),
  cell("step of GRU 256", { cell: "gru_reset_after", H: 256, T: 1, B: 1 }),
  cell("gates: LSTM 50, T10 B32", { cell: "lstm", H: 50, T: 10, B: 32 }),
  cell("gates backward: LSTM 50, T10 B32", { cell: "lstm", H: 50, T: 10, B: 32 }, "backward"),
  unary("tanh", 1),
  unary("sigmoid", 2),
];

export interface EngineRow {
  readonly name: string;
  /** Seconds of a call. */
  readonly seconds: number;
  /** Of the time that multiply-adds need at the pace of the probe; of nothing where there are none. */
  readonly ceiling?: number;
  /** The same, with tanh and sigmoid at the pace of the array kernel. */
  readonly bound?: number;
  /** Nanoseconds of a value, where values are what is computed. */
  readonly each?: number;
}

export interface EngineResult {
  /** Billions of multiply-adds per second between registers. */
  readonly ceiling: number;
  readonly rows: readonly EngineRow[];
}

/** @param rounds  slices of 2 ms of each function; the shortest counts */
export function measureEngine(kernels: WebAssembly.Module, ceiling: WebAssembly.Module, rounds: number): EngineResult {
  const madds = multiplyAdds(ceiling);
  let pace = Infinity;
  const rows = CASES.map(({ name, blocked = 0, single = 0, bytes = 0, curves = 0, prepare }): EngineRow => {
    const at = box(kernels);
    const { run, restore } = prepare(at);
    const probes: Probe[] = [madds, transcendentals(at), ...(single > 0 ? [weightReads(ceiling, bytes)] : [])];
    const whole = restore
      ? (): void => {
          restore();
          run();
        }
      : run;
    const [all, copy, madd, curve, read] = fastest(
      [whole, restore ?? ((): void => {}), ...probes.map((probe) => probe.run)],
      { rounds, warmUp: 100 },
    );
    const seconds = restore ? all - copy : all;
    pace = Math.min(pace, madd / madds.work);
    if (blocked + single === 0) return { name, seconds, each: (seconds / curves) * 1e9 };
    const products = (blocked * madd) / madds.work + (single > 0 ? (single * read) / probes[2].work : 0);
    return {
      name,
      seconds,
      ceiling: products / seconds,
      bound: (products + (curves * curve) / probes[1].work) / seconds,
    };
  });
  return { ceiling: 1e-9 / pace, rows };
}
