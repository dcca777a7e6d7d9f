/** Small systems as users write them, trained and then asked, against Keras. */
import {
  Module,
  layers,
  losses,
  jit,
  ops,
  optimizers,
  sequential,
  trainStep,
  valueAndGrad,
  type NDArray,
  type Tensor,
} from "../../../bindings/index.ts";
import { kerasLayer, kerasOptimizer, numbered, setOrdered, type KerasObject } from "./objects.ts";
import { assertNumbers, assertWithin, type OracleCase } from "../case.ts";

async function fitAndPredict(oracle: OracleCase): Promise<void> {
  const { config, json, tensors } = oracle;
  const x = tensors["input.x"];
  const model = sequential((config.layers as KerasObject[]).map(kerasLayer), { inputShape: x.shape.slice(1) });
  setOrdered(model, numbered(tensors, "weight"));
  model.compile({ optimizer: kerasOptimizer(config.optimizer), loss: config.loss, metrics: config.metrics });
  const { history } = await model.fit(x, tensors.target, {
    epochs: config.epochs,
    batchSize: config.batch_size,
    shuffle: false,
    validationData: tensors["input.x_val"] && [tensors["input.x_val"], tensors.target_val],
  });
  for (const [key, values] of Object.entries(json.history as Record<string, number[]>))
    assertNumbers(`${oracle.name} ${key}`, history[key], values, 1e-4);
  assertWithin(oracle, "output.predict", model.predict(tensors["input.predict"]).data, "trajectory");
  if (tensors["output.final_weight.0"]) {
    Object.values(model.getWeights()).forEach(({ data }, i) =>
      assertWithin(oracle, `output.final_weight.${i}`, data, "trajectory"),
    );
  }
  model.dispose();
}

const withStates = (units: number) => layers.gru({ units, returnSequences: true, returnState: true });

/** Characters to logits, with the state in and out. */
class Generator extends Module {
  embedding: ReturnType<typeof layers.embedding>;
  gru: ReturnType<typeof withStates>;
  dense: ReturnType<typeof layers.dense>;

  constructor([inputDim, outputDim]: readonly number[], units: number) {
    super();
    this.embedding = layers.embedding({ inputDim, outputDim });
    this.gru = withStates(units);
    this.dense = layers.dense({ units: inputDim });
  }

  override call(tokens: Tensor, state: Tensor): [logits: Tensor, state: Tensor] {
    const [y, after] = this.gru.call(this.embedding.call(tokens), { initialState: [state] });
    return [this.dense.call(y), after];
  }
}

/** Trains on chunk after chunk; the state of one starts the next, and gets no gradient from it. */
function carryState(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const {
    data,
    shape: [chunks, B, width],
  } = tensors["input.ids"];
  const columns = (chunk: number, first: number, count: number): NDArray<Int32Array> => ({
    data: Int32Array.from(
      { length: B * count },
      (_, i) => data[(chunk * B + Math.floor(i / count)) * width + first + (i % count)],
    ),
    shape: [B, count],
  });
  const [table, , recurrent] = numbered(tensors, "weight");
  const units = recurrent.shape[0];
  const model = new Generator(table.shape, units);
  const logits = jit(model, (tokens: Tensor, state: Tensor) => model.call(tokens, state));
  const zeros = { data: new Float32Array(B * units), shape: [B, units] };
  logits(columns(0, 0, 4), zeros); // builds the model
  setOrdered(model, numbered(tensors, "weight"));
  const crossEntropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });
  const step = trainStep(
    model,
    optimizers.adam({ learningRate: 0.01 }),
    (tokens: Tensor, targets: Tensor, state: Tensor) => {
      const [y, after] = model.call(tokens, ops.stopGradient(state));
      return [crossEntropy(targets, y), after];
    },
  );
  let state: NDArray = zeros;
  const values: number[] = [];
  for (let k = 0; k < config.steps; k++) {
    const { value, aux } = step(columns(k % chunks, 0, width - 1), columns(k % chunks, 1, width - 1), state);
    values.push(value);
    state = aux;
  }
  assertWithin(oracle, "output.losses", values, "trajectory");
  assertWithin(oracle, "output.state_after_training", state.data, "trajectory");
  const [y, after] = logits(columns(0, 0, 4), state);
  assertWithin(oracle, "output.logits_after", y.data, "trajectory");
  assertWithin(oracle, "output.state_after", after.data, "trajectory");
  Object.values(model.getWeights()).forEach(({ data: weight }, i) =>
    assertWithin(oracle, `output.final_weight.${i}`, weight, "trajectory"),
  );
  model.dispose();
}

