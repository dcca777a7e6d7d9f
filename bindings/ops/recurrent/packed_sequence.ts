/** Ops by index: gather, one-hot, and the packing of ragged batches into rows that all count. */
import { ROW_FLAGS } from "../../abi/row_flags.ts";
import { rowsScratch } from "../../abi/scratch.ts";
import { ShapeError, ValueError } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import { describe, sizeOf } from "../../base/shape.ts";
import { whenTraining } from "../../base/when_training.ts";
import { read, update, write, type ValidSteps, type Tensor } from "../../graph/tensor.ts";
import { apply, type Op } from "../../graph/op.ts";
import { currentTrace, type Trace } from "../../graph/trace.ts";
import { int8Scales } from "../int8_linear.ts";
import { axisOf, floatsOf, indicesOf, required, tensorOf } from "../operands.ts";
import { reshape, select, transpose } from "../shape.ts";
import { keepSteps, stepIntegers, stepsOfMask, validSteps } from "../valid_steps.ts";

/** What a gather took from where, for ops that rather work on the table. */
export interface Gathered {
  readonly table: Tensor;
  readonly indices: Tensor;
}

/** Rows of x by index; zeros where the index is negative. Inputs: x [V, ..], index [..]. */
const gatherOp: Op<{ live?: Tensor; shape: readonly number[] }> = {
  name: "gather",
  int8: true,
  shape: (_inputs, { shape }) => [{ shape }],
  forward(trace, inputs, [y], { live }) {
    const [x, index] = [required(inputs, 0), required(inputs, 1)];
    const width = sizeOf(x.shape.slice(1));
    if (x.dtype === "i8")
      trace.call("q8_gather_rows", index.size, read(live), width, read(x), int8Scales(x), read(index), write(y), width);
    else trace.call("f32_gather_rows", index.size, read(live), width, read(x), width, read(index), write(y), width);
  },
  backward: whenTraining((trace, inputs, _outputs, grads, { live }) => {
    const [x, index] = [required(inputs, 0), required(inputs, 1)];
    const width = sizeOf(x.shape.slice(1));
    trace.call(
      "f32_scatter_rows_acc",
      index.size,
      read(live),
      width,
      read(grads.of(0)),
      width,
      read(index),
      update(grads.accumulate(0)),
      width,
    );
  }),
};

/** Rows of x [V, W] by an index tensor the library made itself. */
export function gatherRows(trace: Trace, x: Tensor, index: Tensor, shape: readonly number[], live?: Tensor): Tensor {
  return apply(trace, gatherOp, [x, index], { live, shape })[0];
}

/** Steps that a gather along the time took keep what they were; along other axes behind it, all do. */
function indexedSteps(trace: Trace, y: Tensor, x: Tensor, indices: Tensor, axis: number): Tensor {
  if (axis > 1) return keepSteps(y, x);
  if (x.steps && indices.rank === 1 && (x.steps.mask?.rank ?? 2) === 2)
    y.steps = stepsOfMask(trace, gather(validSteps(trace, x.steps, x.shape), indices, 1));
  return y;
}

/**
 * Slices of x by index.
 *
 * @param indices  any shape, 0…extent − 1; or one number, below 0 from the end: `gather(x, -1, 1)` is the last step
 * @param axis     of x that is indexed; the result has the axes of `indices` in its place
 */
export function gather(x: Tensor, indices: Tensor | number, axis = 0): Tensor {
  const trace = currentTrace("gather");
  const table = floatsOf(trace, tensorOf("gather", x));
  const at = axisOf("gather", axis, table.rank);
  if (typeof indices === "number") return select(table, indices, at);
  if (at !== 0) {
    const front = [at, ...table.shape.map((_, i) => i).filter((i) => i !== at)];
    const taken = gather(transpose(table, front), indices);
    const { rank } = indices;
    const back = [
      ...Array.from({ length: at }, (_, i) => rank + i),
      ...indices.shape.map((_, i) => i),
      ...Array.from({ length: table.rank - at - 1 }, (_, i) => rank + at + i),
    ];
    return indexedSteps(trace, transpose(taken, back), table, indices, at);
  }
  const index = indicesOf(trace, tensorOf("gather", indices), table.shape[0], "indices");
  const y = gatherRows(trace, table, index, [...index.shape, ...table.shape.slice(1)]);
  y.steps = indices.steps;
  y.origin.set("gathered", { table, indices: index } satisfies Gathered);
  return y;
}

