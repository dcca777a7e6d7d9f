/**
 * Input projections of a whole sequence: x·W + b for all steps at once, in panel order, ready for a cell to turn into
 * gates in place.
 */
import { whenTraining } from "../../base/when_training.ts";
import { read, update, write, type Tensor } from "../../graph/tensor.ts";
import type { GradientSink } from "../../graph/node.ts";
import { apply, type Op } from "../../graph/op.ts";
import type { Trace } from "../../graph/trace.ts";
import { recordInt8Project } from "../int8_linear.ts";
import { addTransposedProduct } from "../linear.ts";
import { required } from "../operands.ts";
import { packIntegers, packSequence, type Gathered, type PackedSequence } from "./packed_sequence.ts";
import { isTabled, tokenTableOp } from "./token_table.ts";
import { gateBias, gatePanels, gatePanelsOfTranspose, gateWidth, type Gates } from "../packed_weights.ts";

interface ProjectConfig {
  readonly gates: Gates;
  /** Rows that count [1]; all when absent. */
  readonly live?: Tensor;
}

/** Adds the gradients of a product's weight and bias, given d [M, width] in panel order. */
export function addGateGradients(
  trace: Trace,
  {
    x,
    d,
    weight,
    bias,
    gates,
    live,
  }: { x: Tensor; d: Tensor; weight?: Tensor; bias?: Tensor; gates: Gates; live?: Tensor },
): void {
  const M = d.shape[0];
  const width = gateWidth(gates);
  const { G, H, first = 0 } = gates;
  if (weight && M > 0) {
    const K = x.shape[1];
    const columns = weight.shape[1];
    const place = trace.view(weight, weight.shape, first);
    if (G === 1) addTransposedProduct(trace, x, d, place, M, live, { N: H, ldc: columns });
    else {
      const sums = trace.zeros([K, width]);
      addTransposedProduct(trace, x, d, sums, M, live);
      trace.call("f32_unpermute_gates_acc", K, G, H, read(sums), width, update(place), columns);
    }
  }
  if (!bias) return;
  if (G === 1) {
    // one gate is in order
    trace.call("f32_rsum_rows_acc", M, read(live), H, read(d), width, update(bias));
    return;
  }
  const sums = trace.zeros([width]);
  trace.call("f32_rsum_rows_acc", M, read(live), width, read(d), width, update(sums));
  trace.call("f32_unpermute_gates_acc", 1, G, H, read(sums), width, update(bias), G * H);
}

const wanted = (grads: GradientSink, input: number): Tensor | undefined =>
  grads.needs(input) ? grads.accumulate(input) : undefined;

/** Inputs: x [M, I], kernel [I, G·H], bias [≥ G·H] or absent. */
const projectOp: Op<ProjectConfig> = {
  name: "project",
  int8: true,
  shape: (inputs, { gates }) => [{ shape: [required(inputs, 0).shape[0], gateWidth(gates)] }],
  forward(trace, inputs, [z], { gates, live }) {
    const [x, kernel] = [required(inputs, 0), required(inputs, 1)];
    const [M, I] = x.shape;
    const width = gateWidth(gates);
    const bias = inputs[2] ? gateBias(trace, inputs[2], gates) : 0;
    if (kernel.dtype === "i8") return recordInt8Project(trace, { x, kernel, bias, z, gates, live });
    trace.call(
      "f32_gemm_nn",
      M,
      read(live),
      width,
      I,
      read(x),
      I,
      gatePanels(trace, kernel, gates),
      bias,
      0,
      write(z),
      width,
    );
  },
  backward: whenTraining((trace, inputs, _outputs, grads, { gates, live }) => {
    const [x, kernel] = [required(inputs, 0), required(inputs, 1)];
    const [M, I] = x.shape;
    const width = gateWidth(gates);
    const dz = grads.of(0)!;
    addGateGradients(trace, { x, d: dz, weight: wanted(grads, 1), bias: inputs[2] && wanted(grads, 2), gates, live });
    if (!grads.needs(0)) return;
    trace.call(
      "f32_gemm_nn",
      M,
      read(live),
      I,
      width,
      read(dz),
      width,
      gatePanelsOfTranspose(trace, kernel, gates),
      0,
      0,
      write(grads.overwrite(0)),
      I,
    );
  }),
};

interface LookupConfig extends ProjectConfig {
  /** Tokens of the packed steps [M]. */
  readonly tokens: Tensor;
}

/**
 * The same for x = rows of a table: each distinct token is projected once, which halves the arithmetic of training a
 * character model. Inputs: table [V, D], kernel, bias. Outputs: z, then what backward needs.
 */
