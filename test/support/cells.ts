/** The four cells, run forward and backward on any backend from arrays in plain gate order. */
import type { Kernels } from "../../bindings/generated/kernels.ts";
import { gateColumn, panelWidth } from "../../bindings/abi/panel.ts";
import { sequenceScratch } from "../../bindings/abi/scratch.ts";

/** What a cell is run on: a sandbox of one of the builds, or the twins in double precision. */
export interface Box {
  readonly kernels: Kernels;
  readonly buffer: ArrayBuffer;
  f32(values: number | ArrayLike<number>): { ptr: number; data: Float32Array };
  i32(values: ArrayLike<number>): { ptr: number };
}

/** An activation, as kernels take it. */
export interface Activation {
  code: number;
  alpha: number;
  beta: number;
}

export interface CellCase {
  cell: CellName;
  T: number;
  B: number;
  H: number;
  /** Rows alive at each step; absent: all. */
  active?: number[];
  acts?: Activation[];
  /** Final states are written over the initial ones (forward only). */
  inPlace?: boolean;
  /** false: the gradient of the initial state is not asked for. */
  wanted?: boolean;
}

/**
 * Arrays by name; those that are absent are handed over as 0.
 * z [N, G·H] x·W + b, u [H, G·H], h0, c0, drop [B, H], bu [G·H], pi, pf, po [H]; cotangents dh [N, H], dhT, dcT [B, H].
 */
export type Arrays = { [name: string]: ArrayLike<number> };

export type CellName = keyof typeof CELLS;

/** Gates per unit. */
export const GATES = { simple_rnn: 1, lstm: 4, gru_reset_after: 3, gru_reset_before: 3 };

export const packedRows = ({ T, B, active }: CellCase): number => active?.reduce((sum, rows) => sum + rows, 0) ?? T * B;

/** The arguments that all cells share, placed in memory. */
class Run {
  readonly N: number;
  readonly width: number;
  readonly active: number;
  readonly acts: number;
  readonly gates: { ptr: number; data: Float32Array };
  readonly pre: number;
  readonly scratch: number;
  readonly h: { ptr: number; data: Float32Array };
  readonly h0: number;
  readonly hT: { ptr: number; data: Float32Array };
  readonly out: { [name: string]: Float32Array } = {};
  readonly box: Box;
  readonly spec: CellCase;
  readonly arrays: Arrays;
  readonly G: number;
  readonly wanted: number;

  constructor(box: Box, spec: CellCase, arrays: Arrays) {
    const { T, B, H, cell } = spec;
    this.box = box;
    this.spec = spec;
    this.arrays = arrays;
    this.G = GATES[cell];
    this.wanted = spec.wanted === false ? 0 : 1;
    this.N = packedRows(spec);
    this.width = this.G * panelWidth(H);
    this.active = spec.active ? box.i32(spec.active).ptr : 0;
    this.acts = spec.acts ? this.records(spec.acts) : 0;
    this.gates = box.f32(this.N * this.width);
    box.kernels.f32_permute_gates(this.N, this.G, H, this.ptr("z"), this.G * H, this.gates.ptr, this.width);
    this.pre = spec.acts && cell !== "simple_rnn" ? box.f32(this.N * this.width).ptr : 0;
    this.scratch = box.f32(sequenceScratch(B, H)).ptr;
    this.h = box.f32(this.N * H);
    [this.h0, this.hT] = this.states("h0");
    void T;
  }

  private records(acts: Activation[]): number {
    const { ptr, data } = this.box.f32(acts.length * 4);
    acts.forEach(({ alpha, beta }, i) => data.set([alpha, beta], i * 4 + 1));
    acts.forEach(({ code }, i) => {
      new Int32Array(this.box.buffer, ptr, acts.length * 4)[i * 4] = code;
    });
    return ptr;
  }

  ptr(name: string): number {
    return this.arrays[name] ? this.box.f32(this.arrays[name]).ptr : 0;
  }

  /** An initial state, and where the final one goes. */
  states(name: string): [number, { ptr: number; data: Float32Array }] {
    const { B, H, inPlace } = this.spec;
    if (!this.arrays[name]) return [0, this.box.f32(B * H)];
    const initial = this.box.f32(this.arrays[name]);
    return [initial.ptr, inPlace ? initial : this.box.f32(B * H)];
  }

  /** Some gates of the recurrent weights, `first` on, as panels of themselves and of their transpose. */
  panels(gates = this.G, first = 0): { u: number; ut: number } {
    const { H } = this.spec;
    const Hp = panelWidth(H);
    const w = this.box.f32(this.arrays.u).ptr + first * H * 4;
    const u = this.box.f32(H * gates * Hp).ptr;
    const ut = this.box.f32(gates * Hp * Hp).ptr;
    this.box.kernels.f32_pack_gates_nn(H, gates, H, w, this.G * H, u);
    this.box.kernels.f32_pack_gates_nt(gates, H, H, w, this.G * H, ut);
    return { u, ut };
  }

