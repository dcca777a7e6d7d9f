/** Configurations of every layer and cell. The contract test runs each through everything that a layer promises. */
import { Module, cells, layers, ops } from "../../bindings/index.ts";
import type { Normalized } from "../../bindings/base/ndarray.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { apart, distinct, floats, integers } from "../support/plain/arrays.ts";

type LayerName = keyof typeof layers;
type CellName = keyof typeof cells;

/** What a layer's call is given besides its input. */
export interface Given {
  /** Shapes of states to start from. */
  readonly states?: readonly (readonly number[])[];
  readonly lengths?: readonly number[];
  /** Rows of 0 and 1. */
  readonly mask?: readonly (readonly number[])[];
}

export interface Sample {
  readonly options: () => Record<string, unknown>;
  readonly inputs: readonly Normalized[];
  /** Shapes of what comes out. */
  readonly outputs: readonly (readonly number[])[];
  readonly given?: Given;
  /** Dropout acts. */
  readonly training?: boolean;
  /** Its options hold a class of one's own, which no file can. */
  readonly unsaved?: boolean;
}

const [B, T, I, H] = [3, 4, 2, 3];
const sequence = floats([B, T, I]);
const step = floats([B, I]);
const tokens = integers([B, T], [0, 3, 1, 4, 2, 2, 0, 1, 3, 3, 4, 0]);

const holes = [
  [0, 1, 0, 1],
  [0, 0, 0, 0],
  [1, 1, 1, 0],
];
const lengths = [2, 0, 4];
const last = [[B, H]];
const all = [[B, T, H]];

const sample = (
  options: Record<string, unknown>,
  inputs: readonly Normalized[],
  outputs: number[][],
  more: Omit<Sample, "options" | "inputs" | "outputs"> = {},
): Sample => ({ options: () => ({ ...options }), inputs, outputs, ...more });

/** What every recurrent layer can do, over its own options. */
function recurrent(states: number, ...own: Record<string, unknown>[]): Sample[] {
  const run = (options: Record<string, unknown>, outputs: number[][], more: Partial<Sample> = {}): Sample =>
    sample({ units: H, ...options }, [sequence], outputs, more);
  const initial = { states: Array<number[]>(states).fill([B, H]) };
  const final = Array<number[]>(states).fill([B, H]);
  return [
    run({}, last),
    run({ returnSequences: true, returnState: true }, [...all, ...final], { given: initial }),
    run({ returnSequences: true, useBias: false }, all),
    run({ returnSequences: true, returnState: true }, [...all, ...final], { given: { ...initial, lengths } }),
    run({ returnState: true }, [...last, ...final], { given: { lengths } }),
    run({ returnSequences: true, returnState: true }, [...all, ...final], { given: { ...initial, mask: holes } }),
    run({}, last, { given: { mask: holes } }),
    run({ returnSequences: true, zeroOutputForMask: true }, all, { given: { mask: holes } }),
    run({ goBackwards: true, returnSequences: true, returnState: true }, [...all, ...final], { given: initial }),
    run({ goBackwards: true, returnSequences: true }, all, { given: { lengths } }),
    run({ goBackwards: true, returnSequences: true }, all, { given: { mask: holes } }),
    run({ dropout: 0.4, recurrentDropout: 0.3, returnSequences: true }, all, { training: true, given: initial }),
    run({ recurrentDropout: 0.3, returnSequences: true }, all, { training: true, given: { lengths } }),
    run({ numLayers: 2, returnSequences: true, returnState: true, dropout: 0.3 }, [...all, ...final, ...final], {
      training: true,
    }),
    run({ returnSequences: true, units: 9 }, [[B, T, 9]]), // a whole panel and a bit
    ...own.map((options) =>
      run({ returnSequences: true, recurrentDropout: 0.2, ...options }, all, {
        training: true,
        given: { ...initial, lengths },
      }),
    ),
  ];
}

/** A cell by hand, of two states. */
class TwoStates extends Module {
  stateSize = [H, 2];
  inner = layers.dense({ units: H, activation: "tanh" });
  outer = layers.dense({ units: 2 });

  override call(x: Tensor, [h, s]: Tensor[]): [Tensor, Tensor[]] {
    const next = this.inner.call(ops.concat([x, h, s]));
    return [ops.mul(next, 2), [next, ops.add(s, this.outer.call(next))]];
  }
}

const joined = [floats([B, T, I]), floats([B, T, I])];
const merges = (["sum", "mul", "ave", null] as const).map((mergeMode): Sample => ({
  options: () => ({ layer: layers.gru({ units: H, returnSequences: true }), mergeMode }),
  inputs: [sequence],
  outputs: mergeMode === null ? [...all, ...all] : all,
  given: { lengths },
}));