/** Vectors of zeros with a one at each index. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  const trace = currentTrace("oneHot");
  if (!Number.isInteger(depth) || depth < 1)
    throw new ValueError(`oneHot: expected a depth of at least 1, got ${shown(depth)}`);
  const index = indicesOf(trace, tensorOf("oneHot", indices), depth, "indices");
  const y = trace.tensor([...index.shape, depth]);
  trace.call("f32_one_hot", index.size, depth, read(index), write(y));
  y.steps = indices.steps;
  return y;
}

/** How the rows of a batch are read and where their outputs go; see i32_pack_rows. */
export interface RowOrder {
  readonly backwards?: boolean;
  /** Outputs stand where their inputs were read, instead of in the order computed. */
  readonly asRead?: boolean;
  /** Outputs at masked steps are zeros instead of the former output. */
  readonly zeroMasked?: boolean;
  /** Outputs beyond the length of a row are the former one instead of zeros. */
  readonly hold?: boolean;
}

/**
 * A packed batch [B, T]: rows sorted by length, longest first, their valid steps moved to the front, stored time-major,
 * so that a step computes only rows that have it. `whole` batches need no packing: one row or one step, all valid, or
 * packed already.
 */
export interface PackedSequence {
  readonly B: number;
  readonly T: number;
  readonly whole: boolean;
  readonly order?: Tensor;
  readonly rank?: Tensor;
  /** Rows alive at each step [T]. */
  readonly active?: Tensor;
  /** Rows there are in all [1]. */
  readonly count?: Tensor;
  readonly source?: Tensor;
  readonly place?: Tensor;
  readonly masked: boolean;
  /** Outputs of all steps do not stand where their inputs were read, but from the end. */
  readonly turned?: boolean;
}

/** The packing of a batch whose steps are all valid: rows have the same length, so only the order of steps matters. */
function evenRows(trace: Trace, B: number, T: number, backwards: boolean, asRead: boolean): PackedSequence {
  return trace.once(undefined, `rows ${B} ${T} ${backwards} ${asRead}`, () => {
    const [source, place] = [new Int32Array(B * T), new Int32Array(B * T)];
    for (let b = 0, n = 0; b < B; b++) {
      for (let t = 0; t < T; t++, n++) {
        const step = (backwards ? T - 1 - t : t) * B + b;
        source[step] = n;
        place[asRead ? n : b * T + (step - b) / B] = step;
      }
    }
    return {
      B,
      T,
      whole: false,
      masked: false,
      turned: backwards && !asRead,
      source: trace.constant(source),
      place: trace.constant(place, [B, T]),
    };
  });
}

/** The packing of a batch by its valid steps; one for all layers that share mask and order. */
export function packRows(
  trace: Trace,
  B: number,
  T: number,
  steps: ValidSteps | undefined,
  order: RowOrder = {},
): PackedSequence {
  const { backwards = false, zeroMasked = false } = order;
  const asRead = backwards && order.asRead === true;
  const masked = steps?.mask !== undefined;
  const hold = order.hold ?? (masked && !zeroMasked);
  if (!steps)
    return T === 1 || (B === 1 && !backwards)
      ? { B, T, whole: true, masked }
      : evenRows(trace, B, T, backwards, asRead);
  const flags = (backwards ? ROW_FLAGS.backwards : 0) | (asRead ? ROW_FLAGS.asRead : 0) | (hold ? ROW_FLAGS.hold : 0);
  return trace.once(steps.mask ?? steps.lengths, `rows ${B} ${T} ${flags}`, () => {
    const integers = (shape: number[]): Tensor => trace.tensor(shape, "i32");
    const rows = {
      B,
      T,
      whole: false,
      masked,
      turned: backwards && !asRead,
      order: integers([B]),
      rank: integers([B]),
      active: integers([T]),
      count: integers([1]),
      source: integers([B * T]),
      place: integers([B, T]),
    };
    const scratch = integers([rowsScratch(B, T)]);
    const [lengths, mask] = stepIntegers(trace, steps, T);
    trace.call(
      "i32_pack_rows",
      B,
      T,
      read(lengths),
      read(mask),
      write(rows.order),
      write(rows.rank),
      write(rows.active),
      write(rows.count),
      write(rows.source),
      write(rows.place),
      write(scratch),
      flags,
    );
    return rows;
  });
}

