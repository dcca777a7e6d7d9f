/** Bad input: each with its class, its code and its sentence, and a model that is afterwards as it was before. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as gatewise from "../../bindings/index.ts";
import {
  GatewiseError,
  Module,
  cells,
  jit,
  layers,
  loadModel,
  losses,
  metrics,
  ops,
  optimizers,
  sequential,
  valueAndGrad,
  type Tensor,
} from "../../bindings/index.ts";
import { decodeSafetensors, encodeSafetensors, type TensorData } from "../../bindings/saving/safetensors.ts";
import { floats, rows, sameWeights } from "../support/models.ts";

const test = suite("bad input");

const x = floats([4, 3, 2]);
const y = floats([4, 1], 1);
const ids = [
  [1, 2, 3],
  [0, 4, 1],
];

const regression = () => {
  const model = sequential([layers.gru({ units: 3 }), layers.dense({ units: 1 })], { seed: 1, inputShape: [null, 2] });
  model.compile({ loss: "mse", metrics: ["mae"] });
  return model;
};
const language = () => {
  const model = sequential(
    [
      layers.embedding({ inputDim: 5, outputDim: 3 }),
      layers.lstm({ units: 3, returnSequences: true }),
      layers.dense({ units: 5 }),
    ],
    { seed: 1, inputShape: [null] },
  );
  model.compile({ loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
  return model;
};
type Model = ReturnType<typeof regression>;

const half = (array: gatewise.NDArray, n: number): gatewise.NDArray => rows(array, 2 * n, 2 * n + 2);

/** What the types would refuse. */
const any = (value: unknown): never => value as never;

/** Calls the recurrent layer from states of these shapes. */
const fromStates = (model: Model, shapes: number[][]): unknown =>
  jit(model, (input: Tensor, states: Tensor[]) =>
    (model.layers[0] as gatewise.Layer).call(input, { initialState: states }),
  )(
    x,
    shapes.map((shape) => floats(shape)),
  );

/** Trains a dense layer with these options once, by this loss. */
function fitOnce(options: object, loss: gatewise.Loss | string = "mse"): unknown {
  const model = sequential([layers.dense({ units: 1, ...options })], { seed: 1, inputShape: [2] });
  model.compile({ loss });
  try {
    return model.trainOnBatch([[1, 2]], [3]);
  } finally {
    model.dispose();
  }
}

/** A saved file with its configuration changed. */
function edited(model: Model, change: (file: Record<string, unknown>) => void): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(model.save());
  const file = JSON.parse(metadata.gatewise) as Record<string, unknown>;
  change(file);
  return encodeSafetensors(tensors as Record<string, TensorData>, { gatewise: JSON.stringify(file) });
}

type Case = [what: string, run: (model: Model) => unknown, error: string, code: string, sentence: RegExp | string];

