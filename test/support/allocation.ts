/**
 * Run by itself with --expose-gc and a build: what streams and training leave in the JavaScript heap and in the arena,
 * as JSON on the last line.
 */
import v8 from "node:v8";
import {
  Module,
  backendInfo,
  initSync,
  layers,
  losses,
  ops,
  optimizers,
  sequential,
  trainStep,
} from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";

export interface Allocation {
  readonly what: string;
  readonly calls: number;
  /** Bytes of JavaScript objects made. */
  readonly made: number;
  /** Bytes still held after a collection, beyond those before. */
  readonly held: number;
  /** Bytes by which the arena grew. */
  readonly arena: number;
}

const gc = globalThis.gc!;
const used = (): number => v8.getHeapStatistics().used_heap_size;

/** Counted in slices, since a collection takes what was made before it out of the count. */
const SLICES = 20;

/** @param warm  calls before: past the optimizing tiers */
function measure(what: string, calls: number, warm: number, call: () => void): Allocation {
  for (let i = 0; i < warm; i++) call();
  gc();
  const [start, bytes] = [used(), backendInfo().memoryBytes];
  let made = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    const before = used();
    for (let i = 0; i < calls / SLICES; i++) call();
    made += Math.max(0, used() - before);
  }
  gc();
  return { what, calls, made, held: used() - start, arena: backendInfo().memoryBytes - bytes };
}

/** A cell written by hand, which runs in a loop of calls. */
class Cell extends Module {
  stateSize = 8;
  dense = layers.dense({ units: 8, activation: "tanh" });
  override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
    const next = this.dense.call(ops.concat([x, h]));
    return [next, [next]];
  }
}

function run(build: "simd" | "relaxed" | "reference"): Allocation[] {
  initSync({ build });
  const share = build === "reference" ? 0.02 : 1; // it is that much slower
  const frames = sequential([layers.lstm({ units: 16 }), layers.dense({ units: 2 })], {
    inputShape: [null, 3],
    seed: 1,
  });
  const tokens = sequential(
    [
      layers.embedding({ inputDim: 8, outputDim: 4 }),
      layers.gru({ units: 16, returnSequences: true }),
      layers.simpleRNN({ units: 8 }),
    ],
    { inputShape: [null], seed: 1 },
  );
  const [framed, tokened] = [frames.stream({ block: 16 }), tokens.stream()];
  const looped = sequential([layers.rnn({ cell: new Cell() })], { inputShape: [null, 3], seed: 1 }).stream({
    block: 16,
  });
  const small = tokens.quantize().stream();
  const [frame, out, token] = [Float32Array.of(1, 2, 3), new Float32Array(2), Int32Array.of(3)];
  const [block, outs, loopedOuts] = [new Float32Array(16 * 3), new Float32Array(16 * 2), new Float32Array(16 * 8)];
  const x = { data: new Float32Array(8 * 10 * 3).fill(0.5), shape: [8, 10, 3] };
  const y = { data: new Float32Array(8 * 2).fill(0.1), shape: [8, 2] };
  const mse = losses.meanSquaredError();
  const step = trainStep(frames, optimizers.adam({ learningRate: 1e-5 }), (a: Tensor, b: Tensor) =>
    mse(b, frames.call(a)),
  );
  frames.compile({ optimizer: optimizers.sgd({ learningRate: 1e-5 }), loss: "mse", metrics: ["mae"] });
  return [
    measure("stream.step of frames", 100000 * share, 20000 * share, () => void framed.step(frame, out)),
    measure("stream.step of tokens", 100000 * share, 20000 * share, () => void tokened.step(token)),
    measure("stream.step of a quantised model", 100000 * share, 20000 * share, () => void small.step(token)),
    measure("stream.process", 20000 * share, 20000 * share, () => void framed.process(block, outs)),
    measure(
      "stream.process of a cell by hand",
      20000 * share,
      20000 * share,
      () => void looped.process(block, loopedOuts),
    ),
    measure("trainStep", 1000 * share, 2000 * share, () => void step(x, y)),
    measure("trainOnBatch", 1000 * share, 2000 * share, () => void frames.trainOnBatch(x, y)),
  ];
}

console.log(JSON.stringify(run(process.argv[2] as "simd")));
