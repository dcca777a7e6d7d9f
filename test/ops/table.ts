/** Cases of every public op: its inputs, and its values by formula. A contract test checks that no op is missing. */
import * as ops from "../../bindings/ops/index.ts";
import type { Normalized } from "../../bindings/base/ndarray.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { normalCdf } from "../../bindings/reference/elementwise/normal.ts";
import {
  apart,
  at,
  distinct,
  floats,
  integers,
  positives,
  tabulate,
  total,
  type Plain,
} from "../support/plain/arrays.ts";

export interface OpCase {
  readonly what: string;
  readonly inputs: readonly Normalized[];
  fn(...inputs: Tensor[]): Tensor;
  plain(...inputs: Plain[]): Plain;
  /** false: the result is an index, or steps from one value to another. */
  readonly smooth?: boolean;
}

type Scalar = (...x: number[]) => number;

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const clipped = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
/** x above 0, y elsewhere. */
const above = (x: number, y: number): number => (x > 0 ? x : y);

/** A function of one number, on a vector with a tail and on a matrix. */
const unary = (op: (x: Tensor) => Tensor, f: Scalar, make = apart): OpCase[] =>
  [[1], [7], [5, 13]].map((shape) => ({
    what: `[${shape}]`,
    inputs: [make(shape)],
    fn: op,
    plain: (x) => tabulate(shape, (...i) => f(at(x, ...i))),
  }));

/** Shapes of two operands, and of their result. */
const BROADCASTS: readonly (readonly (readonly number[])[])[] = [
  [[6], [6], [6]],
  [[3, 5], [5], [3, 5]],
  [
    [3, 5],
    [3, 1],
    [3, 5],
  ],
  [
    [3, 1],
    [1, 5],
    [3, 5],
  ],
  [[], [4], [4]],
  [
    [2, 1, 3],
    [4, 1],
    [2, 4, 3],
  ],
  [[1], [], [1]],
];

type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;

/** A function of two numbers: every broadcast, a number on either side, the same tensor on both. */
function binary(op: Binary, f: Scalar, { make = apart, smooth = true, same = true } = {}): OpCase[] {
  const pairs = BROADCASTS.map(([a, b, shape]): OpCase => ({
    what: `[${a}], [${b}]`,
    inputs: [make(a), make(b)],
    smooth,
    fn: (x, y) => op(x, y),
    plain: (x, y) => tabulate(shape, (...i) => f(at(x, ...i), at(y, ...i))),
  }));
  const shape = [3, 5];
  const single = (what: string, fn: (x: Tensor) => Tensor, g: Scalar): OpCase => ({
    what,
    inputs: [make(shape)],
    smooth,
    fn,
    plain: (x) => tabulate(shape, (...i) => g(at(x, ...i))),
  });
  return [
    ...pairs,
    single(
      "tensor, number",
      (x) => op(x, 0.75),
      (x) => f(x, 0.75),
    ),
    single(
      "number, tensor",
      (x) => op(0.75, x),
      (x) => f(0.75, x),
    ),
    single(
      "number, number",
      (x) => ops.mul(x, op(2, 0.5)),
      (x) => x * f(2, 0.5),
    ),
    ...(same
      ? [
          single(
            "one tensor twice",
            (x) => op(x, x),
            (x) => f(x, x),
          ),
        ]
      : []),
  ];
}

interface Axes {
  axis?: number | number[];
  keepDims?: boolean;
}