const onNumbers: Case[] = [
  [
    "rank too low",
    (m) => m.predict([[1, 2]]),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected input [batch, time, 2], got [1, 2]; ' +
      "a recurrent layer before it gives sequences with returnSequences: true",
  ],
  [
    "rank too high",
    (m) => m.predict(floats([1, 2, 3, 2])),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected input [batch, time, 2], got [1, 2, 3, 2]; ' +
      "an inputShape is that of one sample, without the batch: [time, features]",
  ],
  [
    "a scalar",
    (m) => m.predict(3),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected [batch, ..] with at least one row, got []",
  ],
  [
    "wrong feature size",
    (m) => m.predict(floats([2, 3, 5])),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected input [batch, time, 2], got [2, 3, 5]',
  ],
  [
    "wrong feature size in training",
    (m) => m.fit(floats([4, 3, 5]), y),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected input [batch, time, 2], got [4, 3, 5]',
  ],
  [
    "ragged rows",
    (m) =>
      m.predict([
        [
          [1, 2],
          [3, 4],
        ],
        [[1, 2]],
      ]),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected nested arrays of shape [2, 2, 2], as the first of each has it, got 1 in row 1; " +
      "padSequences of gatewise/data makes sequences equally long, and gives the lengths to pass along",
  ],
  [
    "ragged features",
    (m) => m.predict([[[1, 2], [3]]]),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected nested arrays of shape [1, 2, 2], as the first of each has it, got 1 in [0, 1]",
  ],
  [
    "a deeper level",
    (m) => m.predict(any([[[1, [2]]]])),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected nested arrays of shape [1, 1, 2], got a deeper level",
  ],
  [
    "no rows",
    (m) => m.predict(floats([0, 3, 2])),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected [batch, ..] with at least one row, got [0, 3, 2]",
  ],
  [
    "no array",
    (m) => m.predict(any(undefined)),
    "ValueError",
    "ERR_VALUE",
    "predict: x: expected an array or a list of arrays, got undefined",
  ],
  [
    "data that do not fill their shape",
    (m) => m.predict({ data: new Float32Array(5), shape: [1, 3, 2] }),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected 6 elements for shape [1, 3, 2], got 5",
  ],
  [
    "a shape that is none",
    (m) => m.predict({ data: new Float32Array(6), shape: any(null) }),
    "ShapeError",
    "ERR_SHAPE",
    "predict: x: expected a shape of whole numbers, got null",
  ],
  [
    "64-bit integers",
    (m) => m.predict({ data: any(new BigInt64Array(6)), shape: [1, 3, 2] }),
    "ValueError",
    "ERR_VALUE",
    "predict: x: expected a typed array or numbers as data, got object",
  ],
  [
    "NaN in x",
    (m) =>
      m.predict([
        [
          [1, 2],
          [NaN, 4],
        ],
      ]),
    "ValueError",
    "ERR_VALUE",
    "predict: x: expected finite numbers, got NaN at [0, 1, 0]",
  ],
  [
    "infinity in x, by rounding to f32",
    (m) =>
      m.predict([
        [
          [1, 2],
          [1e39, 4],
        ],
      ]),
    "ValueError",
    "ERR_VALUE",
    "predict: x: expected finite numbers, got Infinity at [0, 1, 0]",
  ],
  [
    "NaN in y",
    (m) => m.fit(x, [1, 2, NaN, 4]),
    "ValueError",
    "ERR_VALUE",
    "fit: y: expected finite numbers, got NaN at [2]",
  ],
  [
    "NaN in sample weights",
    (m) => m.trainOnBatch(x, y, { sampleWeight: [1, NaN, 1, 1] }),
    "ValueError",
    "ERR_VALUE",
    "trainOnBatch: sampleWeight: expected finite numbers, got NaN at [1]",
  ],
  [
    "NaN in a frame",
    (m) => m.stream().step([1, NaN]),
    "ValueError",
    "ERR_VALUE",
    "step: frame: expected finite numbers, got NaN at 1",
  ],
  [
    "rows of y",
    (m) => m.fit(x, [1, 2, 3]),
    "ShapeError",
    "ERR_SHAPE",
    "fit: expected y with 4 rows as x [4, 3, 2], got [3]",
  ],
  [
    "rows of validation data",
    (m) => m.fit(x, y, { validationData: [x, [1, 2]] }),
    "ShapeError",
    "ERR_SHAPE",
    "fit: validationData: expected y with 4 rows as x [4, 3, 2], got [2]",
  ],
  [
    "shape of y",
    (m) => m.fit(x, floats([4, 2])),
    "ShapeError",
    "ERR_SHAPE",
    "meanSquaredError: expected targets [4, 1] as the predictions, got [4, 2]",
  ],
  [
    "rows of sample weights",
    (m) => m.evaluate(x, y, { sampleWeight: [1, 2] }),
    "ShapeError",
    "ERR_SHAPE",
    "evaluate: expected sampleWeight with 4 rows, got [2]",
  ],
  [
    "weights of samples and of classes",
    (m) => m.fit(x, y, { sampleWeight: [1, 1, 1, 1], classWeight: { 0: 1 } }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected sampleWeight or classWeight, got both",
  ],
  [
    "lengths and a mask",
    (m) => m.fit(x, y, { lengths: [1, 2, 3, 1], mask: floats([4, 3]) }),
    "ValueError",
    "ERR_VALUE",
    "fit: expected lengths or a mask, got both",
  ],
  [
    "lengths and a mask in predict",
    (m) => m.predict(x, { lengths: [1, 2, 3, 1], mask: floats([4, 3]) }),
    "ValueError",
    "ERR_VALUE",
    "predict: expected lengths or a mask, got both",
  ],
  [
    "too many initial states",
    (m) =>
      fromStates(m, [
        [4, 3],
        [4, 3],
      ]),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected 1 initial states [4, 3], got [4, 3], [4, 3]',
  ],
  [
    "an initial state of a wrong shape",
    (m) => fromStates(m, [[4, 2]]),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected 1 initial states [4, 3], got [4, 2]',
  ],
  [
    "no initial states",
    (m) => fromStates(m, []),
    "ShapeError",
    "ERR_SHAPE",
    'gru "gru": expected 1 initial states [4, 3], got none',
  ],
  [
    "states of a stream of a wrong shape",
    (m) => m.stream().setState({ "gru/h": floats([2, 3]) }),
    "ShapeError",
    "ERR_SHAPE",
    'stream: expected state "gru/h" [1, 3], got [2, 3]',
  ],
  [
    "states that are NaN",
    (m) => m.stream().setState({ "gru/h": [[0, NaN, 0]] }),
    "ValueError",
    "ERR_VALUE",
    'stream: state "gru/h": expected finite numbers, got NaN at [0, 1]',
  ],
  [
    "a window of no steps",
    (m) => m.fit(x, y, { truncate: 0 }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected truncate to be a positive integer, got 0",
  ],
  [
    "a learning rate of nothing",
    (m) => m.compile({ loss: "mse", optimizer: optimizers.sgd({ learningRate: NaN }) }),
    "OptionError",
    "ERR_OPTION",
    "optimizers.sgd: expected learningRate ≥ 0, got NaN",
  ],
  [
    "length out of range",
    (m) => m.predict(x, { lengths: [1, 4, 2, 3] }),
    "ValueError",
    "ERR_VALUE",
    "predict: expected lengths of 0…3, got 4 for row 1",
  ],
  [
    "weights of a wrong shape",
    (m) => m.setWeights({ "dense/kernel": [[1, 2, 3]] }),
    "ShapeError",
    "ERR_SHAPE",
    'setWeights: expected "dense/kernel" [3, 1], got [1, 3]',
  ],
  [
    "weights of a wrong name",
    (m) => m.setWeights({ "dense/kernle": [[1], [2], [3]] }),
    "OptionError",
    "ERR_OPTION",
    "setWeights: expected one of gru/kernel, gru/recurrent_kernel, gru/bias, dense/kernel, dense/bias, " +
      'got "dense/kernle", did you mean "dense/kernel"?',
  ],
  [
    "gradients of a wrong name",
    (m) => optimizers.adam().apply(m, any({ "gru/biass": [] })),
    "OptionError",
    "ERR_OPTION",
    /^apply: expected one of gru\/kernel, .*, got "gru\/biass", did you mean "gru\/bias"\?$/,
  ],
  [
    "states of a wrong name",
    (m) => m.stream().setState(any({ "gru/c": [] })),
    "StateError",
    "ERR_STATE",
    'stream: expected states named gru/h, got "gru/c"',
  ],
  [
    "an option of predict",
    (m) => m.predict(x, any({ batch_size: 2 })),
    "OptionError",
    "ERR_OPTION",
    'predict: expected one of the options batchSize, lengths, mask, got "batch_size", did you mean "batchSize"?',
  ],
  [
    "an option of fit",
    (m) => m.fit(x, y, any({ epoch: 2 })),
    "OptionError",
    "ERR_OPTION",
    /^fit: expected a known option, got "epoch", did you mean "epochs"\? There are epochs, .*$/,
  ],
  [
    "an option of train",
    async (m) => m.train(x, y, any({ epocs: 2 })).next(),
    "OptionError",
    "ERR_OPTION",
    /^fit: .*, got "epocs", did you mean "epochs"\? There are /,
  ],
  [
    "an option of trainOnBatch",
    (m) => m.trainOnBatch(x, y, any({ length: [1] })),
    "OptionError",
    "ERR_OPTION",
    /^trainOnBatch: .*, got "length", did you mean "lengths"\?$/,
  ],
  [
    "an option of validation data",
    (m) => m.fit(x, y, { validationData: [x, y, any({ masks: 1 })] }),
    "OptionError",
    "ERR_OPTION",
    /^fit: validationData: .*, got "masks", did you mean "mask"\?$/,
  ],
  [
    "an option of evaluate",
    (m) => m.evaluate(x, y, any({ batchsize: 1 })),
    "OptionError",
    "ERR_OPTION",
    /^evaluate: .*, got "batchsize", did you mean "batchSize"\?$/,
  ],
  [
    "an option of compile",
    (m) => m.compile(any({ loss: "mse", optimiser: "adam" })),
    "OptionError",
    "ERR_OPTION",
    "compile: expected one of the options optimizer, loss, lossWeights, metrics, weightedMetrics, lossMean, " +
      'got "optimiser", did you mean "optimizer"?',
  ],
  [
    "an option of save",
    (m) => m.save(any({ optimiser: true })),
    "OptionError",
    "ERR_OPTION",
    /^save: .*, did you mean "optimizer"\?$/,
  ],
  [
    "an option of inspect",
    (m) => m.inspect(x, any({ gradient: true })),
    "OptionError",
    "ERR_OPTION",
    /^inspect: .*, did you mean "gradients"\?$/,
  ],
  [
    "an option of stream",
    (m) => m.stream(any({ blocks: 1 })),
    "OptionError",
    "ERR_OPTION",
    /^stream: .*, did you mean "block"\?$/,
  ],
  [
    "a batch size of 0",
    (m) => m.predict(x, { batchSize: 0 }),
    "OptionError",
    "ERR_OPTION",
    "predict: expected batchSize to be a positive integer, got 0",
  ],
  [
    "no epochs",
    (m) => m.fit(x, y, { epochs: -1 }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected epochs to be a positive integer, got -1",
  ],
  [
    "an epoch before the first",
    (m) => m.fit(x, y, { initialEpoch: -1 }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected initialEpoch to be a whole number ≥ 0, got -1",
  ],
  [
    "a split that leaves nothing",
    (m) => m.fit(x, y, { validationSplit: 1 }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected validationSplit to leave rows on both sides of 4, got 1",
  ],
  [
    "options of fit that are a number",
    (m) => m.fit(x, y, any(10)),
    "OptionError",
    "ERR_OPTION",
    "fit: expected an object of options, got 10",
  ],
  [
    "a callback that is none",
    (m) => m.fit(x, y, { callbacks: any([null]) }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected callbacks, such as callbacks.earlyStopping(), got null",
  ],
  [
    "shuffle that is text",
    (m) => m.fit(x, y, { shuffle: any("no") }),
    "OptionError",
    "ERR_OPTION",
    'fit: expected shuffle to be true or false, got "no"',
  ],
  [
    "class weights in a list",
    (m) => m.fit(x, y, { classWeight: any([1, 2]) }),
    "OptionError",
    "ERR_OPTION",
    "fit: classWeight: expected an object of options, got a list",
  ],
  [
    "class weights by name",
    (m) => m.fit(x, y, { classWeight: any({ cat: 1 }) }),
    "OptionError",
    "ERR_OPTION",
    'fit: expected classWeight by class numbers, got "cat"',
  ],
  [
    "a list that holds itself",
    (m) => {
      const list: unknown[] = [];
      list.push(list);
      return m.predict(any(list));
    },
    "ShapeError",
    "ERR_SHAPE",
    /^predict: x: expected nested arrays of shape \[1, 1, .*\], got a deeper level$/,
  ],
  [
    "an array that a worker has now",
    (m) => {
      const given = new Int32Array(4);
      structuredClone(given.buffer, { transfer: [given.buffer] });
      return m.predict(x, { lengths: given });
    },
    "ValueError",
    "ERR_VALUE",
    "predict: lengths: expected numbers, got an array whose buffer was transferred",
  ],
  [
    "room for a step in a list",
    (m) => m.stream().step([1, 2], any([0])),
    "ValueError",
    "ERR_VALUE",
    "step: expected a Float32Array in out for each output, got a list",
  ],
  [
    "an initial state that is no tensor",
    (m) => jit(m, (t: Tensor) => (m.layers[0] as gatewise.Layer).call(t, { initialState: any([1]) }))(x),
    "TraceError",
    "ERR_TRACE",
    /^gru "gru": expected a traced tensor, got 1; wrap/,
  ],
  [
    "a regularizer that gives no scalar",
    () => fitOnce({ kernelRegularizer: any(() => 1) }),
    "OptionError",
    "ERR_OPTION",
    'dense "dense": expected a regularizer that gives a scalar, got 1',
  ],
  [
    "a loss that gives no tensor",
    () =>
      fitOnce(
        {},
        any(() => 1),
      ),
    "OptionError",
    "ERR_OPTION",
    "compile: expected a loss that gives a tensor, got 1",
  ],
  [
    "a constraint that gives no weight",
    () => fitOnce({ kernelConstraint: any(() => 1) }),
    "OptionError",
    "ERR_OPTION",
    'dense "dense": expected a constraint that gives [2, 1], got 1',
  ],
  [
    "more than there is room for",
    (m) => m.memory([2 ** 31, 3, 2]),
    "ShapeError",
    "ERR_SHAPE",
    "memory: expected at most 1073741824 numbers, got [2147483648, 3, 2]",
  ],
  [
    "callbacks that are no list",
    (m) => m.fit(x, y, { callbacks: any({}) }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected a list of callbacks, got object",
  ],
  [
    "a signal that is none",
    (m) => m.fit(x, y, { signal: any({}) }),
    "OptionError",
    "ERR_OPTION",
    "fit: expected signal to be an AbortSignal, got object",
  ],
  [
    "compile without a loss",
    (m) => m.compile(any({ optimizer: "adam" })),
    "OptionError",
    "ERR_OPTION",
    'compile: expected a loss, such as "mse" or losses.meanSquaredError(), got none',
  ],
  [
    "compile with an unknown loss",
    (m) => m.compile({ loss: "mean_square_error" }),
    "OptionError",
    "ERR_OPTION",
    'compile: expected a known loss, got "mean_square_error", did you mean "meanSquaredError"?',
  ],
  [
    "compile with an unknown metric",
    (m) => m.compile({ loss: "mse", metrics: ["acuracy"] }),
    "OptionError",
    "ERR_OPTION",
    'compile: expected a known metric, got "acuracy", did you mean "accuracy"?',
  ],
  [
    "compile with an unknown optimizer",
    (m) => m.compile({ loss: "mse", optimizer: "adma" }),
    "OptionError",
    "ERR_OPTION",
    'optimizer: expected a known optimizer, got "adma", did you mean "adam"?',
  ],
  [
    "a traced tensor that is read",
    (m) => jit(m, (t: Tensor) => ops.add(t, (t as unknown as { data: number[] }).data[0]))(x),
    "TraceError",
    "ERR_TRACE",
    /^tensor: expected an op, got an attempt to read the data of a traced tensor, which has a shape but no values yet; use ops\.gather or ops\.slice for a part, ops\.where/,
  ],
  [
    "an element of a traced tensor",
    (m) => jit(m, (t: Tensor) => ops.add(t, any((t as unknown as number[])[0])))(x),
    "TraceError",
    "ERR_TRACE",
    /^tensor: expected an op, got an attempt to take element 0 of a traced tensor/,
  ],
  [
    "a traced tensor in a condition",
    (m) => jit(m, (t: Tensor) => (any(t) > 0 ? t : ops.neg(t)))(x),
    "TraceError",
    "ERR_TRACE",
    /^tensor: expected an op, got an attempt to take the value of a traced tensor/,
  ],
  [
    "a traced tensor that is iterated",
    (m) => jit(m, (t: Tensor) => [...(any(t) as Tensor[])])(x),
    "TraceError",
    "ERR_TRACE",
    /^tensor: expected an op, got an attempt to iterate over a traced tensor/,
  ],
  [
    "a function that is async",
    (m) => jit(m, async (t: Tensor) => m.call(t))(x),
    "TraceError",
    "ERR_TRACE",
    /^jit: expected a function that returns tensors, got one that returns a promise/,
  ],
  [
    "a value that is no scalar",
    (m) => valueAndGrad(m, (t: Tensor) => m.call(t))(x),
    "TraceError",
    "ERR_TRACE",
    "valueAndGrad: expected the function to return a scalar to differentiate, got shape [4, 1]",
  ],
  [
    "a module that is not part of it",
    (m) => jit(m, (t: Tensor) => layers.dense({ units: 1, name: "other" }).call(t))(x),
    "StateError",
    "ERR_STATE",
    /^jit: expected every module that the function calls to be part of the module it was made with, got a weight of shape \[2, 1\] of another/,
  ],
  [
    "more memory than there is",
    (m) =>
      jit(m, (t: Tensor) =>
        ops.mean(
          ops.matmul(
            ops.reshape(
              ops.concat(
                Array.from({ length: 4096 }, () => t),
                0,
              ),
              [98304, 1],
            ),
            ops.reshape(
              ops.concat(
                Array.from({ length: 4096 }, () => t),
                0,
              ),
              [1, 98304],
            ),
          ),
        ),
      )(x),
    "MemoryError",
    "ERR_MEMORY",
    /^memory: expected room for \d+ more bytes, got a refusal at \d+ bytes; use a smaller batch, shorter sequences or fewer units, or dispose of models that are no longer used$/,
  ],
  [
    "a newer file",
    (m) => m.load(edited(m, (file) => (file.version = 3))),
    "FormatError",
    "ERR_FORMAT",
    "load: expected a file of version 2 or older, got version 3; a newer gatewise reads it",
  ],
  [
    "a file without a version",
    (m) => m.load(edited(m, (file) => delete file.version)),
    "FormatError",
    "ERR_FORMAT",
    "load: expected a version in the file's metadata, got none",
  ],
  [
    "a file of another program",
    (m) => m.load(encodeSafetensors({ a: { data: new Float32Array(1), shape: [1] } })),
    "FormatError",
    "ERR_FORMAT",
    "load: expected a file saved by gatewise, got safetensors without its metadata",
  ],
  [
    "a file with a layer of a newer version",
    (m) => loadModel(edited(m, (file) => ((file.model as { layers: { layer: string }[] }).layers[0].layer = "mamba"))),
    "FormatError",
    "ERR_FORMAT",
    'loadModel: expected a layer this version knows, got "mamba"',
  ],
  [
    "a file with an option of a newer version",
    (m) =>
      loadModel(
        edited(
          m,
          (file) => ((file.model as { layers: { config: Record<string, unknown> }[] }).layers[1].config.units = -1),
        ),
      ),
    "FormatError",
    "ERR_FORMAT",
    'loadModel: dense "dense": expected units to be a positive integer, got -1',
  ],
  [
    "an empty file",
    (m) => m.load(new Uint8Array(0)),
    "FormatError",
    "ERR_FORMAT",
    "safetensors: expected at least 8 bytes, got 0",
  ],
];

const onTokens: Case[] = [
  [
    "token too large",
    (m) => m.predict([[1, 5]]),
    "ValueError",
    "ERR_VALUE",
    'predict: x: expected tokens for embedding "embedding" of 0…4, got 5 at [0, 1]',
  ],
  [
    "token below 0",
    (m) =>
      m.predict([
        [1, 2],
        [-1, 0],
      ]),
    "ValueError",
    "ERR_VALUE",
    'predict: x: expected tokens for embedding "embedding" of 0…4, got -1 at [1, 0]',
  ],
  [
    "token that is no whole number",
    (m) => m.predict([[1, 0.5]]),
    "ValueError",
    "ERR_VALUE",
    'predict: x: expected tokens for embedding "embedding" of 0…4, got 0.5 at [0, 1]',
  ],
  [
    "token in a later batch",
    (m) => m.predict([[1], [2], [7]], { batchSize: 1 }),
    "ValueError",
    "ERR_VALUE",
    'predict: x: expected tokens for embedding "embedding" of 0…4, got 7 at [2, 0]',
  ],
  [
    "token in training",
    (m) =>
      m.fit(
        [
          [1, 2],
          [3, 9],
        ],
        [
          [1, 2],
          [3, 4],
        ],
      ),
    "ValueError",
    "ERR_VALUE",
    'fit: x: expected tokens for embedding "embedding" of 0…4, got 9 at [1, 1]',
  ],
  [
    "token in a stream",
    (m) => m.stream().step([5]),
    "ValueError",
    "ERR_VALUE",
    'step: frame: expected tokens for embedding "embedding" of 0…4, got 5 at [0, 0]',
  ],
  [
    "label out of range",
    (m) =>
      m.trainOnBatch(ids, [
        [1, 2, 3],
        [0, 5, 1],
      ]),
    "ValueError",
    "ERR_VALUE",
    "trainOnBatch: y: expected labels of 0…4, got 5 at [1, 1]",
  ],
  [
    "labels of another shape",
    (m) => m.trainOnBatch(ids, [1, 2]),
    "ShapeError",
    "ERR_SHAPE",
    "sparseCategoricalCrossentropy: expected labels [2, 3] for predictions [2, 3, 5], got [2]",
  ],
];

function held(run: () => unknown): Promise<unknown> {
  return (async () => run())().then(
    (value) => assert.unreachable(`expected an error, got ${String(value)}`),
    (error: unknown) => error,
  );
}

/** Holds an error to its row of the table. */
function judge(error: unknown, name: string, code: string, sentence: RegExp | string): void {
  assert.ok(error instanceof GatewiseError, String((error as Error)?.stack ?? error));
  assert.ok(
    error instanceof (gatewise as unknown as Record<string, new () => Error>)[name],
    `${error.name}: ${error.message}`,
  );
  assert.is(error.code, code);
  assert.is(error.name, name);
  if (typeof sentence === "string") assert.is(error.message, sentence);
  else assert.match(error.message, sentence);
  // of a state: what it is, and the next step
  const form =
    name === "StateError" ? /^[^:]+: (.*expected .*, got |this model is .*; )/ : /^[^:]+: .*expected .*, got /;
  assert.match(error.message, form, "subject: expected …, got …");
}

for (const [make, cases, input, target] of [
  [regression, onNumbers, x, y],
  [language, onTokens, ids, ids],
] as const) {
  for (const [what, run, name, code, sentence] of cases) {
    test(what, async () => {
      const [model, twin] = [make(), make()];
      const before = model.getWeights();
      judge(await held(() => run(model)), name, code, sentence);
      sameWeights(model.getWeights(), before);
      assert.equal(model.predict(input), twin.predict(input), "the next call works");
      assert.equal(model.trainOnBatch(input, target), twin.trainOnBatch(input, target), "so does training");
      model.dispose();
      twin.dispose();
    });
  }
}

const withoutModel: [string, () => unknown, RegExp][] = [
  ["negative units", () => layers.gru({ units: -1 }), /^gru: expected units to be a positive integer, got -1$/],
  ["units that are none", () => layers.dense({ units: 0 }), /^dense: expected units to be a positive integer, got 0$/],
  [
    "half a unit",
    () => layers.lstm({ units: 2.5, name: "mine" }),
    /^lstm "mine": expected units to be a positive integer, got 2.5$/,
  ],
  ["no units", () => layers.simpleRNN(any({})), /^simpleRNN: expected units, got none$/],
  [
    "an embedding of nothing",
    () => layers.embedding({ inputDim: 0, outputDim: 3 }),
    /^embedding: expected inputDim to be a positive integer, got 0$/,
  ],
  ["a rate of 1", () => layers.dropout({ rate: 1 }), /^dropout: expected rate of 0 ≤ rate < 1, got 1$/],
  ["a rate below 0", () => layers.dropout({ rate: -0.1 }), /^dropout: expected rate of 0 ≤ rate < 1, got -0.1$/],
  [
    "a rate of a cell",
    () => layers.gru({ units: 1, dropout: 1.5 }),
    /^gru: expected dropout of 0 ≤ rate < 1, got 1.5$/,
  ],
  [
    "a rate that is NaN",
    () => cells.lstm({ units: 1, recurrentDropout: NaN }),
    /^cells\.lstm: expected recurrentDropout of 0 ≤ rate < 1, got NaN$/,
  ],
  [
    "a rate in quotes",
    () => layers.dropout({ rate: any("0.5") }),
    /^dropout: expected rate of 0 ≤ rate < 1, got "0.5"$/,
  ],
  [
    "an option of a layer",
    () => layers.gru(any({ units: 1, return_sequence: true })),
    /^gru: expected a known option, got "return_sequence", did you mean "returnSequences"\? There are units, /,
  ],
  [
    "an option of a cell",
    () => cells.gru(any({ units: 1, resetafter: true })),
    /^cells\.gru: expected a known option, got "resetafter", did you mean "resetAfter"\? There are /,
  ],
  [
    "an activation",
    () => layers.dense({ units: 1, activation: "tahn" }),
    /^dense: expected a known activation, got "tahn", did you mean "tanh"\?$/,
  ],
  [
    "a parameter that an activation has not",
    () => layers.dense({ units: 1, activation: { name: "leaky_relu", beta: 1 } }),
    /^dense: activation "leakyRelu": expected one of the options name, alpha, got "beta"/,
  ],
  [
    "a parameter of an activation without any",
    () => layers.gru({ units: 1, activation: { name: "tanh", alpha: 1 } }),
    /^gru: activation "tanh": expected one of the options name, got "alpha"$/,
  ],
  [
    "a parameter that is no number",
    () => layers.lstm({ units: 1, recurrentActivation: { name: "hardSigmoid", alpha: any("0.2") } }),
    /^lstm: hardSigmoid: expected alpha to be a finite number, got "0\.2"$/,
  ],
  [
    "a parameter that would divide by 0",
    () => layers.activation({ activation: { name: "celu", alpha: 0 } }),
    /^activation: celu: expected alpha to be other than 0, got 0$/,
  ],
  [
    "a parameter below 0",
    () => layers.activation({ activation: { name: "soft_shrink", alpha: -1 } }),
    /^activation: softShrink: expected alpha ≥ 0, got -1$/,
  ],
  [
    "an activation with a wrong name",
    () => layers.dense({ units: 1, activation: { name: "thresholdedReluu", alpha: 1 } }),
    /^dense: expected a known activation, got "thresholdedReluu", did you mean "thresholdedRelu"\?$/,
  ],
  [
    "an activation without a name",
    () => layers.dense({ units: 1, activation: any({ alpha: 1 }) }),
    /^dense: expected a known activation, got undefined$/,
  ],
  [
    "a parameter of an op",
    () => jit(null, (t: Tensor) => ops.celu(t, 0))([1]),
    /^celu: expected alpha to be other than 0, got 0$/,
  ],
  ["a clip of 0", () => layers.gru({ units: 1, cellClip: 0 }), /^gru: expected cellClip > 0, got 0$/],
  [
    "a clip that is NaN",
    () => cells.simpleRNN({ units: 1, cellClip: NaN }),
    /^cells\.simpleRNN: expected cellClip > 0, got NaN$/,
  ],
  [
    "a projection to nothing",
    () => layers.lstm({ units: 3, projection: 0 }),
    /^lstm: expected projection to be a positive integer, got 0$/,
  ],
  [
    "an initializer",
    () => layers.dense({ units: 1, kernelInitializer: "glorotUnifrom" }),
    /^dense: expected a known initializer, got "glorotUnifrom", did you mean "glorotUniform"\?$/,
  ],
  [
    "an option of an initializer",
    () => gatewise.initializers.randomNormal(any({ std: 1 })),
    /^initializers\.randomNormal: .*, got "std"/,
  ],
  [
    "an option of sequential",
    () => sequential([layers.dense({ units: 1 })], any({ inputshape: [1] })),
    /^sequential: expected one of the options seed, inputShape, got "inputshape", did you mean "inputShape"\?$/,
  ],
  [
    "an option of Module",
    () => new Module(any({ sed: 1 })),
    /^Module: expected one of the options seed, got "sed", did you mean "seed"\?$/,
  ],
  [
    "an option of an optimizer",
    () => optimizers.adam(any({ beta_1: 0.9 })),
    /^optimizers\.adam: .*, got "beta_1", did you mean "beta1"\? There are /,
  ],
  [
    "a learning rate below 0",
    () => optimizers.sgd({ learningRate: -1 }),
    /^optimizers\.sgd: expected learningRate ≥ 0, got -1$/,
  ],
  [
    "a mean that keeps all",
    () => optimizers.adam({ beta2: 1 }),
    /^optimizers\.adam: expected beta2 of 0 ≤ beta2 < 1, got 1$/,
  ],
  [
    "a limit that is NaN",
    () => optimizers.rmsprop({ clipNorm: NaN }),
    /^optimizers\.rmsprop: expected clipNorm ≥ 0, got NaN$/,
  ],
  [
    "an option of a loss",
    () => losses.meanSquaredError(any({ reductoin: "sum" })),
    /^losses\.meanSquaredError: .*, got "reductoin", did you mean "reduction"\?$/,
  ],
  [
    "a reduction",
    () => losses.meanSquaredError({ reduction: any("average") }),
    /^losses\.meanSquaredError: expected reduction of mean, sum, none, got "average"$/,
  ],
  [
    "an option of a metric",
    () => metrics.binaryAccuracy(any({ treshold: 0.5 })),
    /^metrics\.binaryAccuracy: .*, got "treshold", did you mean "threshold"\?$/,
  ],
  [
    "an option of jit",
    () => jit(null, (t: Tensor) => t, any({ train: true })),
    /^jit: expected one of the options training, got "train"/,
  ],
  [
    "an option of valueAndGrad",
    () => valueAndGrad(null, (t: Tensor) => t, any({ input: true })),
    /^valueAndGrad: .*, got "input", did you mean "inputs"\?$/,
  ],
  ["no layers", () => sequential([]), /^sequential: expected a list of at least one layer, got an empty one$/],
  [
    "a stack of no cells",
    () => sequential([layers.rnn({ cell: [] })], { inputShape: [null, 2] }),
    /^rnn: expected at least one cell, got none$/,
  ],
  [
    "a cell that is none",
    () => layers.rnn({ cell: any([null]) }),
    /^rnn: expected cells, such as cells\.gru\(\{ units: 8 \}\), got null$/,
  ],
  [
    "a flag that is no boolean",
    () => layers.gru({ units: 1, returnSequences: any(1) }),
    /^gru: expected returnSequences to be true or false, got 1$/,
  ],
  [
    "a flag that is text, in a layer with a name",
    () => layers.lstm({ units: 1, name: "first", peepholes: any("no") }),
    /^lstm "first": expected peepholes to be true or false, got "no"$/,
  ],
  [
    "a name that is none",
    () => layers.dense({ units: 1, name: any(5) }),
    /^dense: expected a name of at least one letter, got 5$/,
  ],
  ["options in a list", () => layers.flatten(any([])), /^flatten: expected an object of options, got a list$/],
  [
    "options that are a promise",
    () => jit(null, (t: Tensor) => t, any(Promise.resolve({}))),
    /^jit: expected an object of options, got an object$/,
  ],
  [
    "an inner layer that is none",
    () => layers.timeDistributed({ layer: any(layers.dense) }),
    /^timeDistributed: expected a layer as layer, such as layers\.dense\(\{ units: 1 \}\), got a function$/,
  ],
  [
    "two directions of what is no layer",
    () => layers.bidirectional({ layer: any(32) }),
    /^bidirectional: expected a layer as layer, .*, got 32$/,
  ],
  [
    "two directions of a dense layer",
    () => layers.bidirectional({ layer: layers.dense({ units: 1 }) }),
    /^bidirectional: expected a recurrent layer as layer, got dense$/,
  ],
  [
    "a regularizer that is a number",
    () => layers.dense({ units: 1, kernelRegularizer: any(0.01) }),
    /^dense: expected a regularizer, such as regularizers\.l2\(\), got 0\.01$/,
  ],
  [
    "a regularizer with a wrong name",
    () => layers.dense({ units: 1, activityRegularizer: "l3" }),
    /^dense: expected a known regularizer, got "l3"$/,
  ],
  [
    "a strength that is NaN",
    () => layers.dense({ units: 1, biasRegularizer: { l1: 0, l2: NaN } }),
    /^regularizers\.l1l2: expected a strength ≥ 0, got NaN$/,
  ],
  [
    "a constraint with a wrong name",
    () => layers.gru({ units: 1, recurrentConstraint: "maxNrm" }),
    /^gru: expected a known constraint, got "maxNrm", did you mean "maxNorm"\?$/,
  ],
  [
    "a constraint below 0",
    () => gatewise.constraints.maxNorm({ maxValue: -1 }),
    /^constraints\.maxNorm: expected maxValue ≥ 0, got -1$/,
  ],
  [
    "a deviation below 0",
    () => gatewise.initializers.randomNormal({ stddev: -1 }),
    /^initializers\.randomNormal: expected stddev ≥ 0, got -1$/,
  ],
  [
    "axes in another order that are none",
    () => layers.permute({ dims: any("12") }),
    /^permute: expected dims as a list of whole numbers, got "12"$/,
  ],
  [
    "a shape with two open extents",
    () => layers.reshape({ targetShape: [-1, -1] }),
    /^reshape: expected targetShape of positive integers and at most one -1, got \[-1, -1\]$/,
  ],
  [
    "a mask value that is NaN",
    () => layers.masking({ maskValue: NaN }),
    /^masking: expected maskValue to be a number, got NaN$/,
  ],
  [
    "restarts that come to an end",
    () => gatewise.schedules.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 2, tMul: 0.5 }),
    /^schedules\.cosineDecayRestarts: expected tMul ≥ 1, got 0\.5$/,
  ],
  [
    "a schedule from NaN",
    () => gatewise.schedules.stepDecay({ initialLearningRate: NaN, decaySteps: 2 }),
    /^schedules\.stepDecay: expected initialLearningRate ≥ 0, got NaN$/,
  ],
  [
    "patience that is NaN",
    () => gatewise.callbacks.earlyStopping({ patience: NaN }),
    /^callbacks\.earlyStopping: expected patience to be a whole number ≥ 0, got NaN$/,
  ],
  [
    "a callback of what is no function",
    () => gatewise.callbacks.lambda({ onEpochEnd: any("log") }),
    /^callbacks\.lambda: expected onEpochEnd to be a function, got "log"$/,
  ],
  [
    "a share of the labels that is true",
    () => losses.categoricalCrossentropy({ labelSmoothing: any(true) }),
    /^losses\.categoricalCrossentropy: expected labelSmoothing of 0…1, got true$/,
  ],
  [
    "logits or not",
    () => losses.binaryCrossentropy({ fromLogits: any("yes") }),
    /^losses\.binaryCrossentropy: expected fromLogits to be true or false, got "yes"$/,
  ],
  [
    "a module that is none",
    () => valueAndGrad(any({}), (t: Tensor) => t),
    /^valueAndGrad: expected a module, such as a model or a layer, or null, got an object$/,
  ],
  [
    "gradients for nothing",
    () => optimizers.sgd().apply(any(undefined), {}),
    /^apply: expected a module, such as a model or a layer, got undefined$/,
  ],
  [
    "deterministic or not",
    () => gatewise.initSync({ deterministic: any("yes") }),
    /^initSync: expected deterministic to be true or false, got "yes"$/,
  ],
  [
    "a cell that does not say its size",
    () => sequential([layers.rnn({ cell: any({ call: () => undefined }) })], { inputShape: [null, 2] }),
    /^rnn "rnn": expected the cell to have a stateSize/,
  ],
];

for (const [what, run, sentence] of withoutModel)
  test(what, async () => judge(await held(run), "OptionError", "ERR_OPTION", sentence));

test("a stateful model with another batch size: its states stay too", async () => {
  const make = () => {
    const model = sequential([layers.lstm({ units: 3, stateful: true }), layers.dense({ units: 1 })], {
      seed: 1,
      inputShape: [null, 2],
    });
    model.compile({ loss: "mse" });
    model.predict(x);
    return model;
  };
  const [model, twin] = [make(), make()];
  const few = floats([2, 3, 2]);
  for (const run of [
    () => model.predict(few),
    () => model.fit(few, [1, 2]),
    () => model.trainOnBatch(few, [1, 2]),
    () => model.evaluate(few, [1, 2]),
  ]) {
    judge(
      await held(run),
      "StateError",
      "ERR_STATE",
      'stateful: expected a batch of 4, as the state "lstm/h" [4, 3] was made for, got 2; ' +
        "give batches of 4 rows, or call resetStates first",
    );
  }
  assert.equal(model.predict(x), twin.predict(x));
  assert.equal(model.trainOnBatch(x, y), twin.trainOnBatch(x, y));
  sameWeights(model.getWeights(), twin.getWeights());
  model.dispose();
  twin.dispose();
});

test("a callback that throws: fit rejects with its error, the weights are the last, the model trains on", async () => {
  const mine = new TypeError("mine");
  const fail = (): never => {
    throw mine;
  };
  const after: [gatewise.Callback, batches: number][] = [
    [{ onTrainBegin: fail }, 0],
    [{ onBatchEnd: fail }, 1],
    [{ onBatchEnd: ({ batch }) => (batch === 2 ? fail() : undefined) }, 2],
    [{ onEpochEnd: async () => fail() }, 2],
    [{ onTrainEnd: fail }, 2],
  ];
  for (const [callback, batches] of after) {
    const [model, twin] = [regression(), regression()];
    const options = { batchSize: 2, shuffle: false };
    assert.is(await model.fit(x, y, { ...options, callbacks: [callback] }).catch((error: unknown) => error), mine);
    for (let n = 0; n < batches; n++) twin.trainOnBatch(half(x, n), half(y, n));
    sameWeights(model.getWeights(), twin.getWeights());
    assert.equal(model.predict(x), twin.predict(x));
    assert.equal(await model.fit(x, y, options), await twin.fit(x, y, options));
    model.dispose();
    twin.dispose();
  }
});

test("a second fit while one runs: refused, and the first goes on as if alone", async () => {
  const [model, twin] = [regression(), regression()];
  const options = { epochs: 2, batchSize: 2 };
  const running = model.fit(x, y, options);
  const streams = () => [[x, y]] as gatewise.BatchItem[];
  for (const run of [() => model.fit(x, y), () => model.fit(streams), () => model.train(x, y).next()]) {
    judge(
      await held(run),
      "StateError",
      "ERR_STATE",
      "fit: this model is already training; await the first fit, or abort it",
    );
  }
  assert.equal(await running, await twin.fit(x, y, options));
  sameWeights(model.getWeights(), twin.getWeights());
  model.dispose();
  twin.dispose();
});

test("fit before compile", async () => {
  const model = sequential([layers.dense({ units: 1 })], { inputShape: [2] });
  for (const [name, run] of Object.entries({
    fit: () => model.fit([[1, 2]], [1]),
    train: () => model.train([[1, 2]], [1]),
    trainOnBatch: () => model.trainOnBatch([[1, 2]], [1]),
    testOnBatch: () => model.testOnBatch([[1, 2]], [1]),
    evaluate: () => model.evaluate([[1, 2]], [1]),
  }))
    judge(
      await held(run),
      "StateError",
      "ERR_STATE",
      `${name}: expected a compiled model, got one that is not; call compile({ optimizer, loss }) first`,
    );
  model.dispose();
});

test("use after dispose", async () => {
  const model = regression();
  const stream = model.stream();
  const call = jit(model, (t: Tensor) => model.call(t));
  const step = gatewise.trainStep(model, optimizers.adam(), (t: Tensor) => ops.sum(model.call(t)));
  call(x);
  step(x);
  const bytes = model.save();
  const grads = { "dense/bias": floats([1]) };
  model.dispose();
  model.dispose();
  const uses: Record<string, () => unknown> = {
    predict: () => model.predict(x),
    fit: () => model.fit(x, y),
    train: () => model.train(x, y),
    trainOnBatch: () => model.trainOnBatch(x, y),
    testOnBatch: () => model.testOnBatch(x, y),
    evaluate: () => model.evaluate(x, y),
    compile: () => model.compile({ loss: "mse" }),
    getWeights: () => model.getWeights(),
    setWeights: () => model.setWeights({}),
    save: () => model.save(),
    load: () => model.load(bytes),
    inspect: () => model.inspect(x),
    summary: () => model.summary(),
    resetStates: () => model.resetStates(),
    stream: () => model.stream(),
    jit: () => call(x),
    "a new jit": () => jit(model, (t: Tensor) => model.call(t))(x),
    trainStep: () => step(x),
    apply: () => optimizers.sgd().apply(model, grads),
    step: () => stream.step([1, 2]),
    process: () => stream.process(new Float32Array(2)),
    getState: () => stream.getState(),
  };
  for (const run of Object.values(uses))
    judge(
      await held(run),
      "DisposedError",
      "ERR_DISPOSED",
      "sequential: expected a live model, got one that was disposed of",
    );
});

test("ops and layers outside a traced function", async () => {
  for (const [subject, run] of [
    ["tanh", () => ops.tanh(any([1]))],
    ["dense", () => layers.dense({ units: 1 }).call(any([1]))],
  ] as const) {
    judge(
      await held(run),
      "TraceError",
      "ERR_TRACE",
      `${subject}: expected to be called while a function is traced, got a call outside; ` +
        "wrap it in jit(module, fn), valueAndGrad or trainStep, or use predict",
    );
  }
});

test("a call that gives no tensor, or one without rows", async () => {
  class None extends Module {
    override call(): number {
      return 3;
    }
  }
  class Scalar extends Module {
    override call(t: Tensor): Tensor {
      return ops.mean(t);
    }
  }
  judge(
    await held(() => new None().predict(x)),
    "TraceError",
    "ERR_TRACE",
    "None: expected call to give a tensor, or a list of them, got number",
  );
  judge(
    await held(() => new Scalar().predict(x)),
    "ShapeError",
    "ERR_SHAPE",
    "Scalar: expected an output [batch, ..] of 4 rows as the input, got []; " +
      "use jit(model, fn) for results of other shapes",
  );
  judge(
    await held(() => new (class Empty extends Module {})().predict(x)),
    "StateError",
    "ERR_STATE",
    "Empty: expected a class with a call of its own, got one without",
  );
});

test("memory exhausted by weights: nothing is left behind", async () => {
  gatewise.initSync();
  const error = await held(() => sequential([layers.dense({ units: 2 ** 29 })], { inputShape: [4] }));
  judge(
    error,
    "MemoryError",
    "ERR_MEMORY",
    /^memory: expected room for \d+ more bytes, got a refusal at \d+ bytes; use a smaller batch/,
  );
  assert.ok((error as gatewise.MemoryError).requested > 2 ** 32);
  assert.ok((error as gatewise.MemoryError).available <= 2 ** 32);
  assert.is(gatewise.backendInfo().memoryBytes, 0);
});

test.run();
