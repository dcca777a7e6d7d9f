/** Models of SimpleRNN, GRU, `rnn` over cells and `bidirectional`, each with another optimizer. */
import { B, T, every, inputShape, integers, last, lengths, mask, oneHot, x, type OlderModel } from "./model.ts";

const simple: OlderModel[] = [
  {
    name: "simple_rnn",
    x,
    steps: { lengths },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential([layers.simpleRNN({ units: 9, name: "elman" }), layers.dense({ units: 2 })], { seed: 1, inputShape }),
    training: ({ optimizers }) => ({
      y: last(2),
      compile: {
        loss: "mse",
        optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }),
        metrics: ["mae"],
      },
    }),
  },
  {
    name: "simple_rnn_activations",
    x,
    steps: { mask },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.simpleRNN({
            units: 5,
            activation: { name: "elu", alpha: 0.5 },
            cellClip: 0.8,
            dropout: 0.2,
            recurrentDropout: 0.3,
            returnSequences: true,
          }),
          layers.simpleRNN({ units: 4, activation: "relu", useBias: false, returnSequences: true }),
          layers.simpleRNN({ units: 3, activation: "softmax", returnSequences: true, zeroOutputForMask: true }),
        ],
        { seed: 2, inputShape },
      ),
    training: ({ losses, optimizers }) => ({
      y: every(3),
      compile: {
        loss: losses.huber({ delta: 0.5 }),
        optimizer: optimizers.sgd({
          convention: "torch",
          learningRate: 0.1,
          momentum: 0.8,
          dampening: 0.1,
          weightDecay: 0.01,
        }),
      },
    }),
  },
];

const gated: OlderModel[] = [
  {
    name: "gru",
    x,
    steps: { lengths },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.gru({ units: 9, recurrentDropout: 0.4, returnSequences: true }),
          layers.dense({ units: 3, activation: "softmax" }),
        ],
        { seed: 9, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: oneHot(integers([B, T], 3, 6), 3),
      compile: {
        loss: "categoricalCrossentropy",
        optimizer: optimizers.nadam({ learningRate: 0.01 }),
        metrics: ["accuracy"],
      },
    }),
  },
  {
    name: "gru_reset_before",
    x,
    steps: { mask },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.gru({
            units: 5,
            resetAfter: false,
            activation: { name: "scaledTanh", alpha: 1.7, beta: 0.6 },
            recurrentActivation: "hardSigmoid",
            returnSequences: true,
            zeroOutputForMask: true,
          }),
          layers.gru({ units: 4, resetAfter: false, useBias: false, dropout: 0.2, returnSequences: true }),
        ],
        { seed: 10, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: every(4),
      compile: { loss: "mse", optimizer: optimizers.adamax({ learningRate: 0.02 }) },
    }),
  },
  {
    name: "gru_checkpointed",
    x,
    steps: { lengths },
    streams: true,
    make: ({ sequential, layers }) =>
      sequential(
        [layers.gru({ units: 4, numLayers: 3, dropout: 0.2, recurrentDropout: 0.2, cellClip: 2, checkpointEvery: 2 })],
        { seed: 11, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: last(4),
      compile: { loss: "mse", optimizer: optimizers.adagrad({ learningRate: 0.05 }) },
    }),
  },
  {
    name: "gru_backwards",
    x,
    steps: { lengths },
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.gru({ units: 5, goBackwards: true, returnSequences: true }),
          layers.lstm({ units: 4, goBackwards: true, returnSequences: true }),
          layers.globalMaxPooling(),
        ],
        { seed: 12, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: last(4),
      compile: { loss: "mse", optimizer: optimizers.adadelta({ learningRate: 0.5 }) },
    }),
  },
];

const cellsOverTime: OlderModel[] = [
  {
    name: "rnn_cells",
    x,
    steps: { mask },
    streams: true,
    make: ({ sequential, layers, cells }) =>
      sequential(
        [
          layers.rnn({ cell: cells.lstm({ units: 4, peepholes: true, recurrentDropout: 0.2 }), returnSequences: true }),
          layers.rnn({
            cell: [
              cells.gru({ units: 3, resetAfter: false }),
              cells.lstm({ units: 4, projection: 2, dropout: 0.2 }),
              cells.simpleRNN({ units: 5 }),
            ],
            returnSequences: true,
          }),
        ],
        { seed: 13, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: every(5),
      compile: { loss: "mse", optimizer: optimizers.lion({ learningRate: 0.002 }) },
    }),
  },
  {
    name: "bidirectional",
    x,
    steps: { lengths },
    make: ({ sequential, layers }) =>
      sequential(
        [
          layers.bidirectional({ layer: layers.lstm({ units: 4, dropout: 0.2, returnSequences: true }) }),
          layers.bidirectional({ layer: layers.gru({ units: 3, returnSequences: true }), mergeMode: "sum" }),
          layers.bidirectional({ layer: layers.simpleRNN({ units: 4, returnSequences: true }), mergeMode: "mul" }),
          layers.bidirectional({
            layer: layers.lstm({ units: 3 }),
            backwardLayer: layers.gru({ units: 3, goBackwards: true }),
            mergeMode: "ave",
          }),
        ],
        { seed: 14, inputShape },
      ),
    training: ({ optimizers }) => ({
      y: last(3),
      compile: {
        loss: "mse",
        optimizer: optimizers.adam({
          learningRate: 0.01,
          gradientAccumulationSteps: 2,
          useEma: true,
          emaMomentum: 0.9,
        }),
      },
      fit: { epochs: 4 },
    }),
  },
  {
    name: "bidirectional_both",
    x,
    steps: { mask },
    make: ({ sequential, layers, cells }) =>
      sequential(
        [
          layers.bidirectional({
            layer: layers.rnn({ cell: cells.gru({ units: 3 }), returnSequences: true }),
            mergeMode: null,
          }),
          layers.add(),
          layers.bidirectional({ layer: layers.gru({ units: 3, numLayers: 2 }), mergeMode: null }),
          layers.concatenate(),
        ],
        { seed: 15, inputShape },
      ),
    training: ({ optimizers, schedules }) => ({
      y: last(6),
      compile: {
        loss: "mse",
        optimizer: optimizers.rmsprop({
          convention: "torch",
          learningRate: schedules.cosineDecay({ initialLearningRate: 0.02, decaySteps: 8 }),
        }),
      },
    }),
  },
];

export const RECURRENT_MODELS: readonly OlderModel[] = [...simple, ...gated, ...cellsOverTime];