  /** A running gradient of a state. */
  running(name: string): { ptr: number; data: Float32Array } {
    const { B, H } = this.spec;
    return this.box.f32(this.arrays[name] ?? new Float32Array(B * H));
  }

  /** Rows in panel order as rows in gate order, after checking their padding. */
  plain(name: string, { ptr, data }: { ptr: number; data: Float32Array }, gates: number, padded = true): void {
    const { H } = this.spec;
    const width = gates * panelWidth(H);
    const y = this.box.f32(new Float32Array(this.N * gates * H));
    this.box.kernels.f32_unpermute_gates_acc(this.N, gates, H, ptr, width, y.ptr, gates * H);
    this.out[name] = y.data;
    for (let n = 0; n < this.N && padded; n++) {
      for (let g = 0; g < gates; g++) {
        for (let j = H; j < panelWidth(H); j++) {
          if (data[n * width + gateColumn(gates, H, g, j)] !== 0)
            throw new Error(`${name}: padding of row ${n} is not 0`);
        }
      }
    }
  }

  /** leftᵀ·gradient, the way a layer computes the gradient of recurrent weights. */
  weights(name: string, left: ArrayLike<number>, d: ArrayLike<number>, gates: number): void {
    const { H } = this.spec;
    const sum = new Float64Array(H * gates * H);
    for (let n = 0; n < this.N; n++) {
      for (let k = 0; k < H; k++) {
        for (let m = 0; m < gates * H; m++) sum[k * gates * H + m] += left[n * H + k] * d[n * gates * H + m];
      }
    }
    this.out[name] = sum as unknown as Float32Array;
  }

  shifted(drop: number): Float32Array {
    const { T, B, H } = this.spec;
    const y = this.box.f32(this.N * H);
    this.box.kernels.f32_shift_rows(T, B, H, this.active, this.h0, drop, this.h.ptr, y.ptr);
    return y.data;
  }
}

function simpleRnn(run: Run, keep: number): void {
  const {
    box: { kernels },
    spec: { T, B, H },
    out,
  } = run;
  const { u, ut } = run.panels();
  const drop = run.ptr("drop");
  kernels.f32_simple_rnn_seq_fwd(
    T,
    B,
    H,
    run.active,
    u,
    run.h0,
    drop,
    run.gates.ptr,
    run.h.ptr,
    run.hT.ptr,
    run.scratch,
    run.acts,
  );
  if (!keep) return;
  run.plain("pre", run.gates, 1, false);
  const dh = run.running("dhT");
  kernels.f32_simple_rnn_seq_bwd(
    T,
    B,
    H,
    run.active,
    ut,
    drop,
    run.h.ptr,
    run.ptr("dh"),
    run.gates.ptr,
    dh.ptr,
    run.wanted,
    run.acts,
  );
  run.plain("dz", run.gates, 1);
  run.weights("du", run.shifted(drop), out.dz, 1);
  out.dh0 = dh.data;
}

function lstm(run: Run, keep: number): void {
  const { box, spec, out } = run;
  const { T, B, H } = spec;
  const { u, ut } = run.panels();
  const [drop, pi, pf, po] = ["drop", "pi", "pf", "po"].map((name) => run.ptr(name));
  const [c0, cT] = run.states("c0");
  const c = spec.inPlace && c0 ? cT : box.f32((keep ? run.N : B) * H);
  box.kernels.f32_lstm_seq_fwd(
    T,
    B,
    H,
    run.active,
    u,
    run.h0,
    c0,
    drop,
    pi,
    pf,
    po,
    run.gates.ptr,
    run.pre,
    run.h.ptr,
    c.ptr,
    run.hT.ptr,
    cT.ptr,
    run.scratch,
    keep,
    run.acts,
  );
  out.cT = cT.data;
  if (!keep) return;
  out.c = c.data;
  run.plain("activations", run.gates, 4, false);
  const [dh, dc] = [run.running("dhT"), run.running("dcT")];
  const peepholes = ["dpi", "dpf", "dpo"].map((name) => box.f32(new Float32Array(H).fill(name === "dpi" ? 1 : 0)));
  box.kernels.f32_lstm_seq_bwd(
    T,
    B,
    H,
    run.active,
    ut,
    c0,
    drop,
    pi,
    pf,
    po,
    run.pre,
    c.ptr,
    run.ptr("dh"),
    run.gates.ptr,
    dh.ptr,
    dc.ptr,
    ...(peepholes.map(({ ptr }, i) => ([pi, pf, po][i] ? ptr : 0)) as [number, number, number]),
    run.scratch,
    run.wanted,
    run.acts,
  );
  run.plain("dz", run.gates, 4);
  run.weights("du", run.shifted(drop), out.dz, 4);
  out.dh0 = dh.data;
  out.dc0 = dc.data;
  if (pi) out.dpi = peepholes[0].data.map((x) => x - 1); // they accumulate
  if (pf) out.dpf = peepholes[1].data;
  if (po) out.dpo = peepholes[2].data;
}

