/** Embeddings against PyTorch's, whose padding row gets no gradient. */
import { Module, layers, ops, valueAndGrad, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";

/** `nn.Embedding` with its `padding_idx`, written by hand: the vectors of padding are constants. */
class PaddedEmbedding extends Module {
  table: ReturnType<typeof layers.embedding>;
  #padding: number | null;

  constructor([inputDim, outputDim]: readonly number[], padding: number | null) {
    super();
    this.table = layers.embedding({ inputDim, outputDim });
    this.#padding = padding;
  }

  override call(tokens: Tensor): Tensor {
    const vectors = this.table.call(tokens);
    if (this.#padding === null) return vectors;
    const isPadding = ops.reshape(ops.equal(tokens, this.#padding), [...tokens.shape, 1]);
    return ops.where(isPadding, ops.stopGradient(vectors), vectors);
  }
}

export function runEmbedding(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const [ids, cotangent] = [tensors["input.ids"], tensors["cotangent.y"]];
  const model = new PaddedEmbedding(tensors["param.weight"].shape, config.padding_idx);
  const step = valueAndGrad(
    model,
    (tokens: Tensor, weight: Tensor) => {
      const y = model.call(tokens);
      return [ops.sum(ops.mul(y, weight)), y];
    },
    { training: false, aux: true },
  );
  step(ids, cotangent); // builds the layer
  model.setWeights({ "table/embeddings": tensors["param.weight"] });

  const { aux, grads } = step(ids, cotangent);
  assertWithin(oracle, "output.y", aux.data, "output");
  assertWithin(oracle, "grad.param.weight", grads["table/embeddings"].data, "gradient");
  model.dispose();
}