/**
 * The Adam of Keras' `fit` for an embedding on TensorFlow. Its second moment adds up the squares of the gradients of
 * each occurrence of a token; the paper, PyTorch and gatewise square the sum of the gradients. (measured: the sum of
 * squares agrees with the case to 1e-6, the square of the sum to 4e-4) So this trains the table by hand, gatewise the
 * layers.
 */
class OccurrenceAdam {
  readonly table: Float64Array;
  private readonly width: number;
  private readonly m: Float64Array;
  private readonly v: Float64Array;
  private steps = 0;

  constructor({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }) {
    this.table = Float64Array.from(data);
    this.width = shape[1];
    this.m = new Float64Array(data.length);
    this.v = new Float64Array(data.length);
  }

  /** Vectors of tokens [B, T, width]. */
  embed(tokens: ArrayLike<number>, [B, T]: readonly number[]): NDArray {
    const { table, width } = this;
    return {
      data: Float32Array.from(
        { length: B * T * width },
        (_, i) => table[tokens[Math.floor(i / width)] * width + (i % width)],
      ),
      shape: [B, T, width],
    };
  }

  /** One update by the gradients of the vectors. */
  update(tokens: ArrayLike<number>, gradients: Float32Array, rate: number): void {
    const { table, width, m, v } = this;
    const [sums, squares] = [new Float64Array(table.length), new Float64Array(table.length)];
    gradients.forEach((g, i) => {
      const at = tokens[Math.floor(i / width)] * width + (i % width);
      sums[at] += g;
      squares[at] += g * g;
    });
    this.steps++;
    const corrected = (rate * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
    for (let i = 0; i < table.length; i++) {
      m[i] += 0.1 * (sums[i] - m[i]);
      v[i] += 0.001 * (squares[i] - v[i]);
      table[i] -= (corrected * m[i]) / (Math.sqrt(v[i]) + 1e-7);
    }
  }
}

function trainTable(oracle: OracleCase): void {
  const { config, json, tensors } = oracle;
  const [first, ...rest] = numbered(tensors, "weight");
  const embedding = new OccurrenceAdam(first);
  const model = sequential((config.layers as KerasObject[]).slice(1).map(kerasLayer), {
    inputShape: [null, first.shape[1]],
  });
  setOrdered(model, rest);
  const optimizer = kerasOptimizer(config.optimizer);
  const crossEntropy = losses.binaryCrossentropy();
  const step = valueAndGrad(model, (vectors: Tensor, y: Tensor) => crossEntropy(y, model.call(vectors)), {
    inputs: true,
  });
  const {
    data: x,
    shape: [N, T],
  } = tensors["input.x"];
  const epochs = Array.from({ length: config.epochs }, () => {
    let total = 0;
    for (let start = 0; start < N; start += config.batch_size) {
      const B = Math.min(config.batch_size, N - start);
      const tokens = x.subarray(start * T, (start + B) * T);
      const { value, grads, inputGrads } = step(embedding.embed(tokens, [B, T]), {
        data: tensors.target.data.slice(start, start + B),
        shape: [B, 1],
      });
      total += value * B;
      optimizer.apply(model, grads);
      embedding.update(tokens, inputGrads[0].data, config.optimizer.config.learning_rate);
    }
    return total / N;
  });
  assertNumbers(`${oracle.name} loss`, epochs, json.history.loss, 1e-5);
  const asked = tensors["input.predict"];
  assertWithin(oracle, "output.predict", model.predict(embedding.embed(asked.data, asked.shape)).data, "trajectory");
  model.dispose();
}

const BY_HAND: Record<string, (oracle: OracleCase) => void> = {
  text_embedding_lstm128_lstm128_sigmoid: trainTable,
  text_generation_gru_state_carried: carryState,
};

export const runSystem = (oracle: OracleCase): void | Promise<void> => (BY_HAND[oracle.name] ?? fitAndPredict)(oracle);
