/** The types that signatures of `gatewise` name, beside those of its values. */
export type {
  Callback, CheckpointOptions, CsvLoggerOptions, EarlyStoppingOptions, LoggerOptions, LogTarget, MonitorOptions, PlateauOptions,
} from "./callbacks.ts";
export type { ConstraintConfig, ConstraintInput } from "./constraints.ts";
export type { FunctionOptions, GradOptions, GradResult, StepResult, TensorFunction, TrainStepOptions } from "./functions.ts";
export type { ConstantOptions, GainOptions, InitializerConfig, InitializerFactory, InitializerInput, NormalOptions, SeedOptions, UniformOptions } from "./initializers.ts";
export type { ActivationConfig, ActivationInput } from "./layers/activations.ts";
export type {
  ConcatenateOptions, MaskingOptions, PermuteOptions, RepeatVectorOptions, ReshapeOptions,
} from "./layers/arrange.ts";
export type { CellOptions, GRUCellOptions, LSTMCellOptions, SimpleRNNCellOptions } from "./layers/cells.ts";
export type { CallOptions, CommonOptions } from "./layers/definition.ts";
export type { GRUOptions, LSTMOptions, RecurrentOptions, SimpleRNNOptions } from "./layers/recurrent.ts";
export type { Cell as StepCell, RNNOptions } from "./layers/rnn.ts";
export type { SequenceOptions } from "./layers/sequence.ts";
export type { ActivationOptions, DenseOptions, DropoutOptions, EmbeddingOptions } from "./layers/simple.ts";
export type { BidirectionalOptions, InnerLayer, MergeMode, TimeDistributedOptions } from "./layers/wrappers.ts";
export type {
  BinaryCrossentropyOptions, BinaryFocalOptions, CategoricalCrossentropyOptions, CategoricalFocalOptions, CrossentropyOptions, LabelOptions,
  SparseCrossentropyOptions,
} from "./losses/crossentropy.ts";
export type { Loss, LossFactory, LossOptions, Reduction } from "./losses/define.ts";
export type { GaussianNllOptions, HuberOptions, KLDivergenceOptions, PoissonOptions, SmoothL1Options } from "./losses/regression.ts";
export type { TopKOptions } from "./metrics/accuracy.ts";
export type { PositivesOptions } from "./metrics/counts.ts";
export type { Metric, MetricOptions, ThresholdOptions } from "./metrics/define.ts";
export type { PerplexityOptions } from "./metrics/errors.ts";
export type { ArrayShape, TypedShape } from "./model/array_shape.ts";
export type { BatchItem, BatchStream } from "./model/batches.ts";
export type { BatchOptions, Targets } from "./model/dataset.ts";
export type { ExportOptions } from "./model/export.ts";
export type { CellOf, LayerOf, SequentialOf } from "./model/factories.ts";
export type { ModelInput, StepOptions } from "./model/inputs.ts";
export type { InspectOptions } from "./model/inspect.ts";
export type { LayerPart } from "./model/layer.ts";
export type { FileBytes } from "./model/load.ts";
export type { MemoryNeed } from "./model/memory.ts";
export type { CompileOptions, EvaluateOptions, MetricsOf, MetricsOption } from "./model/module.ts";
export type { ArrayRecord, ModuleOptions, Network } from "./model/network.ts";
export type { PredictOptions, Prediction } from "./model/predict.ts";
export type { QuantizeOptions } from "./model/quantize.ts";
export type { Logs } from "./model/scores.ts";
export type { SaveOptions } from "./model/save.ts";
export type { SequentialLayer, SequentialOptions } from "./model/sequential.ts";
export type { Several } from "./model/several.ts";
export type { ValidationData } from "./model/source.ts";
export type { Stream, StreamOptions } from "./model/stream.ts";
export type { FitOptions, History, TrainEvent } from "./model/train.ts";
export type { ActivationParameters } from "./ops/activations.ts";
export type { Operand } from "./ops/operands.ts";
export type { ReduceOptions } from "./ops/reduce.ts";
export type {
  AdadeltaOptions, AdagradOptions, AdamOptions, Convention, LionOptions, MomentsOptions, NadamOptions, OptimizerOptions, RMSpropOptions, Schedule, SGDOptions,
} from "./optimizers/index.ts";
export type { ArrayInput, NDArray, Nested, ShapedInput, TypedArray } from "./program/array.ts";
export type { Initializer } from "./program/parameters.ts";
export type { DType, Shape } from "./program/shape.ts";
export type { Steps, Tensor } from "./program/tensor.ts";
export type { RegularizerConfig, RegularizerInput } from "./regularizers.ts";
export type { Activations } from "./program/int8.ts";
export type { Build } from "./runtime/builds.ts";
export type { BackendInfo, ThreadOptions as InitOptions } from "./runtime/context.ts";
export type { InitOptions as InitSyncOptions } from "./runtime/load.ts";