/** A reduction of [2, 3, 5] along axes. */
function reduction(
  op: (x: Tensor, options?: Axes) => Tensor,
  f: (values: number[]) => number,
  make = floats,
): OpCase[] {
  const shapes = [
    [2, 3, 5],
    [3, 1, 4],
    [1, 1, 1],
  ]; // an axis of one element is dropped without a call
  const cases: [Axes | undefined, number[]][] = [
    [undefined, [0, 1, 2]],
    [{ axis: 0 }, [0]],
    [{ axis: 1 }, [1]],
    [{ axis: 2 }, [2]],
    [{ axis: -1 }, [2]],
    [{ axis: -3 }, [0]],
    [{ axis: [0, 2] }, [0, 2]],
    [{ axis: [-1, 1] }, [1, 2]],
    [{ axis: [0, 1, 2] }, [0, 1, 2]],
    [{ keepDims: true }, [0, 1, 2]],
    [{ axis: 1, keepDims: true }, [1]],
    [{ axis: [0, -1], keepDims: true }, [0, 2]],
    [{ axis: [1, -2] }, [1]],
    [{ axis: [2, -1, 1] }, [1, 2]],
  ];
  return shapes.flatMap((shape) =>
    cases.map(([options, axes]) => ({
      what: `${JSON.stringify(options) ?? "all axes"} of ${shape}`,
      inputs: [make(shape)],
      fn: (x) => op(x, options),
      plain: (x) => {
        const kept = tabulate(
          shape.map((n, i) => (axes.includes(i) ? 1 : n)),
          (...base) => {
            const values: number[] = [];
            tabulate(shape, (...i) =>
              i.every((n, axis) => axes.includes(axis) || n === base[axis]) ? values.push(at(x, ...i)) : 0,
            );
            return f(values);
          },
        );
        return options?.keepDims ? kept : { ...kept, shape: shape.filter((_, i) => !axes.includes(i)) };
      },
    })),
  );
}

function softmaxCases(op: (x: Tensor, axis?: number) => Tensor, f: (x: number, sum: number) => number): OpCase[] {
  const shape = [2, 3, 5];
  return (
    [
      [undefined, 2],
      [1, 1],
      [0, 0],
      [-2, 1],
    ] as const
  ).map(([axis, along]) => ({
    what: `axis ${axis}`,
    inputs: [floats(shape, 3)],
    fn: (x) => op(x, axis),
    plain: (x) =>
      tabulate(shape, (...i) =>
        f(
          at(x, ...i),
          total(shape[along], (k) => Math.exp(at(x, ...i.map((n, other) => (other === along ? k : n))))),
        ),
      ),
  }));
}

function product(a: number[], b: number[], shape: number[]): OpCase {
  return {
    what: `[${a}] by [${b}]`,
    inputs: [floats(a), floats(b)],
    fn: (x, y) => ops.matmul(x, y),
    plain: (x, y) =>
      tabulate(shape, (...i) =>
        total(
          a.at(-1)!,
          (k) =>
            at(x, ...(a.length === 1 ? [] : i.slice(0, -1)), k) *
            at(y, ...(b.length > 2 ? i.slice(0, -2) : []), k, i.at(-1)!),
        ),
      ),
  };
}

function taken(shape: number[], indices: Normalized, axis?: number): OpCase {
  const along = (axis ?? 0) < 0 ? axis! + shape.length : (axis ?? 0);
  const rank = indices.shape.length;
  const result = [...shape.slice(0, along), ...indices.shape, ...shape.slice(along + 1)];
  return {
    what: `[${shape}] at [${indices.shape}] along ${axis}`,
    inputs: [floats(shape), indices],
    fn: (x, i) => ops.gather(x, i, axis),
    plain: (x, index) =>
      tabulate(result, (...i) =>
        at(x, ...i.slice(0, along), at(index, ...i.slice(along, along + rank)), ...i.slice(along + rank)),
      ),
  };
}

const matrix = [3, 4];
const cube = [2, 3, 4];

