/** Models of the other layers and options of layers, quantized models, and a Module subclass. */
import type { ActivationInput, Activations, Model, Tensor } from "../../../bindings/index.ts";
import { B, I, T, floats, inputShape, integers, x, type Gatewise, type OlderModel } from "./model.ts";

const words = integers([B, T], 8, 7);
const padded = {
  data: Int32Array.of(3, 1, 7, 2, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 4, 6, 1, 1, 2, 3, 4, 5, 6, 7),
  shape: [B, T],
};

const tokens: OlderModel[] = [
  {
    name: "embedding_padded",
    x: padded,
    make: ({ sequential, layers, constraints, regularizers }) =>
      sequential(
        [
          layers.embedding({
            inputDim: 8,
            outputDim: 5,
            maskZero: true,
            embeddingsInitializer: "heNormal",
            embeddingsRegularizer: regularizers.l2({ l2: 0.01 }),
            embeddingsConstraint: constraints.maxNorm({ maxValue: 1, axis: 1 }),
          }),
          layers.gru({ units: 6, dropout: 0.2, returnSequences: true }),
          layers.timeDistributed({ layer: layers.dense({ units: 4, activation: "tanh" }) }),
          layers.globalAveragePooling(),
          layers.dense({ units: 3 }),
        ],
        { seed: 21, inputShape: [null] },
      ),
    training: ({ losses, optimizers }) => ({
      y: integers([B], 3, 8),
      compile: {
        loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.1 }),
        optimizer: optimizers.adam({ learningRate: 0.01, learningRates: { embedding: 0.1 } }),
        metrics: ["accuracy"],
      },
      fit: { sampleWeight: [1, 0.5, 2, 1] },
    }),
  },
  {
    name: "embedding_stream",
    x: words,
    steps: { lengths: Int32Array.of(6, 2, 0, 5) },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.embedding({ inputDim: 8, outputDim: 4 }),
          layers.dropout({ rate: 0.3 }),
          layers.lstm({ units: 6, returnSequences: true }),
          layers.dense({ units: 8, activation: "logSoftmax" }),
        ],
        { seed: 22, inputShape: [null] },
      ),
    training: ({ losses, optimizers }) => ({
      y: integers([B, T], 8, 9),
      compile: {
        loss: losses.negativeLogLikelihood({ ignoreIndex: 3 }),
        optimizer: optimizers.nadam({ convention: "torch", learningRate: 0.01 }),
      },
      fit: { batchSize: B }, // one batch: how an epoch averages several has changed since
    }),
  },
  {
    name: "masking",
    x: { data: x.data.map((value, i) => (i % (5 * I) < I ? -1 : value)), shape: x.shape },
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.masking({ maskValue: -1 }),
          layers.lstm({ units: 4, returnSequences: true }),
          layers.simpleRNN({ units: 5 }),
        ],
        { seed: 23, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: floats([B, 5], 2),
      compile: { loss: "mse", optimizer: optimizers.adagrad({ convention: "torch", learningRateDecay: 0.1 }) },
    }),
  },
];

const shapes: OlderModel[] = [
  {
    name: "shapes",
    x: floats([B, 4, I], 10),
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.permute({ dims: [2, 1] }),
          layers.reshape({ targetShape: [6, -1] }),
          layers.dropout({ rate: 0.2 }),
          layers.activation({ activation: { name: "leakyRelu", alpha: 0.1 } }),
          layers.flatten(),
          layers.repeatVector({ n: 3 }),
          layers.gru({ units: 4 }),
        ],
        { seed: 24, inputShape: [4, I] },
      ),
    training: ({ optimizers }) => ({
      y: floats([B, 4], 2),
      compile: { loss: "mse", optimizer: optimizers.adadelta({ convention: "torch" }) },
    }),
  },
  {
    name: "time_distributed",
    x: floats([B, 5, 4, I], 11),
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.timeDistributed({ layer: layers.bidirectional({ layer: layers.lstm({ units: 3 }) }) }),
          layers.gru({ units: 4, trainable: false }),
          layers.dense({ units: 2 }),
        ],
        { seed: 25, inputShape: [5, 4, I] },
      ),
    training: ({ optimizers }) => ({
      y: floats([B, 2], 2),
      compile: { loss: "mse", optimizer: optimizers.adamax({ convention: "torch" }) },
    }),
  },
];

/** Every activation, in chains short enough that none saturates. */
const ACTIVATIONS: readonly ActivationInput[][] = [
  ["linear", "tanh", "elu", "leakyRelu", { name: "celu", alpha: 0.7 }, "softmax"],
  ["sigmoid", "selu", "celu", { name: "affine", alpha: 2, beta: -0.5 }, "softsign", "silu"],
  ["hardSigmoid", "gelu", "mish", { name: "squareplus", alpha: 2 }, "tanhshrink", "logSoftmax"],
  ["exponential", "hardSigmoidKeras2", "geluTanh", { name: "softShrink", alpha: 0.1 }, "logSigmoid"],
  [
    "relu6",
    "softplus",
    { name: "hardShrink", alpha: 0.05 },
    "hardSilu",
    { name: "thresholdedRelu", alpha: -1 },
    "relu",
  ],
];

