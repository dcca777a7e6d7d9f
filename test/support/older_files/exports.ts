/** Exported programs of `test/fixtures/older_files`: what they compute. */
import type * as exported from "../../../bindings/exported.ts";
import type { LoadOptions } from "../../../bindings/exported.ts";
import type { Model } from "../../../bindings/index.ts";
import { floats, integers, type Gatewise, type Input } from "./model.ts";
import { describeArrays, type Recording } from "./record.ts";

type Exported = typeof exported;

export interface OlderExport {
  /** Name of its file. */
  readonly name: string;
  readonly make: (gatewise: Gatewise) => Model;
  /** Input of `predict`, whose first row `stream` takes as well. */
  readonly x: Input;
}

export const EXPORTS: readonly OlderExport[] = [
  {
    name: "floats",
    x: floats([2, 5, 3], 14),
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.lstm({ units: 6, returnSequences: true }),
          layers.gru({ units: 5, resetAfter: false, activation: "softplus", returnSequences: true }),
          layers.dense({ units: 2, activation: "gelu" }),
        ],
        { seed: 31, inputShape: [null, 3] },
      ),
  },
  {
    name: "integers",
    x: integers([2, 5], 8, 15),
    make({ sequential, layers }) {
      const model = sequential(
        [
          layers.embedding({ inputDim: 8, outputDim: 8 }),
          layers.gru({ units: 40, returnSequences: true }),
          layers.dense({ units: 8 }),
        ],
        { seed: 32, inputShape: [null] },
      );
      const quantized = model.quantize({ bits: 8 }) as Model;
      model.dispose();
      return quantized;
    },
  },
];

/** The file that `export` writes, with a stream and `predict`. */
export function exportOlder(gatewise: Gatewise, { make, x }: OlderExport): Uint8Array {
  const model = make(gatewise);
  try {
    return model.export({ stream: { block: 4 }, predict: [...x.shape] });
  } finally {
    model.dispose();
  }
}

/** Everything that an exported file computes on a build of wasm. @throws FormatError when it is for other kernels */
export function recordExport(
  { loadExported }: Exported,
  { x }: OlderExport,
  bytes: Uint8Array,
  build: string,
): Recording {
  const program = loadExported(bytes, { build: build as LoadOptions["build"] });
  const { stream } = program;
  const frames = x.data.slice(0, x.data.length / x.shape[0]);
  const processed = stream.process(frames);
  const stepped = stream.step(frames.subarray(0, stream.inputSize)).slice();
  return {
    predict: describeArrays({ "": program.predict(x) }),
    "stream.process": describeArrays({ "": { data: processed, shape: [processed.length] } }),
    "stream.step": describeArrays({ "": { data: stepped, shape: [stepped.length] } }),
  };
}
