/** PyTorch's `nn.RNN`, `nn.LSTM` and `nn.GRU` put together from layers: several levels, both directions, ragged rows. */
import { Module, ops, type Tensor } from "../../bindings/index.ts";
import type { OracleTensor } from "./oracles.ts";
import { torchLayer, type BiasRows, type TorchOptions } from "./torch.ts";

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
  /** For each place of a sequence [B, T], where the backward direction has its output, counted in steps of the batch. */
  places: Tensor;
  /** [B, T, 2], with `biasRows`. */
  ones?: Tensor;
}

/** PyTorch's recurrent modules out of layers: each level reads the outputs of the one below, both directions side by side. */
export class Stack extends Module {
  levels: ReturnType<typeof torchLayer>[][];

  constructor(config: StackOptions) {
    super();
    const layer = config.biasRows ? { ...config, bias: false } : config;
    const directions = config.bidirectional ? [false, true] : [false];
    this.levels = Array.from({ length: config.num_layers }, () => directions.map((backwards) => torchLayer(layer, backwards)));
  }

  /** Path of every layer, and how PyTorch's names of its weights end. */
  names(): [path: string, suffix: string][] {
    return this.levels.flatMap((level, l) =>
      level.map((_, d): [string, string] => [`levels/${l}/${d}`, `_l${l}${d === 0 ? "" : "_reverse"}`]));
  }

  /** @returns outputs, and each of the final states of all layers and directions, stacked */
  override call({ x, h0, c0, lengths, places, ones }: StackInput): Tensor[] {
    const final: Tensor[][] = [];
    let y = x;
    for (const level of this.levels) {
      const outputs = level.map((layer, direction) => {
        const k = final.length;
        const own = [h0, c0].filter((states) => states !== undefined).map((states) => ops.reshape(ops.slice(states, [k], [1]), states.shape.slice(1)));
        const [output, ...states] = layer.call(ones ? ops.concat([y, ones]) : y, { lengths, initialState: own.length > 0 ? own : undefined });
        final.push(states);
        return direction === 0 ? output : inPlace(output, places);
      });
      y = outputs.length === 1 ? outputs[0] : ops.concat(outputs);
    }
    return [y, ...final[0].map((_, i) => ops.stack(final.map((states) => states[i])))];
  }
}

/** Steps of a sequence that was read backwards, each where its input was. */
function inPlace(y: Tensor, places: Tensor): Tensor {
  const [B, T, H] = y.shape;
  return ops.gather(ops.reshape(y, [B * T, H]), places);
}

/** The backward direction starts at each row's own last step; padding stays where it is. */
export function backwardPlaces(B: number, T: number, lengths: ArrayLike<number>): { data: Int32Array; shape: number[] } {
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

  constructor({ B, T, batch_first, unbatched }: { B: number | null; T: number; batch_first: boolean; unbatched: boolean }) {
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
    return { data: this.timeMajor ? this.swapped(data, this.T, this.B) : Float32Array.from(data), shape: [this.B, this.T, shape.at(-1)!] };
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