const INITIALIZERS = [
  "ones",
  "randomUniform",
  "randomNormal",
  "truncatedNormal",
  "glorotUniform",
  "glorotNormal",
  "heUniform",
  "heNormal",
  "lecunUniform",
  "lecunNormal",
  "orthogonal",
  "identity",
];

const dense: OlderModel[] = [
  ...ACTIVATIONS.map((chain, i): OlderModel => ({
    name: `activations_${i}`,
    x: floats([B, 4], 12, 2),
    make: ({ sequential, layers, initializers }) =>
      sequential(
        chain.map((activation) =>
          layers.dense({
            units: 4,
            activation,
            kernelInitializer: initializers.orthogonal({ gain: 2 }),
            biasInitializer: "randomUniform",
          }),
        ),
        { seed: 26 + i, inputShape: [4] },
      ),
    training: ({ optimizers }) => ({
      y: floats([B, 4], 2),
      compile: { loss: "mse", optimizer: optimizers.sgd({ learningRate: 0.1 }) },
    }),
  })),
  {
    name: "initializers",
    x: floats([B, 5], 13),
    make: ({ sequential, layers, initializers }) =>
      sequential(
        [
          ...INITIALIZERS.map((kernelInitializer) =>
            layers.dense({ units: 5, kernelInitializer, biasInitializer: initializers.constant({ value: 0.1 }) }),
          ),
          layers.dense({ units: 2, kernelInitializer: initializers.orthogonal({ gain: 2, seed: 5 }), useBias: false }),
        ],
        { seed: 31, inputShape: [5] },
      ),
  },
  {
    name: "penalties",
    x,
    streams: true,
    make: ({ sequential, layers, constraints, regularizers }) =>
      sequential(
        [
          layers.lstm({
            units: 4,
            returnSequences: true,
            kernelRegularizer: regularizers.l1({ l1: 0.01 }),
            recurrentRegularizer: "l1l2",
            biasRegularizer: regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
            activityRegularizer: "l2",
            kernelConstraint: constraints.unitNorm(),
            recurrentConstraint: constraints.maxNorm({ maxValue: 0.9 }),
            biasConstraint: "nonNeg",
          }),
          layers.dense({
            units: 3,
            kernelRegularizer: "l1",
            activityRegularizer: regularizers.l1(),
            kernelConstraint: constraints.maxNorm({ maxValue: 0.5, axis: 1 }),
            biasConstraint: "nonNeg",
          }),
        ],
        { seed: 32, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: floats([B, T, 3], 2),
      compile: { loss: "mse", optimizer: optimizers.lion({ learningRate: 0.01, weightDecay: 0.1 }) },
    }),
  },
];

const quantizable = ({ sequential, layers }: Gatewise): Model =>
  sequential(
    [
      layers.embedding({ inputDim: 8, outputDim: 36 }),
      layers.gru({ units: 34, returnSequences: true }),
      layers.lstm({ units: 20, returnSequences: true }),
      layers.dense({ units: 5 }),
    ],
    { seed: 33, inputShape: [null] },
  );

const quantized = (["mixed", 7, 14] satisfies Activations[]).map((activations): OlderModel => ({
  name: `quantized_${activations}`,
  x: words,
  steps: { lengths: Int32Array.of(6, 2, 0, 5) },
  streams: true,
  make(gatewise) {
    const model = quantizable(gatewise);
    try {
      return model.quantize({ bits: 8, activations });
    } finally {
      model.dispose();
    }
  },
}));

const subclass: OlderModel = {
  name: "subclass",
  x,
  subclass: true,
  make({ Module, layers, ops }) {
    class Elman extends Module {
      cell = layers.dense({ units: 4, activation: "tanh" });
      out = layers.dense({ units: 1 });

      override call(steps: Tensor): Tensor {
        const [batch, time] = steps.shape;
        let h = ops.zeros([batch, 4]);
        for (let t = 0; t < time; t++) h = this.cell.call(ops.concat([ops.gather(steps, t, 1), h])) as Tensor;
        return this.out.call(h) as Tensor;
      }
    }
    const model = new Elman({ seed: 34 });
    model.predict(x); // creates the weights
    return model;
  },
  training: ({ optimizers }) => ({ y: floats([B, 1], 2), compile: { loss: "mse", optimizer: optimizers.adam() } }),
};

export const OTHER_MODELS: readonly OlderModel[] = [...tokens, ...shapes, ...dense, ...quantized, subclass];
