/** Cases of PyTorch as calls of the cell kernels: single steps, and whole sequences of one layer with ragged rows. */
import { runCell, type Arrays, type Box, type CellCase, type CellName } from "../../support/cells.ts";
import { assertOracle, type OracleCase } from "../case.ts";
import { TORCH_GATES, torchRow as rowOf } from "./weights.ts";

const CELLS: { [mode: string]: CellName } = {
  RNN_TANH: "simple_rnn",
  RNN_RELU: "simple_rnn",
  RNNCell_tanh: "simple_rnn",
  RNNCell_relu: "simple_rnn",
  LSTM: "lstm",
  LSTMCell: "lstm",
  GRU: "gru_reset_after",
  GRUCell: "gru_reset_after",
};

const RELU = { code: 3, alpha: 0, beta: 0 };

const KINDS = { simple_rnn: "rnn", lstm: "lstm", gru_reset_after: "gru" } as const;

/** How many gates a cell has. */
const gatesOf = (cell: CellName): number => TORCH_GATES[KINDS[cell as keyof typeof KINDS]].length;

/** Elements of PyTorch's [G·H, columns] at our gate-major positions. */
const torchRow = (cell: CellName, H: number, m: number): number => rowOf(KINDS[cell as keyof typeof KINDS], H, m);

interface Problem {
  spec: CellCase;
  arrays: Arrays;
  /** Sorted position → row of the case. */
  order: number[];
  /** [n] = where packed row n lies in the case's output, as t and row. */
  place: { t: number; b: number }[];
  at(t: number, b: number): number;
  suffix: string;
}

/** z = x·W + b of every packed row, with the recurrent bias where the cell adds it before the activation. */
function problem(oracle: OracleCase): Problem {
  const { config, tensors } = oracle;
  const single = config.kind !== undefined;
  const suffix = single ? "" : "_l0";
  const cell = CELLS[config.kind ?? config.mode];
  const [x] = [tensors["input.x"]];
  const I = config.input_size;
  const H = config.hidden_size;
  const B = single ? x.shape[0] : config.B;
  const T = single ? 1 : config.T;
  const lengths: ArrayLike<number> = config.lengths ?? new Int32Array(B).fill(T);
  const order = Array.from({ length: B }, (_, b) => b).sort((a, b) => lengths[b] - lengths[a] || a - b);
  const active = Array.from({ length: T }, (_, t) => order.filter((b) => lengths[b] > t).length);
  const place = active.flatMap((rows, t) => order.slice(0, rows).map((b) => ({ t, b })));
  const at = (t: number, b: number): number => (config.batch_first ? b * T + t : t * B + b);
  const G = gatesOf(cell);
  const [wi, wh] = [tensors[`param.weight_ih${suffix}`].data, tensors[`param.weight_hh${suffix}`].data];
  const bi = tensors[`param.bias_ih${suffix}`]?.data;
  const bh = tensors[`param.bias_hh${suffix}`]?.data;
  const z = new Float64Array(place.length * G * H);
  place.forEach(({ t, b }, n) => {
    for (let m = 0; m < G * H; m++) {
      const row = torchRow(cell, H, m);
      let sum = (bi?.[row] ?? 0) + (cell === "gru_reset_after" ? 0 : (bh?.[row] ?? 0));
      for (let i = 0; i < I; i++) sum += x.data[at(t, b) * I + i] * wi[row * I + i];
      z[n * G * H + m] = sum;
    }
  });
  const u = Float32Array.from(
    { length: H * G * H },
    (_, i) => wh[torchRow(cell, H, i % (G * H)) * H + Math.floor(i / (G * H))],
  );
  const arrays: Arrays = { z, u };
  const state = (name: string): Float32Array | undefined => {
    const rows = tensors[name]?.data;
    return rows && Float32Array.from({ length: B * H }, (_, i) => rows[order[Math.floor(i / H)] * H + (i % H)]);
  };
  for (const [ours, theirs] of [
    ["h0", single ? "h" : "h0"],
    ["c0", single ? "c" : "c0"],
  ]) {
    const rows = state(`input.${theirs}`);
    if (rows) arrays[ours] = rows;
  }
  if (cell === "gru_reset_after" && bh)
    arrays.bu = Float32Array.from({ length: G * H }, (_, m) => bh[torchRow(cell, H, m)]);
  const acts = /relu/i.test(config.kind ?? config.mode) ? [RELU] : undefined;
  return { spec: { cell, T, B, H, active, acts }, arrays, order, place, at, suffix };
}