export const TABLE: Record<keyof typeof ops, OpCase[]> = {
  tanh: unary(ops.tanh, Math.tanh),
  sigmoid: unary(ops.sigmoid, logistic),
  relu: unary(ops.relu, (x) => Math.max(x, 0)),
  exp: unary(ops.exp, Math.exp),
  log: unary(ops.log, Math.log, positives),
  sqrt: unary(ops.sqrt, Math.sqrt, positives),
  square: unary(ops.square, (x) => x * x),
  abs: unary(ops.abs, Math.abs),
  neg: unary(ops.neg, (x) => -x),
  affine: unary(
    (x) => ops.affine(x, -2.5, 0.75),
    (x) => -2.5 * x + 0.75,
  ),
  elu: [
    ...unary(ops.elu, (x) => above(x, Math.expm1(x))),
    ...unary(
      (x) => ops.elu(x, 0.3),
      (x) => above(x, 0.3 * Math.expm1(x)),
    ),
  ],
  celu: [
    ...unary(ops.celu, (x) => above(x, Math.expm1(x))),
    ...unary(
      (x) => ops.celu(x, 0.3),
      (x) => above(x, 0.3 * Math.expm1(x / 0.3)),
    ),
  ],
  selu: unary(ops.selu, (x) => 1.0507009873554805 * above(x, 1.6732632423543772 * Math.expm1(x))),
  leakyRelu: [
    ...unary(ops.leakyRelu, (x) => above(x, 0.2 * x)),
    ...unary(
      (x) => ops.leakyRelu(x, 0.01),
      (x) => above(x, 0.01 * x),
    ),
  ],
  thresholdedRelu: [
    ...unary(ops.thresholdedRelu, (x) => (x > 1 ? x : 0)),
    ...unary(
      (x) => ops.thresholdedRelu(x, 0.1),
      (x) => (x > 0.1 ? x : 0),
    ),
  ],
  relu6: unary(
    (x) => ops.relu6(ops.mul(x, 20)),
    (x) => clipped(20 * x, 0, 6),
  ),
  scaledTanh: [
    ...unary(ops.scaledTanh, Math.tanh),
    ...unary(
      (x) => ops.scaledTanh(x, 1.7, 0.6),
      (x) => 1.7 * Math.tanh(0.6 * x),
    ),
  ],
  softplus: unary(ops.softplus, (x) => Math.log1p(Math.exp(x))),
  softsign: unary(ops.softsign, (x) => x / (1 + Math.abs(x))),
  hardSigmoid: [
    ...unary(
      (x) => ops.hardSigmoid(ops.mul(x, 4)),
      (x) => clipped((4 * x) / 6 + 0.5, 0, 1),
    ),
    ...unary(
      (x) => ops.hardSigmoid(x, 1.5, 0.25),
      (x) => clipped(1.5 * x + 0.25, 0, 1),
    ),
    ...unary(
      (x) => ops.hardSigmoid(x, 0.2),
      (x) => 0.2 * x + 0.5,
    ),
  ],
  silu: unary(ops.silu, (x) => x * logistic(x)),
  hardSilu: unary(
    (x) => ops.hardSilu(ops.mul(x, 4)),
    (x) => 4 * x * clipped((4 * x) / 6 + 0.5, 0, 1),
  ),
  gelu: unary(ops.gelu, (x) => x * normalCdf(x)),
  geluTanh: unary(ops.geluTanh, (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  mish: unary(ops.mish, (x) => x * Math.tanh(Math.log1p(Math.exp(x)))),
  logSigmoid: unary(ops.logSigmoid, (x) => Math.log(logistic(x))),
  tanhshrink: unary(ops.tanhshrink, (x) => x - Math.tanh(x)),
  softShrink: [
    ...unary(ops.softShrink, (x) => x - clipped(x, -0.5, 0.5)),
    ...unary(
      (x) => ops.softShrink(x, 0.1),
      (x) => x - clipped(x, -0.1, 0.1),
    ),
  ],
  hardShrink: [
    ...unary(ops.hardShrink, (x) => (Math.abs(x) > 0.5 ? x : 0)),
    ...unary(
      (x) => ops.hardShrink(x, 0.1),
      (x) => (Math.abs(x) > 0.1 ? x : 0),
    ),
  ],
  squareplus: [
    ...unary(ops.squareplus, (x) => (x + Math.hypot(x, 2)) / 2),
    ...unary(
      (x) => ops.squareplus(x, 0.25),
      (x) => (x + Math.hypot(x, 0.5)) / 2,
    ),
  ],

  clip: unary(
    (x) => ops.clip(x, -0.4, 0.7),
    (x) => clipped(x, -0.4, 0.7),
  ),

  add: binary(ops.add, (a, b) => a + b),
  sub: binary(ops.sub, (a, b) => a - b),
  mul: binary(ops.mul, (a, b) => a * b),
  div: binary(ops.div, (a, b) => a / b),
  maximum: binary(ops.maximum, Math.max, { same: false }),
  minimum: binary(ops.minimum, Math.min, { same: false }),
  greater: binary(ops.greater, (a, b) => +(a > b), { smooth: false }),
  greaterEqual: binary(ops.greaterEqual, (a, b) => +(a >= b), { smooth: false }),
  less: binary(ops.less, (a, b) => +(a < b), { smooth: false }),
  lessEqual: binary(ops.lessEqual, (a, b) => +(a <= b), { smooth: false }),
  equal: binary(ops.equal, (a, b) => +(a === b), { smooth: false }),

  where: [
    {
      what: "a condition by comparison",
      inputs: [apart(matrix), floats(matrix), floats(matrix)],
      fn: (c, a, b) => ops.where(ops.greater(c, 0), a, b),
      plain: (c, a, b) => tabulate(matrix, (...i) => (at(c, ...i) > 0 ? at(a, ...i) : at(b, ...i))),
    },
    {
      what: "everything broadcast",
      inputs: [integers([3, 1], [1, 0, -1]), floats([4]), floats([])],
      fn: (c, a, b) => ops.where(c, a, b),
      plain: (c, a, b) => tabulate(matrix, (...i) => (at(c, ...i) !== 0 ? at(a, ...i) : at(b, ...i))),
    },
    {
      what: "a number, and the same tensor as condition",
      inputs: [apart(matrix)],
      fn: (x) => ops.where(ops.greater(x, 0), x, -1),
      plain: (x) => tabulate(matrix, (...i) => (at(x, ...i) > 0 ? at(x, ...i) : -1)),
    },
  ],

  sum: reduction(ops.sum, (values) => total(values.length, (i) => values[i])),
  mean: reduction(ops.mean, (values) => total(values.length, (i) => values[i]) / values.length),
  max: reduction(ops.max, (values) => Math.max(...values), distinct),
  min: reduction(ops.min, (values) => Math.min(...values), distinct),
  argmax: [
    [1, 4],
    [3, 5],
    [2, 3, 7],
  ].map((shape) => ({
    what: `[${shape}]`,
    inputs: [distinct(shape)],
    smooth: false,
    fn: (x) => ops.argmax(x),
    plain: (x) =>
      tabulate(shape.slice(0, -1), (...i) => {
        const row = Array.from({ length: shape.at(-1)! }, (_, k) => at(x, ...i, k));
        return row.indexOf(Math.max(...row));
      }),
  })),
  softmax: softmaxCases(ops.softmax, (x, sum) => Math.exp(x) / sum),
  logSoftmax: softmaxCases(ops.logSoftmax, (x, sum) => x - Math.log(sum)),

  matmul: [
    product([3, 4], [4, 5], [3, 5]),
    product([1, 17], [17, 9], [1, 9]),
    product([2, 3, 4], [4, 5], [2, 3, 5]),
    product([2, 3, 4], [2, 4, 5], [2, 3, 5]),
    product([2, 2, 3, 4], [2, 2, 4, 1], [2, 2, 3, 1]),
    product([4], [4, 5], [5]),
    product([3, 4], [2, 4, 5], [2, 3, 5]),
    product([2, 1, 3, 4], [3, 4, 2], [2, 3, 3, 2]),
    product([2, 2, 3, 4], [1, 4, 5], [2, 2, 3, 5]),
    product([1, 3, 4], [2, 1, 4, 5], [2, 1, 3, 5]),
    {
      what: "a matrix by itself",
      inputs: [floats([4, 4])],
      fn: (x) => ops.matmul(x, x),
      plain: (x) => tabulate([4, 4], (m, n) => total(4, (k) => at(x, m, k) * at(x, k, n))),
    },
    {
      what: "a batch by itself",
      inputs: [floats([2, 3, 3])],
      fn: (x) => ops.matmul(x, x),
      plain: (x) => tabulate([2, 3, 3], (b, m, n) => total(3, (k) => at(x, b, m, k) * at(x, b, k, n))),
    },
  ],

  reshape: (
    [
      [[12], [12]],
      [
        [3, -1],
        [3, 4],
      ],
      [[-1], [12]],
      [
        [2, 1, 6],
        [2, 1, 6],
      ],
      [
        [4, 3, -1],
        [4, 3, 1],
      ],
    ] as const
  ).map(([to, shape]) => ({
    what: `[${to}]`,
    inputs: [floats([2, 6])],
    fn: (x) => ops.reshape(x, to),
    plain: ({ data }) => ({ data, shape }),
  })),
  transpose: [
    {
      what: "matrix",
      inputs: [floats(matrix)],
      fn: (x) => ops.transpose(x),
      plain: (x) => tabulate([4, 3], (i, j) => at(x, j, i)),
    },
    {
      what: "reversed",
      inputs: [floats(cube)],
      fn: (x) => ops.transpose(x),
      plain: (x) => tabulate([4, 3, 2], (i, j, k) => at(x, k, j, i)),
    },
    {
      what: "[1, 0, 2]",
      inputs: [floats(cube)],
      fn: (x) => ops.transpose(x, [1, 0, 2]),
      plain: (x) => tabulate([3, 2, 4], (i, j, k) => at(x, j, i, k)),
    },
    {
      what: "[-1, 0, 1]",
      inputs: [floats(cube)],
      fn: (x) => ops.transpose(x, [-1, 0, 1]),
      plain: (x) => tabulate([4, 2, 3], (i, j, k) => at(x, j, k, i)),
    },
    { what: "scalar", inputs: [floats([])], fn: (x) => ops.transpose(x), plain: (x) => x },
  ],
  slice: (
    [
      [[0, 0, 0], [], cube],
      [[1], [1], [1, 3, 4]],
      [
        [0, 1, 2],
        [2, 2, 2],
        [2, 2, 2],
      ],
      [
        [0, -1],
        [-1, 1],
        [2, 1, 4],
      ],
      [
        [0, 0, -3],
        [-1, -1, 2],
        [2, 3, 2],
      ],
      [
        [1, 2, 3],
        [1, 1, 1],
        [1, 1, 1],
      ],
      [[2], [], [0, 3, 4]],
      [
        [0, 1],
        [2, 0],
        [2, 0, 4],
      ],
    ] as [number[], number[], number[]][]
  ).map(([starts, sizes, shape]) => ({
    what: `from [${starts}] sizes [${sizes}]`,
    inputs: [floats(cube)],
    fn: (x) => ops.slice(x, starts, sizes),
    plain: (x) =>
      tabulate(shape, (...i) => at(x, ...i.map((n, axis) => n + (((starts[axis] ?? 0) + cube[axis]) % cube[axis])))),
  })),
  concat: [
    ...(
      [
        [0, [5, 4]],
        [-2, [5, 4]],
      ] as const
    ).map(([axis, shape]): OpCase => ({
      what: `axis ${axis}`,
      inputs: [floats([2, 4]), floats([3, 4])],
      fn: (a, b) => ops.concat([a, b], axis),
      plain: (a, b) => tabulate(shape, (i, j) => (i < 2 ? at(a, i, j) : at(b, i - 2, j))),
    })),
    {
      what: "the last axis, three parts",
      inputs: [floats([2, 1]), floats([2, 5]), floats([2, 2])],
      fn: (a, b, c) => ops.concat([a, b, c]),
      plain: (a, b, c) => tabulate([2, 8], (i, j) => (j < 1 ? at(a, i, j) : j < 6 ? at(b, i, j - 1) : at(c, i, j - 6))),
    },
    {
      what: "one tensor twice",
      inputs: [floats([2, 3])],
      fn: (x) => ops.concat([x, x], 1),
      plain: (x) => tabulate([2, 6], (i, j) => at(x, i, j % 3)),
    },
    { what: "one tensor", inputs: [floats([2, 3])], fn: (x) => ops.concat([x]), plain: (x) => x },
  ],
  split: (
    [
      [2, undefined, 2],
      [1, 0, 0],
      [4, -1, 2],
      [3, 1, 1],
      [2, -3, 0],
    ] as const
  ).map(([parts, axis, along]) => {
    const shape = [2, 3, 4].map((n, i) => (i === along ? n / parts : n));
    return {
      what: `${parts} parts of axis ${axis}`,
      inputs: [floats([2, 3, 4])],
      fn: (x) =>
        ops
          .split(x, parts, axis)
          .map((part, k) => ops.mul(part, k + 1))
          .reduce((a, b) => ops.add(a, b)),
      plain: (x) =>
        tabulate(shape, (...i) =>
          total(parts, (k) => (k + 1) * at(x, ...i.map((n, other) => (other === along ? k * shape[along] + n : n)))),
        ),
    };
  }),
  stack: (
    [
      [0, [2, 3, 4]],
      [1, [3, 2, 4]],
      [-1, [3, 4, 2]],
    ] as const
  ).map(([axis, shape]) => ({
    what: `axis ${axis}`,
    inputs: [floats(matrix), floats(matrix)],
    fn: (a, b) => ops.stack([a, b], axis),
    plain: (a, b) => {
      const along = axis < 0 ? axis + 3 : axis;
      return tabulate(shape, (...i) => at(i[along] === 0 ? a : b, ...i.filter((_, other) => other !== along)));
    },
  })),
  zeros: [{ what: "to add to", inputs: [floats(matrix)], fn: (x) => ops.add(x, ops.zeros(matrix)), plain: (x) => x }],
  stopGradient: [
    { what: "values pass", inputs: [floats(matrix)], smooth: false, fn: (x) => ops.stopGradient(x), plain: (x) => x },
  ],

  gather: [
    taken([5, 3], integers([4], [4, 0, 4, 2])),
    taken([5], integers([2, 2], [1, 1, 0, 3])),
    taken([5, 3, 2], integers([2, 3], [0, 1, 2, 3, 4, 0])),
    taken([2, 5, 3], integers([4], [4, 0, 4, 2]), 1),
    taken([2, 5, 3], integers([2, 2], [2, 1, 0, 2]), 2),
    taken([2, 5, 3], integers([3], [2, 2, 2]), -1),
    taken([3, 2], integers([], [1])),
    taken([3, 2], integers([], [1]), 1),
    ...(
      [
        [0, 0],
        [1, 1],
        [-1, 1],
        [3, 2],
        [-4, -1],
      ] as const
    ).map(([index, axis]): OpCase => {
      const along = (axis + 3) % 3;
      return {
        what: `number ${index} along ${axis}`,
        inputs: [floats(cube)],
        fn: (x) => ops.gather(x, index, axis),
        plain: (x) =>
          tabulate(cube.toSpliced(along, 1), (...i) =>
            at(x, ...i.toSpliced(along, 0, (index + cube[along]) % cube[along])),
          ),
      };
    }),
  ],
  oneHot: [
    {
      what: "vector",
      inputs: [integers([3], [2, 0, 3])],
      smooth: false,
      fn: (i) => ops.oneHot(i, 4),
      plain: (x) => tabulate([3, 4], (i, j) => +(at(x, i) === j)),
    },
    {
      what: "matrix",
      inputs: [integers([2, 2], [2, 0, 1, 1])],
      smooth: false,
      fn: (i) => ops.oneHot(i, 3),
      plain: (x) => tabulate([2, 2, 3], (i, j, k) => +(at(x, i, j) === k)),
    },
  ],
  checkpoint: [
    ...unary(
      (x) => {
        const [a, b] = ops.checkpoint(() => [ops.tanh(x), ops.square(x)]);
        return ops.mul(a, b);
      },
      (x) => Math.tanh(x) * x * x,
    ),
    ...unary(
      (x) => ops.checkpoint(() => ops.checkpoint(() => [ops.square(x)]).map(ops.tanh))[0],
      (x) => Math.tanh(x * x),
    ),
  ],
  dropout: [
    {
      what: "no training: everything passes",
      inputs: [floats(matrix)],
      fn: (x) => ops.dropout(x, 0.5),
      plain: (x) => x,
    },
    { what: "rate 0", inputs: [floats(matrix)], fn: (x) => ops.dropout(x, 0), plain: (x) => x },
  ],
};