const lookupOp: Op<LookupConfig> = {
  name: "project",
  shape(inputs, { gates, tokens }) {
    const [V, D] = required(inputs, 0).shape;
    const [M, U] = [tokens.size, Math.min(V, tokens.size)];
    const i32 = (shape: number[]): { shape: number[]; dtype: "i32" } => ({ shape, dtype: "i32" });
    return [{ shape: [M, gateWidth(gates)] }, { shape: [U, D] }, i32([U]), i32([1]), i32([M])];
  },
  forward(trace, inputs, [z, x, values, count, inverse], { gates, live, tokens }) {
    const [table, kernel] = [required(inputs, 0), required(inputs, 1)];
    const [V, D] = table.shape;
    const [M, width] = z.shape;
    const U = x.shape[0];
    const bias = inputs[2] ? gateBias(trace, inputs[2], gates) : 0;
    const projected = trace.tensor([U, width]);
    trace.call(
      "i32_unique",
      M,
      read(live),
      V,
      read(tokens),
      write(trace.tensor([V], "i32")),
      write(values),
      write(count),
      write(inverse),
    );
    trace.call("f32_gather_rows", U, read(count), D, read(table), D, read(values), write(x), D);
    trace.call(
      "f32_gemm_nn",
      U,
      read(count),
      width,
      D,
      read(x),
      D,
      gatePanels(trace, kernel, gates),
      bias,
      0,
      write(projected),
      width,
    );
    trace.call("f32_gather_rows", M, read(live), width, read(projected), width, read(inverse), write(z), width);
  },
  backward: whenTraining((trace, inputs, [z, x, values, count, inverse], grads, { gates, live }) => {
    const kernel = required(inputs, 1);
    const [M, width] = z.shape;
    const [U, D] = x.shape;
    const dz = grads.of(0)!;
    const d = trace.zeros([U, width]);
    trace.call("f32_scatter_rows_acc", M, read(live), width, read(dz), width, read(inverse), update(d), width);
    addGateGradients(trace, {
      x,
      d,
      weight: wanted(grads, 1),
      bias: inputs[2] && wanted(grads, 2),
      gates,
      live: count,
    });
    if (!grads.needs(0)) return;
    const dx = trace.tensor([U, D]);
    trace.call(
      "f32_gemm_nn",
      U,
      read(count),
      D,
      width,
      read(d),
      width,
      gatePanelsOfTranspose(trace, kernel, gates),
      0,
      0,
      write(dx),
      D,
    );
    trace.call("f32_scatter_rows_acc", U, read(count), D, read(dx), D, read(values), update(grads.accumulate(0)), D);
  }),
};

/** Below this share of distinct tokens among steps, projecting tokens instead of steps pays (measured). */
const DISTINCT_SHARE = 0.75;

/** How x is projected when it is rows of an embedding: by a table that is kept, or each token of the batch once. */
function tokensOf(
  trace: Trace,
  x: Tensor,
  kernel: Tensor,
  rows: PackedSequence,
): { by: "table" | "batch"; table: Tensor; indices: Tensor } | undefined {
  const gathered = x.origin.get("gathered") as Gathered | undefined;
  if (gathered?.table.rank !== 2) return undefined;
  const { table, indices } = gathered;
  if (isTabled(trace, table, kernel)) return { by: "table", table, indices };
  const whole = table.dtype === "f32" && kernel.dtype === "f32";
  return whole && table.shape[0] <= DISTINCT_SHARE * rows.B * rows.T ? { by: "batch", table, indices } : undefined;
}

/** Whether tokens are projected instead of steps. */
export const projectsTokens = (trace: Trace, x: Tensor, kernel: Tensor, rows: PackedSequence): boolean =>
  tokensOf(trace, x, kernel, rows) !== undefined;

/**
 * x [B, T, I] projected to gates [B·T, width] of packed rows.
 *
 * @param bias  its first row is added
 */
export function project(
  trace: Trace,
  x: Tensor,
  kernel: Tensor,
  bias: Tensor | undefined,
  rows: PackedSequence,
  gates: Gates,
): Tensor {
  const found = tokensOf(trace, x, kernel, rows);
  if (!found)
    return apply(trace, projectOp, [packSequence(trace, x, rows), kernel, bias], { gates, live: rows.count })[0];
  const tokens = packIntegers(trace, found.indices, rows);
  return apply(trace, found.by === "table" ? tokenTableOp : lookupOp, [found.table, kernel, bias], {
    gates,
    live: rows.count,
    tokens,
  })[0];
}
