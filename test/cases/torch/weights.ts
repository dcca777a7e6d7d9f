/** PyTorch's weights and ours: gates along rows there, along columns here, and for GRU in another order. */
import { cells, layers, type Cell } from "../../../bindings/index.ts";
import type { NDArray } from "../../../bindings/index.ts";
import type { OracleTensor } from "../case.ts";

export type TorchKind = "rnn" | "lstm" | "gru";
type Tensors = Readonly<Record<string, OracleTensor>>;

/** For each gate of ours (h; i f g o; z r n), which block of rows it has in PyTorch (h; i f g o; r z n). */
export const TORCH_GATES: Readonly<Record<TorchKind, readonly number[]>> = {
  rnn: [0],
  lstm: [0, 1, 2, 3],
  gru: [1, 0, 2],
};

/** What `RNN_TANH`, `LSTMCell` and the like are. */
export function torchKind(mode: string): TorchKind {
  return mode.replace(/Cell/, "").split("_")[0].toLowerCase() as TorchKind;
}

/** Row of PyTorch's weights for column `m` of ours. */
export const torchRow = (kind: TorchKind, H: number, m: number): number =>
  TORCH_GATES[kind][Math.floor(m / H)] * H + (m % H);

export interface TorchOptions {
  /** `LSTM`, `GRUCell`, `RNN_RELU`, … */
  mode: string;
  hidden_size: number;
  /** Size of h and the output; 0 for that of the cell. */
  proj_size?: number;
  bias?: boolean;
}

function options({ mode, hidden_size, proj_size = 0, bias = true }: TorchOptions): {
  units: number;
  useBias: boolean;
  activation?: string;
  projection?: number;
} {
  return {
    units: hidden_size,
    useBias: bias,
    ...(/relu/i.test(mode) ? { activation: "relu" } : {}),
    ...(proj_size > 0 ? { projection: proj_size } : {}),
  };
}

/** The layer that computes what one direction of one layer of PyTorch does; gives `[outputs, …states]`. */
export function torchLayer(config: TorchOptions, goBackwards = false) {
  const all = { ...options(config), returnSequences: true, returnState: true, goBackwards } as const;
  switch (torchKind(config.mode)) {
    case "rnn":
      return layers.simpleRNN(all);
    case "lstm":
      return layers.lstm(all);
    case "gru":
      return layers.gru(all);
  }
}

/** Both directions of one layer of PyTorch; gives `[outputs, …forward states, …backward states]`. */
export const torchBidirectional = (config: TorchOptions) => layers.bidirectional({ layer: torchLayer(config) });

export function torchCell(config: TorchOptions): Cell {
  return { rnn: cells.simpleRNN, lstm: cells.lstm, gru: cells.gru }[torchKind(config.mode)](options(config));
}

/** [rows, columns] as [columns, rows], row `row(m)` becoming column m. */
function turned({ data, shape: [rows, columns] }: OracleTensor, row: (m: number) => number): NDArray {
  const turned = Float32Array.from(
    { length: rows * columns },
    (_, i) => data[row(i % rows) * columns + Math.floor(i / rows)],
  );
  return { data: turned, shape: [columns, rows] };
}

/** PyTorch's two biases, updated separately: two more rows of the kernel, for inputs that end in two ones. */
export interface BiasRows {
  biasRows?: boolean;
}

/** A dense kernel of a `Linear` weight. */
export const fromLinear = (weight: OracleTensor): NDArray => turned(weight, (m) => m);

/** A `Linear` weight of a dense kernel. */
export function toLinear({ data, shape: [columns, rows] }: NDArray): Float32Array {
  return Float32Array.from(data, (_, i) => data[(i % columns) * rows + Math.floor(i / columns)]);
}

/**
 * Weights of a recurrent layer. Two biases that are only ever added are one here; those of GRU stand apart.
 *
 * @param name  PyTorch's name of a weight: `param.weight_ih_l0` for `weight_ih`
 */
export function fromTorch(
  kind: TorchKind,
  tensors: Tensors,
  name: (weight: string) => string,
  { biasRows = false }: BiasRows = {},
): Record<string, NDArray> {
  const G = TORCH_GATES[kind].length;
  const H = tensors[name("weight_hh")].shape[0] / G;
  const row = (m: number): number => torchRow(kind, H, m);
  const weights: Record<string, NDArray> = {
    kernel: turned(tensors[name("weight_ih")], row),
    recurrent_kernel: turned(tensors[name("weight_hh")], row),
  };
  const projection = tensors[name("weight_hr")];
  if (projection) weights.projection_kernel = fromLinear(projection);
  const [input, recurrent] = [tensors[name("bias_ih")], tensors[name("bias_hh")]];
  if (!input) return weights;
  const bias = ({ data }: OracleTensor): number[] => Array.from({ length: G * H }, (_, m) => data[row(m)]);
  if (biasRows) {
    const {
      data,
      shape: [I, width],
    } = weights.kernel;
    weights.kernel = { data: Float32Array.from([...data, ...bias(input), ...bias(recurrent)]), shape: [I + 2, width] };
    return weights;
  }
  weights.bias =
    kind === "gru"
      ? { data: Float32Array.from([...bias(input), ...bias(recurrent)]), shape: [2, G * H] }
      : { data: Float32Array.from(bias(input), (b, m) => b + bias(recurrent)[m]), shape: [G * H] };
  return weights;
}

/** Gradients of {@link fromTorch}'s weights by PyTorch's names; that of a sum is that of both its terms. */
export function toTorch(
  kind: TorchKind,
  { kernel, recurrent_kernel, bias, projection_kernel: projection }: Record<string, NDArray>,
  { biasRows = false }: BiasRows = {},
): Record<string, Float32Array> {
  const width = recurrent_kernel.shape[1];
  const H = width / TORCH_GATES[kind].length;
  const back = ({ data, shape: [columns] }: NDArray): Float32Array => {
    const rows = new Float32Array(data.length);
    data.forEach((value, i) => (rows[torchRow(kind, H, i % width) * columns + Math.floor(i / width)] = value));
    return rows;
  };
  const part = ({ data }: NDArray, first: number, rows: number): Float32Array =>
    back({ data: data.subarray(first * width, (first + rows) * width), shape: [rows, width] });
  if (biasRows) {
    const I = kernel.shape[0] - 2;
    return {
      weight_ih: part(kernel, 0, I),
      weight_hh: back(recurrent_kernel),
      bias_ih: part(kernel, I, 1),
      bias_hh: part(kernel, I + 1, 1),
    };
  }
  const weights: Record<string, Float32Array> = {
    weight_ih: back(kernel),
    weight_hh: back(recurrent_kernel),
    ...(projection ? { weight_hr: toLinear(projection) } : {}),
  };
  return bias ? { ...weights, bias_ih: part(bias, 0, 1), bias_hh: part(bias, kind === "gru" ? 1 : 0, 1) } : weights;
}
