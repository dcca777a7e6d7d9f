/**
 * Every family of kernels as a share of an engine's own ceiling.
 *
 * Runs in any engine: `engines.mjs` bundles this file into one script that calls `measureEngine` with the modules.
 */
import type { Kernels } from "../../bindings/generated/kernels.ts";
import { GATES } from "../../test/support/cells.ts";
import type { Arithmetic } from "../support/bound.ts";
import { wave } from "../support/inputs.ts";
import { fastest, multiplyAdds, transcendentals, weightReads, type Box, type Probe } from "../support/probes.ts";
import { CURVES, prepareCell, type CellShape } from "./cell_runs.ts";

const PAGES = 1024;
const FIRST = 65536;

/** Kernels with a memory that is filled from its start. */
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

interface Case extends Arithmetic {
  readonly name: string;
  /** @returns the function to time and, if it destroys its input, one that restores it */
  prepare(at: Box): { run(): void; restore?(): void };
}

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
  /** Seconds per call. */
  readonly seconds: number;
  /** Time of the multiply-adds at the pace of the probe, over `seconds`. */
  readonly ceiling?: number;
  /** The same with the time of tanh and sigmoid at the pace of the array kernel. */
  readonly bound?: number;
  /** Nanoseconds per value, for kernels without multiply-adds. */
  readonly each?: number;
}

export interface EngineResult {
  /** Billions of multiply-adds per second between registers. */
  readonly ceiling: number;
  readonly rows: readonly EngineRow[];
}

/** Times one case beside the probes of its arithmetic. */
function measureCase(
  { name, blocked = 0, single = 0, bytes = 0, curves = 0, prepare }: Case,
  at: Box,
  { madds, ceiling, rounds }: { madds: Probe; ceiling: WebAssembly.Module; rounds: number },
): EngineRow & { readonly secondsPerMadd: number } {
  const { run, restore = (): void => {} } = prepare(at);
  const probes: Probe[] = [madds, transcendentals(at), ...(single > 0 ? [weightReads(ceiling, bytes)] : [])];
  const whole = (): void => {
    restore();
    run();
  };
  const [all, restoring, ...times] = fastest([whole, restore, ...probes.map((probe) => probe.run)], {
    rounds,
    warmUp: 100,
  });
  const seconds = all - restoring;
  const [secondsPerMadd, secondsPerCurve, secondsPerRead = 0] = probes.map(({ work }, i) => times[i] / work);
  if (blocked + single === 0) return { name, seconds, each: (seconds / curves) * 1e9, secondsPerMadd };
  const products = blocked * secondsPerMadd + single * secondsPerRead;
  return {
    name,
    seconds,
    ceiling: products / seconds,
    bound: (products + curves * secondsPerCurve) / seconds,
    secondsPerMadd,
  };
}

/** @param rounds  slices of 2 ms per function, of which the shortest counts */
export function measureEngine(kernels: WebAssembly.Module, ceiling: WebAssembly.Module, rounds: number): EngineResult {
  const madds = multiplyAdds(ceiling);
  const measured = CASES.map((each) => measureCase(each, box(kernels), { madds, ceiling, rounds }));
  const pace = Math.min(...measured.map(({ secondsPerMadd }) => secondsPerMadd));
  return { ceiling: 1e-9 / pace, rows: measured.map(({ secondsPerMadd: _, ...row }) => row) };
}