export const LAYER_SAMPLES: Record<LayerName, Sample[]> = {
  activation: ["relu", "softmax", "geluTanh", { name: "hardSigmoid", alpha: 0.2, beta: 0.5 }].map((activation) =>
    sample({ activation }, [apart([B, T, I])], [[B, T, I]]),
  ),
  add: [sample({}, joined, [[B, T, I]])],
  bidirectional: [
    {
      options: () => ({ layer: layers.lstm({ units: H, returnSequences: true, returnState: true }) }),
      inputs: [sequence],
      outputs: [[B, T, 2 * H], ...Array<number[]>(4).fill([B, H])],
      given: { states: Array<number[]>(4).fill([B, H]) },
    },
    { options: () => ({ layer: layers.simpleRNN({ units: H }) }), inputs: [sequence], outputs: [[B, 2 * H]] },
    {
      options: () => ({ layer: layers.lstm({ units: H, returnSequences: true }) }),
      inputs: [sequence],
      outputs: [[B, T, 2 * H]],
      given: { mask: holes },
    },
    {
      options: () => ({ layer: layers.rnn({ cell: cells.gru({ units: H }), returnSequences: true }) }),
      inputs: [sequence],
      outputs: [[B, T, 2 * H]],
    },
    {
      options: () => ({ layer: layers.lstm({ units: H, projection: 2, returnSequences: true }) }),
      inputs: [sequence],
      outputs: [[B, T, 4]],
      given: { lengths },
    },
    {
      options: () => ({ layer: layers.lstm({ units: H }), backwardLayer: layers.gru({ units: 2, goBackwards: true }) }),
      inputs: [sequence],
      outputs: [[B, H + 2]],
    },
    ...merges,
  ],
  concatenate: [sample({}, joined, [[B, T, 2 * I]]), sample({ axis: 1 }, joined, [[B, 2 * T, I]])],
  dense: [
    sample({ units: 5 }, [sequence], [[B, T, 5]]),
    sample({ units: 1, useBias: false }, [step], [[B, 1]]),
    sample({ units: H, activation: "softmax" }, [step], last),
    sample({ units: H, activation: { name: "leaky_relu", alpha: 0.1 } }, [step], last),
  ],
  dropout: [
    sample({ rate: 0.5 }, [sequence], [[B, T, I]], { training: true }),
    sample({ rate: 0.5 }, [step], [[B, I]]),
  ],
  embedding: [
    sample({ inputDim: 5, outputDim: H }, [tokens], all),
    sample({ inputDim: 5, outputDim: 1, maskZero: true }, [tokens], [[B, T, 1]]),
  ],
  flatten: [sample({}, [sequence], [[B, T * I]])],
  globalAveragePooling: [sample({}, [sequence], [[B, I]])],
  globalMaxPooling: [sample({}, [distinct([B, T, I])], [[B, I]])],
  gru: recurrent(
    1,
    { resetAfter: false },
    { activation: { name: "scaledTanh", alpha: 1.7, beta: 0.6 }, recurrentActivation: "hardSigmoid" },
    { resetAfter: false, activation: "elu", recurrentActivation: "softplus" },
    { resetAfter: false, useBias: false },
    { cellClip: 0.4 },
    { cellClip: 0.4, resetAfter: false, recurrentActivation: "softmax" },
  ),
  lstm: recurrent(
    2,
    { peepholes: true },
    { activation: "elu", recurrentActivation: "hardSigmoidKeras2" },
    { peepholes: true, activation: "softplus", recurrentActivation: { name: "hardSigmoid", alpha: 0.3, beta: 0.4 } },
    { unitForgetBias: false },
    { cellClip: 0.4, peepholes: true },
    { coupledInputForget: true },
    { activation: "logSoftmax", useBias: false },
  ),
  masking: [sample({ maskValue: 0.5 }, [sequence], [[B, T, I]])],
  permute: [sample({ dims: [2, 1] }, [sequence], [[B, I, T]])],
  repeatVector: [sample({ n: 4 }, [step], [[B, 4, I]])],
  reshape: [sample({ targetShape: [I, -1] }, [sequence], [[B, I, T]])],
  rnn: [
    { options: () => ({ cell: cells.lstm({ units: H }) }), inputs: [sequence], outputs: last },
    {
      options: () => ({
        cell: [cells.gru({ units: 2 }), cells.simpleRNN({ units: H })],
        returnSequences: true,
        returnState: true,
      }),
      inputs: [sequence],
      outputs: [...all, [B, 2], [B, H]],
      given: { mask: holes },
    },
    {
      unsaved: true,
      options: () => ({ cell: new TwoStates(), returnSequences: true, returnState: true }),
      inputs: [sequence],
      outputs: [...all, [B, H], [B, 2]],
      given: {
        states: [
          [B, H],
          [B, 2],
        ],
        lengths,
      },
    },
    {
      unsaved: true,
      options: () => ({ cell: new TwoStates(), returnSequences: true }),
      inputs: [sequence],
      outputs: all,
      given: { mask: holes },
    },
    { unsaved: true, options: () => ({ cell: new TwoStates() }), inputs: [sequence], outputs: last },
    {
      unsaved: true,
      options: () => ({ cell: new TwoStates() }),
      inputs: [sequence],
      outputs: last,
      given: { lengths },
    },
    {
      unsaved: true,
      options: () => ({ cell: new TwoStates(), zeroOutputForMask: true, goBackwards: true }),
      inputs: [sequence],
      outputs: last,
      given: { mask: holes },
    },
    {
      unsaved: true,
      options: () => ({
        cell: [cells.lstm({ units: 2 }), new TwoStates(), cells.gru({ units: 4 })],
        returnSequences: true,
        goBackwards: true,
      }),
      inputs: [sequence],
      outputs: [[B, T, 4]],
      given: { mask: holes },
    },
    {
      options: () => ({
        cell: [cells.lstm({ units: 2, projection: 1 }), cells.simpleRNN({ units: H, cellClip: 0.5 })],
      }),
      inputs: [sequence],
      outputs: last,
      given: { lengths },
    },
  ],
  simpleRNN: recurrent(
    1,
    { activation: "relu" },
    { activation: "sigmoid" },
    { activation: { name: "elu", alpha: 0.5 } },
    { activation: "linear", useBias: false },
    { activation: "softmax" },
    { cellClip: 0.3 },
  ),
  timeDistributed: [
    { options: () => ({ layer: layers.dense({ units: H, activation: "tanh" }) }), inputs: [sequence], outputs: all },
    { options: () => ({ layer: layers.lstm({ units: H }) }), inputs: [floats([2, 3, T, I])], outputs: [[2, 3, H]] },
  ],
};