/** Rows of the packed order as rows of the case. */
function unsort(order: number[], H: number, rows: ArrayLike<number>): Float64Array {
  const y = new Float64Array(order.length * H);
  order.forEach((b, k) => {
    for (let j = 0; j < H; j++) y[b * H + j] = rows[k * H + j];
  });
  return y;
}

/** d mean((output − target)²) / d output. */
function squaredError(oracle: OracleCase, output: string, target: string): Float64Array {
  const [y, t] = [oracle.tensors[output].data, oracle.tensors[target].data];
  return Float64Array.from(y, (value, i) => (2 * (value - t[i])) / y.length);
}

/** Whether kernels alone compute a case of `torch/rnn`: one layer in one direction, without a projection. */
export const isOfOneKernel = (name: string): boolean => /_l1_uni_|_saturated_/.test(name) && !/proj/.test(name);

/** Runs a case of `torch/cell`, or of `torch/rnn` where {@link isOfOneKernel}: outputs and gradients of the kernels. */
export function runKernel(box: Box, oracle: OracleCase): void {
  const { spec, arrays, order, place, at, suffix } = problem(oracle);
  const { H, cell, B, T } = spec;
  const single = oracle.config.kind !== undefined;
  const sorted = (rows: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: B * H }, (_, i) => rows[order[Math.floor(i / H)] * H + (i % H)]);
  const [final, cell_] = single ? ["h", "c"] : ["hn", "cn"];
  arrays.dhT = sorted(squaredError(oracle, `output.${final}`, `target.${final}`));
  if (cell === "lstm") arrays.dcT = sorted(squaredError(oracle, `output.${cell_}`, `target.${cell_}`));
  if (!single) {
    const dy = squaredError(oracle, "output.y", "target.y");
    arrays.dh = place.flatMap(({ t, b }) => Array.from(dy.subarray(at(t, b) * H, at(t, b) * H + H)));
  }
  const found = runCell(box, spec, arrays, 1);
  assertOracle(oracle, `output.${final}`, unsort(order, H, found.hT));
  if (cell === "lstm") assertOracle(oracle, `output.${cell_}`, unsort(order, H, found.cT));
  if (!single) {
    const y = new Float64Array(T * B * H);
    place.forEach(({ t, b }, n) => y.set(found.h.subarray(n * H, n * H + H), at(t, b) * H));
    assertOracle(oracle, "output.y", y);
  }
  const names = single ? ["h", "c"] : ["h0", "c0"];
  if (arrays.h0) assertOracle(oracle, `grad.input.${names[0]}`, unsort(order, H, found.dh0));
  if (arrays.c0) assertOracle(oracle, `grad.input.${names[1]}`, unsort(order, H, found.dc0));
  const width = gatesOf(cell) * H;
  const dw = new Float64Array(width * H);
  for (let m = 0; m < width; m++) {
    for (let k = 0; k < H; k++) dw[torchRow(cell, H, m) * H + k] = found.du[k * width + m];
  }
  assertOracle(oracle, `grad.param.weight_hh${suffix}`, dw);
  if (oracle.tensors[`grad.param.bias_ih${suffix}`]) {
    const db = new Float64Array(width);
    for (let i = 0; i < found.dz.length; i++) db[torchRow(cell, H, i % width)] += found.dz[i];
    assertOracle(oracle, `grad.param.bias_ih${suffix}`, db);
  }
}
