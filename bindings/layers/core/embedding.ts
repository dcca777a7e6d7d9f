/** Tokens as vectors. */
import { checkSize } from "../checks.ts";
import type { ConstraintInput } from "../constraints.ts";
import { REQUIRED, defineLayer, type CommonOptions } from "../definition.ts";
import type { InitializerInput } from "../initializers.ts";
import type { RegularizerInput } from "../regularizers.ts";
import { ValueError } from "../../base/errors.ts";
import { indicesOf } from "../../ops/operands.ts";
import { gather } from "../../ops/recurrent/packed_sequence.ts";

/** Options of `layers.embedding`. */
export interface EmbeddingOptions extends CommonOptions {
  /** Size of the vocabulary: tokens are 0…inputDim − 1. */
  inputDim: number;
  /** Size of the vectors. */
  outputDim: number;
  /** Initializer of the vectors. @default "randomUniform" */
  embeddingsInitializer?: InitializerInput;
  /** Penalty on the vectors, added to the loss. */
  embeddingsRegularizer?: RegularizerInput | undefined;
  /** Constraint on the vectors, applied after every update. */
  embeddingsConstraint?: ConstraintInput | undefined;
  /** Token 0 is padding: steps that hold it are masked in the layers that follow. @default false */
  maskZero?: boolean;
}

/** Maps tokens to vectors: [batch, time] to [batch, time, outputDim]. Weights: embeddings [inputDim, outputDim]. */
export const embedding = defineLayer<EmbeddingOptions>({
  type: "embedding",
  prefix: "embedding",
  input: "tokens",
  defaults: {
    inputDim: REQUIRED,
    outputDim: REQUIRED,
    embeddingsInitializer: "randomUniform",
    embeddingsRegularizer: undefined,
    embeddingsConstraint: undefined,
    maskZero: false,
  },
  normalize(config, label) {
    checkSize(label, "inputDim", config.inputDim);
    checkSize(label, "outputDim", config.outputDim);
    return config;
  },
  parameters: ({ inputDim, outputDim, embeddingsInitializer, embeddingsRegularizer, embeddingsConstraint }) => ({
    embeddings: {
      shape: [inputDim, outputDim],
      initializer: embeddingsInitializer!,
      regularizer: embeddingsRegularizer,
      constraint: embeddingsConstraint,
      int8: "table",
    },
  }),
  call({ trace, config, weights, label }, x) {
    const tokens = indicesOf(trace, x, config.inputDim, `tokens for ${label}`);
    if (x.steps && config.maskZero)
      throw new ValueError(`${label}: expected lengths, a mask or maskZero, got two of them`);
    tokens.steps = config.maskZero ? { mask: tokens } : x.steps;
    return gather(weights.embeddings, tokens);
  },
});
