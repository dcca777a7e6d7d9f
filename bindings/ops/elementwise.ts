/** Elementwise ops, with NumPy broadcasting. */
import { ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { whenTraining } from "../base/when_training.ts";
import { read, update, write, type Tensor } from "../graph/tensor.ts";
import type { KernelName } from "../graph/ir.ts";
import { apply, type Op } from "../graph/op.ts";
import { currentTrace } from "../graph/trace.ts";
import { UNARY_CODES, type UnaryName } from "../abi/unary_codes.ts";
import { broadcastShape, floatsOf, operandOf, required, tensorOf, type TensorLike } from "./operands.ts";
import { expand } from "./shape.ts";
import { keepSteps } from "./valid_steps.ts";

/** A function of one number: its code in the kernels, and the parameters of those that have any. */
export interface UnaryConfig {
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

const unaryOp: Op<UnaryConfig> = {
  name: "unary",
  shape: (inputs) => [{ shape: required(inputs, 0).shape }],
  forward(trace, inputs, [y], { code, alpha, beta }) {
    trace.call("f32_unary_fwd", y.size, read(inputs[0]), write(y), code, alpha, beta);
  },
  backward: whenTraining((trace, inputs, [y], grads, { code, alpha, beta }) => {
    const dx = grads.overwrite(0);
    trace.call("f32_unary_bwd", y.size, read(inputs[0]), read(y), read(grads.of(0)), write(dx), code, alpha, beta);
  }),
};

/** Applies a function of one number by name. */
export function unary(name: UnaryName, x: Tensor, alpha = 0, beta = 0): Tensor {
  const trace = currentTrace(name);
  const [y] = apply(trace, unaryOp, [floatsOf(trace, tensorOf(name, x))], { code: UNARY_CODES[name], alpha, beta });
  return keepSteps(y, x);
}

/** tanh x of each element. */
export const tanh = (x: Tensor): Tensor => unary("tanh", x);
/** σ(x) = 1 / (1 + e⁻ˣ) of each element. */
export const sigmoid = (x: Tensor): Tensor => unary("sigmoid", x);
/** Each element above 0, else 0. */
export const relu = (x: Tensor): Tensor => unary("relu", x);
/** eˣ of each element. */
export const exp = (x: Tensor): Tensor => unary("exp", x);
/** The natural logarithm of each element. */
export const log = (x: Tensor): Tensor => unary("log", x);
/** √x of each element; the gradient at 0 is infinite. */
export const sqrt = (x: Tensor): Tensor => unary("sqrt", x);
/** x² of each element. */
export const square = (x: Tensor): Tensor => unary("square", x);
/** |x| of each element. */
export const abs = (x: Tensor): Tensor => unary("abs", x);
/** −x of each element. */
export const neg = (x: Tensor): Tensor => unary("neg", x);

/** Each element held between low and high; the gradient is 0 beyond them. */
export function clip(x: Tensor, low: number, high: number): Tensor {
  if (!(typeof low === "number" && typeof high === "number" && low <= high))
    throw new ValueError(`clip: expected low ≤ high, got ${shown(low)} and ${shown(high)}`);
  return unary("clip", x, low, high);
}

const affineOp: Op<{ scale: number; shift: number }> = {
  name: "affine",
  shape: (inputs) => [{ shape: required(inputs, 0).shape }],
  forward: (trace, inputs, [y], { scale, shift }) =>
    trace.call("f32_vaffine", y.size, read(inputs[0]), write(y), scale, shift),
  backward: whenTraining((trace, _inputs, [y], grads, { scale }) =>
    trace.call("f32_vaffine", y.size, read(grads.of(0)), write(grads.overwrite(0)), scale, 0),
  ),
};

/** scale·x + shift. */
export function affine(x: Tensor, scale: number, shift: number): Tensor {
  const trace = currentTrace("affine");
  if (typeof scale !== "number" || typeof shift !== "number")
    throw new ValueError(`affine: expected numbers as scale and shift, got ${shown(scale)} and ${shown(shift)}`);
  const [y] = apply(trace, affineOp, [floatsOf(trace, tensorOf("affine", x))], { scale, shift });
  return keepSteps(y, x);
}

/** A row of the table of binary ops: how the gradients of a and b come from dy. */
interface Binary {
  readonly kernel: KernelName;
  readonly backward?: Op["backward"];
}

/** Passes dy on where a ⋈ b holds, 0 elsewhere: the gradient of maximum and minimum. Ties go to a. */
function chosen(larger: boolean): Op["backward"] {
  return (trace, [a, b], [y], grads) => {
    const dy = grads.of(0)!;
    const first = trace.tensor(y.shape);
    const [m, n] = larger ? [a, b] : [b, a];
    trace.call("f32_vgreater_equal", y.size, read(m), read(n), write(first));
    if (grads.needs(0)) trace.call("f32_vmul", y.size, read(dy), read(first), write(grads.overwrite(0)));
    if (!grads.needs(1)) return;
    const second = trace.tensor(y.shape);
    trace.call("f32_vaffine", y.size, read(first), write(second), -1, 1);
    trace.call("f32_vmul", y.size, read(dy), read(second), write(grads.overwrite(1)));
  };
}

const BINARY = {
  add: {
    kernel: "f32_vadd",
    backward: whenTraining((_trace, _inputs, _outputs, grads) => {
      for (const i of [0, 1]) if (grads.needs(i)) grads.pass(i, grads.of(0)!);
    }),
  },
  sub: {
    kernel: "f32_vsub",
    backward: whenTraining((trace, _inputs, [y], grads) => {
      const dy = grads.of(0)!;
      if (grads.needs(1)) trace.call("f32_vaffine", y.size, read(dy), write(grads.overwrite(1)), -1, 0);
      if (grads.needs(0)) grads.pass(0, dy);
    }),
  },
  mul: {
    kernel: "f32_vmul",
    backward: whenTraining((trace, [a, b], [y], grads) => {
      const dy = grads.of(0)!;
      if (grads.needs(0)) trace.call("f32_vmul", y.size, read(dy), read(b), write(grads.overwrite(0)));
      if (grads.needs(1)) trace.call("f32_vmul", y.size, read(dy), read(a), write(grads.overwrite(1)));
    }),
  },
  div: {
    kernel: "f32_vdiv",
    backward: whenTraining((trace, [, b], [y], grads) => {
      const over = trace.tensor(y.shape);
      trace.call("f32_vdiv", y.size, read(grads.of(0)), read(b), write(over));
      if (grads.needs(1)) {
        const db = grads.overwrite(1);
        trace.call("f32_vmul", y.size, read(over), read(y), write(db));
        trace.call("f32_vaffine", y.size, read(db), update(db), -1, 0);
      }
      if (grads.needs(0)) grads.pass(0, over);
    }),
  },
  maximum: { kernel: "f32_vmaximum", backward: whenTraining(chosen(true)) },
  minimum: { kernel: "f32_vminimum", backward: whenTraining(chosen(false)) },
  greater: { kernel: "f32_vgreater" },
  greaterEqual: { kernel: "f32_vgreater_equal" },
  equal: { kernel: "f32_vequal" },
} satisfies Record<string, Binary>;

const binaryOps = Object.fromEntries(
  Object.entries(BINARY as Record<string, Binary>).map(([name, { kernel, backward }]): [string, Op] => [
    name,
    {
      name,
      shape: (inputs) => [{ shape: required(inputs, 0).shape }],
      forward: (trace, [a, b], [y]) => trace.call(kernel, y.size, read(a), read(b), write(y)),
      backward,
    },
  ]),
) as Record<keyof typeof BINARY, Op>;

/** Applies a binary op to operands of broadcastable shapes. */
function binary(name: keyof typeof BINARY, a: TensorLike, b: TensorLike): Tensor {
  const trace = currentTrace(name);
  const [x, y] = [floatsOf(trace, operandOf(name, a)), floatsOf(trace, operandOf(name, b))];
  const shape = broadcastShape(name, x.shape, y.shape);
  const [result] = apply(trace, binaryOps[name], [expand(x, shape), expand(y, shape)], undefined);
  return keepSteps(result, x, y);
}

/** a + b by elements; shapes are broadcast as in NumPy: [batch, 4] with [4] or with a number. */
export const add = (a: TensorLike, b: TensorLike): Tensor =>
  typeof b === "number" && typeof a !== "number"
    ? affine(a, 1, b)
    : typeof a === "number" && typeof b !== "number"
      ? affine(b, 1, a)
      : binary("add", a, b);
/** a − b by elements; shapes are broadcast. */
export const sub = (a: TensorLike, b: TensorLike): Tensor =>
  typeof b === "number" && typeof a !== "number"
    ? affine(a, 1, -b)
    : typeof a === "number" && typeof b !== "number"
      ? affine(b, -1, a)
      : binary("sub", a, b);
/** a·b by elements; shapes are broadcast. The matrix product is `matmul`. */
export const mul = (a: TensorLike, b: TensorLike): Tensor =>
  typeof b === "number" && typeof a !== "number"
    ? affine(a, b, 0)
    : typeof a === "number" && typeof b !== "number"
      ? affine(b, a, 0)
      : binary("mul", a, b);
/** a / b by elements; shapes are broadcast. */
export const div = (a: TensorLike, b: TensorLike): Tensor => binary("div", a, b);
/** The larger of two by elements; shapes are broadcast, ties give the gradient to a. */
export const maximum = (a: TensorLike, b: TensorLike): Tensor => binary("maximum", a, b);
/** The smaller of two by elements; shapes are broadcast, ties give the gradient to a. */
export const minimum = (a: TensorLike, b: TensorLike): Tensor => binary("minimum", a, b);
/** 1 where a > b, else 0, by elements; shapes are broadcast. No gradient. */
export const greater = (a: TensorLike, b: TensorLike): Tensor => binary("greater", a, b);
/** 1 where a ≥ b, else 0, by elements; shapes are broadcast. No gradient. */
export const greaterEqual = (a: TensorLike, b: TensorLike): Tensor => binary("greaterEqual", a, b);
/** 1 where a < b, else 0, by elements; shapes are broadcast. No gradient. */
export const less = (a: TensorLike, b: TensorLike): Tensor => binary("greater", b, a);
/** 1 where a ≤ b, else 0, by elements; shapes are broadcast. No gradient. */
export const lessEqual = (a: TensorLike, b: TensorLike): Tensor => binary("greaterEqual", b, a);
/** 1 where a = b, else 0, by elements; shapes are broadcast. No gradient. */
export const equal = (a: TensorLike, b: TensorLike): Tensor => binary("equal", a, b);

const whereOp: Op = {
  name: "where",
  shape: (inputs) => [{ shape: required(inputs, 0).shape }],
  forward: (trace, [condition, a, b], [y]) =>
    trace.call("f32_vselect", y.size, read(condition), read(a), read(b), write(y)),
  backward: whenTraining((trace, [condition], [y], grads) => {
    const [dy, zeros] = [grads.of(0)!, trace.zeros(y.shape)];
    if (grads.needs(1))
      trace.call("f32_vselect", y.size, read(condition), read(dy), read(zeros), write(grads.overwrite(1)));
    if (grads.needs(2))
      trace.call("f32_vselect", y.size, read(condition), read(zeros), read(dy), write(grads.overwrite(2)));
  }),
};

/**
 * a where the condition is not 0, else b: the choice by value that an `if` cannot make in a traced function.
 *
 * @param condition  as `greater` and its kind give it; broadcast with a and b
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const trace = currentTrace("where");
  const inputs = [condition, a, b].map((value) => floatsOf(trace, operandOf("where", value)));
  const shape = inputs.reduce<readonly number[]>((all, { shape }) => broadcastShape("where", all, shape), []);
  const [y] = apply(
    trace,
    whereOp,
    inputs.map((input) => expand(input, shape)),
    undefined,
  );
  return keepSteps(y, ...inputs);
}