interface Packed {
  readonly rows: PackedSequence;
  readonly packed: Tensor;
}

/** x [B, T, W] as packed rows [B·T, W], where there are such without a copy. */
export function packedBefore(x: Tensor, rows: PackedSequence): Tensor | undefined {
  const known = x.origin.get("packed") as Packed | undefined;
  if (known?.rows === rows) return known.packed;
  return rows.whole ? reshape(x, [rows.B * rows.T, sizeOf(x.shape.slice(2))]) : undefined;
}

/** x [B, T, W] as packed rows [B·T, W], of which `rows.count` are used. */
export function packSequence(trace: Trace, x: Tensor, rows: PackedSequence): Tensor {
  const shape = [rows.B * rows.T, sizeOf(x.shape.slice(2))];
  return packedBefore(x, rows) ?? gatherRows(trace, reshape(x, shape), rows.source!, shape, rows.count);
}

/** Integers [B, T] packed. */
export function packIntegers(trace: Trace, x: Tensor, rows: PackedSequence): Tensor {
  if (rows.whole) return trace.view(x, [x.size]);
  const packed = trace.tensor([x.size], "i32");
  trace.call("i32_gather", x.size, read(rows.count), read(x), read(rows.source), write(packed));
  return packed;
}

/** Packed rows [N, W] back as [B, T, W]: every output at its place, the former one or zeros where there is none. */
export function unpack(trace: Trace, packed: Tensor, rows: PackedSequence): Tensor {
  const W = packed.shape[1];
  const shape = [rows.B, rows.T, W];
  const y = rows.whole ? reshape(packed, shape) : gatherRows(trace, packed, rows.place!, shape);
  if (!rows.turned) y.origin.set("packed", { rows, packed } satisfies Packed);
  return y;
}

/** States [B, H] in the order of sorted rows. */
export function sortStates(trace: Trace, state: Tensor, rows: PackedSequence): Tensor {
  return rows.order ? gatherRows(trace, state, rows.order, state.shape) : state;
}

/** States [B, H] in the caller's order again. */
export function unsortStates(trace: Trace, state: Tensor, rows: PackedSequence): Tensor {
  return rows.rank ? gatherRows(trace, state, rows.rank, state.shape) : state;
}

/**
 * The output shown at the last step [B, W]; zeros where there is none.
 *
 * @param packed  outputs [N, W] of packed rows that are not whole
 */
export function lastShown(trace: Trace, packed: Tensor, rows: PackedSequence): Tensor {
  const { B, T } = rows;
  const ends = trace.constant(Int32Array.from({ length: B }, (_, b) => (b + 1) * T - 1));
  const last = trace.tensor([B], "i32");
  trace.call("i32_gather", B, 0, read(rows.place), read(ends), write(last));
  return gatherRows(trace, packed, last, [B, packed.shape[1]]);
}

/** @throws ShapeError when lengths or mask do not fit a batch [B, T, ..] */
export function checkSteps(subject: string, { lengths, mask }: ValidSteps, shape: readonly number[]): void {
  const [B, T] = shape;
  for (const given of [lengths, mask]) if (given !== undefined) tensorOf(subject, given);
  if (lengths && (lengths.rank !== 1 || lengths.shape[0] !== B)) {
    throw new ShapeError(`${subject}: expected lengths [${B}], got ${describe(lengths.shape)}`);
  }
  if (mask && (mask.rank !== 2 || mask.shape[0] !== B || mask.shape[1] !== T)) {
    throw new ShapeError(`${subject}: expected mask [${B}, ${T}], got ${describe(mask.shape)}`);
  }
}
