/**
 * Recurrent layers in plain JavaScript, row by row and step by step, with weights as `getWeights` gives them: the
 * equations of Keras and PyTorch without any of the library.
 */
import type { NDArray } from "../../../bindings/index.ts";

type Vector = number[];
type Weights = Record<string, NDArray>;

export interface PlainOptions {
  readonly units: number;
  readonly activation?: (x: number) => number;
  readonly recurrentActivation?: (x: number) => number;
  readonly resetAfter?: boolean;
  readonly cellClip?: number;
  readonly coupledInputForget?: boolean;
  /** Over the values of all units. */
  readonly rowwise?: (x: Vector) => Vector;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Columns first…first + H − 1 of x·W, plus the same of a row of biases. */
function product(x: Vector, w: NDArray, H: number, gate: number, bias?: NDArray, row = 0): Vector {
  const columns = w.shape[1];
  return Array.from({ length: H }, (_, j) => {
    const column = gate * H + j;
    return x.reduce(
      (sum, value, i) => sum + value * w.data[i * columns + column],
      bias ? bias.data[row * columns + column] : 0,
    );
  });
}

const zip = (a: Vector, b: Vector, f: (x: number, y: number) => number): Vector => a.map((x, i) => f(x, b[i]));
const plus = (...vectors: Vector[]): Vector => vectors.reduce((a, b) => zip(a, b, (x, y) => x + y));
const times = (a: Vector, b: Vector): Vector => zip(a, b, (x, y) => x * y);

/** The activation of a gate, over all units. */
const over =
  (f: (x: number) => number, { cellClip = Infinity }: PlainOptions) =>
  (x: Vector): Vector =>
    x.map((value) => f(Math.max(-cellClip, Math.min(cellClip, value))));

/** Output and states after one step, the output being the first state. */
export type PlainStep = (w: Weights, x: Vector, states: Vector[], options: PlainOptions) => Vector[];

export const PLAIN_CELLS: Record<"simpleRNN" | "lstm" | "gru", { readonly states: number; readonly step: PlainStep }> =
  {
    simpleRNN: {
      states: 1,
      step: (
        { kernel, recurrent_kernel: u, bias },
        x,
        [h],
        { units: H, activation = Math.tanh, rowwise, ...options },
      ) => [
        (rowwise ?? over(activation, { ...options, units: H }))(
          plus(product(x, kernel, H, 0, bias), product(h, u, H, 0)),
        ),
      ],
    },
    lstm: {
      states: 2,
      step(w, x, [h, c], options) {
        const { units: H, activation = Math.tanh, recurrentActivation = sigmoid, coupledInputForget } = options;
        const [inner, recurrent] = [over(activation, options), over(recurrentActivation, options)];
        const gate = (g: number): Vector =>
          plus(product(x, w.kernel, H, g, w.bias), product(h, w.recurrent_kernel, H, g));
        const seen = (name: string, state: Vector): Vector =>
          w[name] ? times([...w[name].data], state) : state.map(() => 0);
        const i = recurrent(plus(gate(0), seen("peephole_i", c)));
        const f = coupledInputForget ? i.map((share) => 1 - share) : recurrent(plus(gate(1), seen("peephole_f", c)));
        const next = plus(times(f, c), times(i, inner(gate(2))));
        const o = recurrent(plus(gate(3), seen("peephole_o", next)));
        const full = times(o, next.map(activation)); // what is not a gate is not clipped
        const { projection_kernel: narrow } = w;
        return [narrow ? product(full, narrow, narrow.shape[1], 0) : full, next];
      },
    },
    gru: {
      states: 1,
      step({ kernel, recurrent_kernel: u, bias }, x, [h], options) {
        const { units: H, activation = Math.tanh, recurrentActivation = sigmoid, resetAfter = true } = options;
        const gate = over(recurrentActivation, options);
        const input = (g: number): Vector => product(x, kernel, H, g, bias);
        const recurrent = (g: number, from = h): Vector => product(from, u, H, g, resetAfter ? bias : undefined, 1);
        const z = gate(plus(input(0), recurrent(0)));
        const r = gate(plus(input(1), recurrent(1)));
        const n = over(
          activation,
          options,
        )(plus(input(2), resetAfter ? times(r, recurrent(2)) : recurrent(2, times(r, h))));
        return [
          plus(
            times(z, h),
            times(
              z.map((share) => 1 - share),
              n,
            ),
          ),
        ];
      },
    },
  };

export interface PlainRun {
  readonly lengths?: readonly number[];
  /** Rows of 0 and 1. */
  readonly mask?: readonly (readonly number[])[];
  readonly goBackwards?: boolean;
  readonly zeroOutputForMask?: boolean;
  readonly initialState?: readonly NDArray[];
}

/** Flat outputs [B, T, H] and final states [B, H]; `last` is the output of a layer without returnSequences. */
export function plainLayer(
  kind: keyof typeof PLAIN_CELLS,
  w: Weights,
  x: NDArray,
  options: PlainOptions,
  { lengths, mask, goBackwards = false, zeroOutputForMask = false, initialState }: PlainRun = {},
): { sequence: Vector; last: Vector; states: Vector[] } {
  const { states: count, step } = PLAIN_CELLS[kind];
  const [B, T, I] = x.shape;
  const { units: H } = options;
  const W = w.projection_kernel?.shape[1] ?? H;
  const widths = [W, H];
  const zeros = Array<number>(W).fill(0);
  const [sequence, last, final]: [Vector, Vector, Vector[]] = [[], [], Array.from({ length: count }, () => [])];
  for (let b = 0; b < B; b++) {
    let states = Array.from({ length: count }, (_, k) =>
      initialState
        ? [...initialState[k].data.slice(b * widths[k], (b + 1) * widths[k])]
        : Array<number>(widths[k]).fill(0),
    );
    const end = lengths?.[b] ?? T;
    // with lengths a row is read from its own end, and what lies beyond gives zeros; a mask reads the whole time axis
    const order = Array.from({ length: end }, (_, s) => (goBackwards ? end - 1 - s : s));
    let shown = zeros;
    let latest = zeros;
    for (const t of order) {
      const valid = mask?.[b][t] !== 0;
      if (valid) states = step(w, [...x.data.slice((b * T + t) * I, (b * T + t + 1) * I)], states, options);
      if (valid) latest = states[0];
      shown = valid || !zeroOutputForMask ? latest : zeros;
      sequence.push(...shown);
    }
    for (let s = end; s < T; s++) sequence.push(...zeros);
    last.push(...(mask ? latest : states[0]));
    final.forEach((state, k) => state.push(...states[k]));
  }
  return { sequence, last, states: final };
}
