/** Whole models against Keras: masks carried through layers, dropout that does nothing, an encoder and its decoder. */
import { Module, layers, sequential, type NDArray, type Tensor } from "../../../bindings/index.ts";
import { kerasLayer, numbered, setOrdered, type KerasObject } from "./objects.ts";
import { assertWithin, type OracleCase } from "../case.ts";

/** One LSTM reads, and its last states start the other, which writes. */
class EncoderDecoder extends Module {
  encoder = layers.lstm({ units: 5, returnState: true });
  decoder = layers.lstm({ units: 5, returnSequences: true });
  head = layers.dense({ units: 4, activation: "softmax" });

  override call(source: Tensor, target: Tensor): Tensor {
    const [, ...states] = this.encoder.call(source);
    return this.head.call(this.decoder.call(target, { initialState: states }));
  }
}

export function runModel(oracle: OracleCase): void {
  const { config, tensors, name } = oracle;
  const model =
    name === "encoder_decoder" ? new EncoderDecoder() : sequential((config.layers as KerasObject[]).map(kerasLayer));
  const inputs = numbered(tensors, "input");
  model.predict(inputs); // builds the model
  setOrdered(model, numbered(tensors, "weight"));
  const outputs: NDArray[] = [model.predict(inputs)].flat();
  numbered(tensors, "output").forEach((_, i) => assertWithin(oracle, `output.${i}`, outputs[i].data, "output"));
  model.dispose();
}
