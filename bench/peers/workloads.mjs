// The workloads as data: layers and shapes, with weights and inputs that are the same numbers in every process.

export const lstm = (units, options = {}) => ({ type: "lstm", units, sequences: true, ...options });
const gru = (units, options = {}) => ({ type: "gru", units, sequences: true, resetAfter: true, ...options });
const simpleRNN = (units, options = {}) => ({ type: "simpleRNN", units, sequences: true, ...options });
const dense = (units, activation = "linear") => ({ type: "dense", units, activation });
const embedding = (tokens, units) => ({ type: "embedding", tokens, units });
const last = { sequences: false };

/** A call takes one frame; the state is kept between calls. */
export const stream = (name, features, layers) => ({ kind: "stream", name, B: 1, T: 1, features, layers });
/** A call takes a batch of sequences. */
const predict = (name, B, T, features, layers) => ({ kind: "predict", name, B, T, features, layers });
/** A call updates the weights once. */
const train = (name, B, T, features, layers, optimizer, loss) => ({
  kind: "train",
  name,
  B,
  T,
  features,
  layers,
  optimizer,
  loss,
});

const windows = [lstm(50), lstm(50, last), dense(1)];
const three = [simpleRNN(50, last), dense(1)];
const reviews = [embedding(10000, 64), lstm(128), lstm(128, last), dense(1, "sigmoid")];

/** By groups of the table in bench/README.md. With `features` 0 the input is tokens. */
export const WORKLOADS = {
  "I1 one step per call": [32, 64, 128, 256, 512].map((H) => stream(`LSTM ${H}→${H}`, H, [lstm(H)])),
  "I2 one sequence": [
    predict("LSTM 64→128, T100", 1, 100, 64, [lstm(128)]),
    predict("LSTM 256→512, T256", 1, 256, 256, [lstm(512)]),
    predict("LSTM 64→128→128, T100", 1, 100, 64, [lstm(128), lstm(128)]),
  ],
  "I3 32 rows of 100 steps": [
    predict("LSTM 64→128", 32, 100, 64, [lstm(128)]),
    predict("GRU 64→128", 32, 100, 64, [gru(128)]),
    predict("SimpleRNN 64→128", 32, 100, 64, [simpleRNN(128)]),
  ],
  "I4 whole models": [
    predict("SimpleRNN(50) Dense(1), 300 × 3 × 1", 300, 3, 1, three),
    predict("2 LSTM(50) Dense(1), 32 × 10 × 1", 32, 10, 1, windows),
    predict("2 GRU(50), reset before, Dense(1), 32 × 10 × 1", 32, 10, 1, [
      gru(50, { resetAfter: false }),
      gru(50, { resetAfter: false, ...last }),
      dense(1),
    ]),
    predict("Embedding(10000, 64) 2 LSTM(128) Dense(1), 1 × 200", 1, 200, 0, reviews),
    predict("the same, 32 × 200", 32, 200, 0, reviews),
    stream("Embedding(65, 256) GRU(1024) Dense(65), one character", 0, [embedding(65, 256), gru(1024), dense(65)]),
  ],
  "T one update": [
    train("T1: 2 LSTM(50) Dense(1), 32 × 10 × 1, Adam", 32, 10, 1, windows, "adam", "meanSquaredError"),
    train("T2: SimpleRNN(50) Dense(1), 32 × 3 × 1, RMSprop", 32, 3, 1, three, "rmsprop", "meanSquaredError"),
    train(
      "T3: Embedding(10000, 64) 2 LSTM(128) Dense(1), 32 × 200, Adam",
      32,
      200,
      0,
      reviews,
      "adam",
      "binaryCrossentropy",
    ),
    train(
      "T4: Embedding(65, 256) GRU(256) Dense(65), 32 × 100, Adam",
      32,
      100,
      0,
      [embedding(65, 256), gru(256), dense(65)],
      "adam",
      "sparseCategoricalCrossentropy",
    ),
  ],
};

/** mulberry32, as numbers in [-scale, scale). */
function noise(n, seed, scale) {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return scale * (((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1);
  });
}

export const GATES = { simpleRNN: 1, lstm: 4, gru: 3 };

/** The number of inputs of each layer. */
export const inputsOf = ({ features, layers }) => layers.map((_, i) => (i === 0 ? features : layers[i - 1].units));

/**
 * Weights of each layer in the layout of Keras, gates i f g o and z r n: embedding [tokens, units]; kernel [I, G·H],
 * recurrent kernel [H, G·H] and bias [G·H], or [2, 3·H] in a GRU that resets after the product; dense kernel
 * [I, N] and bias [N].
 */
export function weightsOf(workload) {
  const inputs = inputsOf(workload);
  return workload.layers.map((layer, i) => {
    const [I, H, G, seed] = [inputs[i], layer.units, GATES[layer.type] ?? 1, 100 * i];
    const arrays = (list) =>
      list.map(([shape, scale], k) => ({
        shape,
        data: noise(
          shape.reduce((a, b) => a * b, 1),
          seed + k + 1,
          scale,
        ),
      }));
    if (layer.type === "embedding") return arrays([[[layer.tokens, H], 0.5]]);
    if (layer.type === "dense")
      return arrays([
        [[I, H], 1 / Math.sqrt(I)],
        [[H], 0.1],
      ]);
    const bias = layer.resetAfter ? [2, G * H] : [G * H];
    return arrays([
      [[I, G * H], 1 / Math.sqrt(I)],
      [[H, G * H], 1 / Math.sqrt(H)],
      [bias, 0.1],
    ]);
  });
}

/** x [B, T, features], or tokens [B, T] as Int32Array. */
export function inputOf({ B, T, features, layers }) {
  if (features > 0) return { shape: [B, T, features], data: noise(B * T * features, 7, 1) };
  const { tokens } = layers[0];
  return { shape: [B, T], data: Int32Array.from(noise(B * T, 7, 1), (x) => Math.floor(((x + 1) / 2) * tokens)) };
}

/** Targets that suit the loss: numbers, 0 or 1, or tokens. */
export function targetOf({ B, T, loss, layers }) {
  if (loss === "meanSquaredError") return { shape: [B, 1], data: noise(B, 9, 1) };
  if (loss === "binaryCrossentropy") return { shape: [B, 1], data: noise(B, 9, 1).map((x) => Number(x > 0)) };
  return {
    shape: [B, T],
    data: Int32Array.from(noise(B * T, 9, 1), (x) => Math.floor(((x + 1) / 2) * layers.at(-1).units)),
  };
}

/** Frames on which streams are compared, in one sequence. */
export const STREAMED = 20;

/** Updates of which the losses are compared. */
export const TRAINED = 4;

/** Input of frame i of a stream. */
export function frameOf({ features, layers }, i) {
  if (features > 0) return noise(features, 1000 + i, 1);
  return Int32Array.of((i * 17 + 3) % layers[0].tokens);
}