/** A state and an output narrower than the cell. */
const P = 2;
const projected = (options: Record<string, unknown>, more: Partial<Sample>): Sample =>
  sample(
    { units: H, projection: P, returnState: true, ...options },
    [sequence],
    options.returnSequences
      ? [
          [B, T, P],
          [B, P],
          [B, H],
        ]
      : [
          [B, P],
          [B, P],
          [B, H],
        ],
    more,
  );
LAYER_SAMPLES.lstm.push(
  projected(
    { returnSequences: true },
    {
      given: {
        states: [
          [B, P],
          [B, H],
        ],
        lengths,
      },
    },
  ),
  projected(
    { returnSequences: true, goBackwards: true, recurrentDropout: 0.3, dropout: 0.3 },
    { training: true, given: { mask: holes } },
  ),
  projected({ peepholes: true, coupledInputForget: true, cellClip: 0.7 }, { given: { lengths } }),
  sample({ units: H, projection: P, numLayers: 2, dropout: 0.3, returnSequences: true }, [sequence], [[B, T, P]], {
    training: true,
  }),
);

const stepped = (states: number, ...own: Record<string, unknown>[]): Sample[] =>
  [{}, { useBias: false }, ...own].flatMap((options) => {
    const outputs = Array<number[]>(1 + states).fill([B, H]);
    return [
      sample({ units: H, ...options }, [step], outputs, { given: { states: Array<number[]>(states).fill([B, H]) } }),
      sample({ units: H, ...options, dropout: 0.3, recurrentDropout: 0.3 }, [step], outputs, { training: true }),
    ];
  });

export const CELL_SAMPLES: Record<CellName, Sample[]> = {
  gru: stepped(
    1,
    { resetAfter: false },
    { activation: "softplus", recurrentActivation: "hardSigmoid" },
    { cellClip: 0.4 },
  ),
  lstm: [
    ...stepped(2, { peepholes: true }, { activation: "softsign" }, { coupledInputForget: true }),
    sample(
      { units: H, projection: P },
      [step],
      [
        [B, P],
        [B, P],
        [B, H],
      ],
      {
        given: {
          states: [
            [B, P],
            [B, H],
          ],
        },
      },
    ),
  ],
  simpleRNN: stepped(1, { activation: "sigmoid" }),
};