function gruResetAfter(run: Run, keep: number): void {
  const {
    box,
    spec: { T, B, H },
    out,
    N,
    width,
  } = run;
  const { u, ut } = run.panels();
  const drop = run.ptr("drop");
  const bu = run.arrays.bu ? box.f32(width).ptr : 0;
  if (bu) box.kernels.f32_permute_gates(1, 3, H, run.ptr("bu"), 3 * H, bu, width);
  const hn = keep ? box.f32(N * panelWidth(H)).ptr : 0;
  box.kernels.f32_gru_reset_after_seq_fwd(
    T,
    B,
    H,
    run.active,
    u,
    bu,
    run.h0,
    drop,
    run.gates.ptr,
    run.pre,
    hn,
    run.h.ptr,
    run.hT.ptr,
    run.scratch,
    keep,
    run.acts,
  );
  if (!keep) return;
  run.plain("activations", run.gates, 3, false);
  const dh = run.running("dhT");
  const dr = box.f32(N * width);
  box.kernels.f32_gru_reset_after_seq_bwd(
    T,
    B,
    H,
    run.active,
    ut,
    run.h0,
    drop,
    run.pre,
    hn,
    run.h.ptr,
    run.ptr("dh"),
    run.gates.ptr,
    dr.ptr,
    dh.ptr,
    run.scratch,
    run.wanted,
    run.acts,
  );
  run.plain("dz", run.gates, 3);
  run.plain("dr", dr, 3);
  run.weights("du", run.shifted(drop), out.dr, 3);
  out.dh0 = dh.data;
  out.dbu = new Float64Array(3 * H).map((_, m) => {
    let sum = 0;
    for (let n = 0; n < N; n++) sum += out.dr[n * 3 * H + m];
    return sum;
  }) as unknown as Float32Array;
}

function gruResetBefore(run: Run, keep: number): void {
  const {
    box,
    spec: { T, B, H },
    out,
    N,
  } = run;
  const zr = run.panels(2);
  const n = run.panels(1, 2);
  const drop = run.ptr("drop");
  const rh = box.f32((keep ? N : B) * H);
  box.kernels.f32_gru_reset_before_seq_fwd(
    T,
    B,
    H,
    run.active,
    zr.u,
    n.u,
    run.h0,
    drop,
    run.gates.ptr,
    run.pre,
    rh.ptr,
    run.h.ptr,
    run.hT.ptr,
    run.scratch,
    keep,
    run.acts,
  );
  if (!keep) return;
  run.plain("activations", run.gates, 3, false);
  const dh = run.running("dhT");
  const dzr = box.f32(N * 2 * panelWidth(H));
  const dn = box.f32(N * panelWidth(H));
  box.kernels.f32_gru_reset_before_seq_bwd(
    T,
    B,
    H,
    run.active,
    zr.ut,
    n.ut,
    run.h0,
    drop,
    run.pre,
    run.h.ptr,
    run.ptr("dh"),
    run.gates.ptr,
    dzr.ptr,
    dn.ptr,
    dh.ptr,
    run.scratch,
    run.wanted,
    run.acts,
  );
  run.plain("dz", run.gates, 3);
  run.plain("dzr", dzr, 2);
  run.plain("dn", dn, 1);
  run.weights("du_zr", run.shifted(drop), out.dzr, 2);
  run.weights("du_n", rh.data, out.dn, 1);
  out.du = new Float64Array(H * 3 * H).map((_, i) => {
    const [k, m] = [Math.floor(i / (3 * H)), i % (3 * H)];
    return m < 2 * H ? out.du_zr[k * 2 * H + m] : out.du_n[k * H + m - 2 * H];
  }) as unknown as Float32Array;
  out.dh0 = dh.data;
}

const CELLS = { simple_rnn: simpleRnn, lstm, gru_reset_after: gruResetAfter, gru_reset_before: gruResetBefore };

/**
 * Runs a cell.
 *
 * @param keep  1 = forward and backward, 0 = forward only, with nothing kept
 * @returns h, hT, cT and, kept, activations, c, dz, du, dh0, dc0, dbu, dpi, dpf, dpo in plain gate order
 */
export function runCell(box: Box, spec: CellCase, arrays: Arrays, keep: 0 | 1): { [name: string]: Float32Array } {
  const run = new Run(box, spec, arrays);
  CELLS[spec.cell](run, keep);
  return { ...run.out, h: run.h.data, hT: run.hT.data };
}
