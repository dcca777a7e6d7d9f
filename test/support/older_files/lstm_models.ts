/** Models of LSTM, each with another optimizer. */
import { B, bits, every, floats, inputShape, last, lengths, mask, x, type OlderModel } from "./model.ts";

export const LSTM_MODELS: readonly OlderModel[] = [
  {
    name: "lstm",
    x,
    steps: { lengths },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.lstm({ units: 7, dropout: 0.25, recurrentDropout: 0.25, returnSequences: true }),
          layers.lstm({ units: 4 }),
          layers.dense({ units: 1, activation: "sigmoid" }),
        ],
        { seed: 3, inputShape },
      ),
    training: ({ losses, optimizers }) => ({
      y: bits([B, 1], 4),
      compile: {
        loss: losses.binaryCrossentropy(),
        optimizer: optimizers.adam({ learningRate: 0.01, globalClipNorm: 1 }),
        metrics: ["accuracy"],
      },
      fit: { classWeight: { 0: 1, 1: 2.5 } },
    }),
  },
  {
    name: "lstm_peepholes",
    x,
    steps: { mask },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.lstm({ units: 5, peepholes: true, coupledInputForget: true, cellClip: 0.6, returnSequences: true }),
          layers.lstm({
            units: 4,
            peepholes: true,
            activation: "elu",
            recurrentActivation: { name: "hardSigmoid", alpha: 0.3, beta: 0.4 },
            unitForgetBias: false,
            returnSequences: true,
          }),
        ],
        { seed: 4, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: every(4),
      compile: {
        loss: "logcosh",
        optimizer: optimizers.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true }),
      },
      fit: { truncate: 4 },
    }),
  },
  {
    name: "lstm_projection",
    x,
    steps: { lengths },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential([layers.lstm({ units: 6, projection: 3, numLayers: 2, dropout: 0.3, returnSequences: true })], {
        seed: 5,
        inputShape,
      }),
    training: ({ optimizers }) => ({
      y: every(3),
      compile: {
        loss: "mae",
        optimizer: optimizers.adamw({ learningRate: 0.02, excludeFromWeightDecay: ["bias"], clipNorm: 0.5 }),
      },
    }),
  },
  {
    name: "lstm_wide",
    x: floats([B, 40, 20], 5),
    steps: { lengths: Int32Array.of(40, 17, 1, 33) },
    streams: true,
    make: ({ sequential, layers }) => sequential([layers.lstm({ units: 21 })], { seed: 6, inputShape: [null, 20] }),
    training: ({ optimizers }) => ({
      y: last(21),
      compile: { loss: "mse", optimizer: optimizers.sgd({ learningRate: 0.1, clipValue: 0.01 }) },
    }),
  },
  {
    name: "lstm_stateful",
    x,
    stateful: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.lstm({ units: 4, stateful: true, returnSequences: true, kernelRegularizer: "l2" }),
          layers.gru({ units: 3, stateful: true, returnSequences: true }),
        ],
        { seed: 7, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: every(3),
      compile: {
        loss: "mse",
        optimizer: optimizers.adam({ convention: "torch", learningRate: 0.01, amsgrad: true, weightDecay: 0.1 }),
      },
      fit: { batchSize: B, shuffle: false },
    }),
  },
  {
    name: "lstm_states",
    x,
    steps: { lengths },
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.lstm({
            units: 4,
            useBias: false,
            recurrentActivation: "softplus",
            returnSequences: true,
            returnState: true,
          }),
        ],
        { seed: 8, inputShape },
      ),
  },
];
