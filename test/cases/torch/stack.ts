/** PyTorch's `nn.RNN`, `nn.LSTM` and `nn.GRU` as stacks of layers: several levels, both directions, ragged rows. */
import { Module, ops, type Tensor } from "../../../bindings/index.ts";
import type { OracleTensor } from "../case.ts";
import { torchBidirectional, torchKind, torchLayer, type BiasRows, type TorchOptions } from "./weights.ts";

export interface StackOptions extends TorchOptions, BiasRows {
  num_layers: number;
  bidirectional: boolean;
}

/** What a stack is called with: x [B, T, I]; initial states [layers · directions, B, H]. */
export interface StackInput {
  x: Tensor;
  h0?: Tensor;
  c0?: Tensor;
  lengths?: Tensor;
  /** The step of the batch at which the backward direction has its output, for each place of a sequence [B, T]. */
  places: Tensor;
  /** [B, T, 2], with `biasRows`. */
  ones?: Tensor;
}

/** Where a layer lies in a stack, and how PyTorch's names of its weights end. */
type LayerName = [path: string, suffix: string];

/** One state of all layers and directions [layers · directions, B, H] taken apart, from the k-th on. */
const statesFrom = ({ h0, c0 }: StackInput, k: number): Tensor[] =>
  [h0, c0]
    .filter((states) => states !== undefined)
    .map((states) => ops.reshape(ops.slice(states, [k], [1]), states.shape.slice(1)));

/** Outputs, and each of the final states of all layers and directions, stacked. */
const stacked = (y: Tensor, final: readonly Tensor[][]): Tensor[] => [
  y,
  ...final[0].map((_, i) => ops.stack(final.map((states) => states[i]))),
];

/** A recurrent module of PyTorch: each level reads the outputs of both directions of the one below, side by side. */
export class Stack extends Module {
  levels: ReturnType<typeof torchLayer>[][];

  constructor(config: StackOptions) {
    super();
    const layer = config.biasRows ? { ...config, bias: false } : config;
    const directions = config.bidirectional ? [false, true] : [false];
    this.levels = Array.from({ length: config.num_layers }, () =>
      directions.map((backwards) => torchLayer(layer, backwards)),
    );
  }

  names(): LayerName[] {
    return this.levels.flatMap((level, l) =>
      level.map((_, d): LayerName => [`levels/${l}/${d}`, `_l${l}${d === 0 ? "" : "_reverse"}`]),
    );
  }

  override call(input: StackInput): Tensor[] {
    const { x, h0, lengths, places, ones } = input;
    const final: Tensor[][] = [];
    let y = x;
    for (const level of this.levels) {
      const outputs = level.map((layer, direction) => {
        const initialState = h0 && statesFrom(input, final.length);
        const [output, ...states] = layer.call(ones ? ops.concat([y, ones]) : y, { lengths, initialState });
        final.push(states);
        return direction === 0 ? output : inPlace(output, places);
      });
      y = outputs.length === 1 ? outputs[0] : ops.concat(outputs);
    }
    return stacked(y, final);
  }
}

/** Both directions by a layer of their own. */
export class BidirectionalStack extends Module {
  levels: ReturnType<typeof torchBidirectional>[];
  #name: string;

  constructor(config: StackOptions) {
    super();
    this.levels = Array.from({ length: config.num_layers }, () => torchBidirectional(config));
    this.#name = { rnn: "simple_rnn", lstm: "lstm", gru: "gru" }[torchKind(config.mode)];
  }

  names(): LayerName[] {
    return this.levels.flatMap((_, l): LayerName[] => [
      [`levels/${l}/forward_${this.#name}`, `_l${l}`],
      [`levels/${l}/backward_${this.#name}`, `_l${l}_reverse`],
    ]);
  }

  override call(input: StackInput): Tensor[] {
    const final: Tensor[][] = [];
    let y = input.x;
    for (const level of this.levels) {
      const initialState = input.h0 && [0, 1].flatMap((direction) => statesFrom(input, final.length + direction));
      const [output, ...states] = [level.call(y, { lengths: input.lengths, initialState })].flat();
      final.push(states.slice(0, states.length / 2), states.slice(states.length / 2));
      y = output;
    }
    return stacked(y, final);
  }
}

/** Steps of a sequence that was read backwards, each where its input was. */
function inPlace(y: Tensor, places: Tensor): Tensor {
  const [B, T, H] = y.shape;
  return ops.gather(ops.reshape(y, [B * T, H]), places);
}

/** The backward direction starts at each row's own last step; padding stays where it is. */
export function backwardPlaces(
  B: number,
  T: number,
  lengths: ArrayLike<number>,
): { data: Int32Array; shape: number[] } {
  const data = Int32Array.from({ length: B * T }, (_, i) => {
    const [b, t] = [Math.floor(i / T), i % T];
    return t < lengths[b] ? b * T + lengths[b] - 1 - t : i;
  });
  return { data, shape: [B, T] };
}

/** Arrays of a case with the batch first, which unbatched ones lack and time-major ones have second. */
export class BatchFirst {
  readonly B: number;
  readonly T: number;
  private readonly timeMajor: boolean;

  constructor({
    B,
    T,
    batch_first,
    unbatched,
  }: {
    B: number | null;
    T: number;
    batch_first: boolean;
    unbatched: boolean;
  }) {
    this.B = B ?? 1;
    this.T = T;
    this.timeMajor = !batch_first && !unbatched;
  }

  private swapped(data: ArrayLike<number>, outer: number, inner: number): Float32Array {
    const width = data.length / (outer * inner);
    return Float32Array.from({ length: data.length }, (_, i) => {
      const [row, k] = [Math.floor(i / width), i % width];
      return data[((row % outer) * inner + Math.floor(row / outer)) * width + k];
    });
  }

  sequence({ data, shape }: OracleTensor): { data: Float32Array; shape: number[] } {
    return {
      data: this.timeMajor ? this.swapped(data, this.T, this.B) : Float32Array.from(data),
      shape: [this.B, this.T, shape.at(-1)!],
    };
  }

  states(tensor: OracleTensor | undefined): { data: Float32Array; shape: number[] } | undefined {
    if (!tensor) return undefined;
    return { data: Float32Array.from(tensor.data), shape: [tensor.shape[0], this.B, tensor.shape.at(-1)!] };
  }

  /** A sequence of ours as the case has it. */
  asGiven(data: Float32Array): Float32Array {
    return this.timeMajor ? this.swapped(data, this.B, this.T) : data;
  }
}
