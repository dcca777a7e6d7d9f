/**
 * Recurrent neural networks: models, training, streams, saving.
 *
 * @module gatewise
 */
export { cells, functional, layers, sequential } from "./models/factories.ts";
export { input } from "./models/symbolic.ts";
export { loadModel, modelFromConfig } from "./models/load_model.ts";
export { Module } from "./models/module.ts";
export { init, initSync, backendInfo } from "./runtime/context.ts";
export { jit, trainStep, valueAndGrad } from "./models/transforms.ts";
/** What models written by hand are made of. */
export * as ops from "./ops/index.ts";
export { initializers } from "./layers/initializers.ts";
export { regularizers } from "./layers/regularizers.ts";
export { constraints } from "./layers/constraints.ts";
export { losses } from "./losses/index.ts";
export { metrics } from "./metrics/index.ts";
export { optimizers, Optimizer } from "./optimizers/index.ts";
export { schedules } from "./optimizers/schedules.ts";
export { callbacks } from "./training/callbacks/index.ts";
export * from "./base/errors.ts";
// the types that signatures name
export type { Callback, TrainedModel } from "./training/callback.ts";
export type { CsvLoggerOptions } from "./training/callbacks/csv_logger.ts";
export type { EarlyStoppingOptions } from "./training/callbacks/early_stopping.ts";
export type { LoggerOptions } from "./training/callbacks/line_logger.ts";
export type { LogTarget } from "./training/callbacks/log_target.ts";
export type { CheckpointOptions } from "./training/callbacks/model_checkpoint.ts";
export type { MonitorOptions } from "./training/callbacks/monitor.ts";
export type { PlateauOptions } from "./training/callbacks/reduce_lr_on_plateau.ts";
export type {
  ConstraintConfig,
  ConstraintInput,
  ConstraintName,
  MaxNormOptions,
  UnitNormOptions,
} from "./layers/constraints.ts";
export type {
  FunctionOptions,
  GradOptions,
  GradResult,
  StepResult,
  TensorFunction,
  TrainStepOptions,
} from "./models/transforms.ts";
export type {
  ConstantOptions,
  GainOptions,
  InitializerConfig,
  InitializerFactory,
  InitializerInput,
  InitializerName,
  NormalOptions,
  SeedOptions,
  UniformOptions,
} from "./layers/initializers.ts";
export type { ActivationConfig, ActivationInput, ActivationName } from "./layers/activations.ts";
export type { ActivationOptions } from "./layers/core/activation.ts";
export type { DenseOptions } from "./layers/core/dense.ts";
export type { DropoutOptions } from "./layers/core/dropout.ts";
export type { EmbeddingOptions } from "./layers/core/embedding.ts";
export type { MaskingOptions } from "./layers/core/masking.ts";
export type { ConcatenateOptions } from "./layers/core/merging.ts";
export type { PermuteOptions, RepeatVectorOptions, ReshapeOptions } from "./layers/core/reshaping.ts";
export type { CallOptions, CommonOptions } from "./layers/definition.ts";
export type { CellOptions, GatedCellOptions } from "./layers/rnn/cell_options.ts";
export type { GRUCellOptions, GRUOptions } from "./layers/rnn/gru.ts";
export type { LSTMCellOptions, LSTMOptions } from "./layers/rnn/lstm.ts";
export type { RecurrentOptions } from "./layers/rnn/recurrent_layer.ts";
export type { RNNOptions, StepCell } from "./layers/rnn/rnn.ts";
export type { SequenceOptions } from "./layers/rnn/sequence.ts";
export type { SimpleRNNCellOptions, SimpleRNNOptions } from "./layers/rnn/simple_rnn.ts";
export type { BidirectionalOptions, InnerLayer, MergeMode, TimeDistributedOptions } from "./layers/core/wrappers.ts";
export type {
  BinaryCrossentropyOptions,
  BinaryFocalOptions,
  CategoricalCrossentropyOptions,
  CategoricalFocalOptions,
  CrossentropyOptions,
  LabelOptions,
  SparseCrossentropyOptions,
} from "./losses/crossentropy.ts";
export type { Loss, LossFactory, LossOptions, Reduction } from "./losses/define_loss.ts";
export type {
  GaussianNllOptions,
  HuberOptions,
  KLDivergenceOptions,
  PoissonOptions,
  SmoothL1Options,
} from "./losses/regression.ts";
export type { TopKOptions } from "./metrics/accuracy.ts";
export type { PositivesOptions } from "./metrics/counts.ts";
export type { Metric, MetricOptions, ThresholdOptions } from "./metrics/define_metric.ts";
export type { PerplexityOptions } from "./metrics/regression_metrics.ts";
export type { ArrayShape, InputShapes, TypedShape } from "./module/array_shape.ts";
export type { BatchItem, BatchItemLike, BatchStream } from "./training/data/stream_batches.ts";
export type { BatchOptions, ClassWeight, Targets } from "./training/data/dataset.ts";
export type { ExportOptions } from "./export/export_model.ts";
export type { SequentialOptions } from "./models/factories.ts";
export type { InputShape } from "./models/graph.ts";
export type { Cell, Layer } from "./models/layer.ts";
export type { Model, ModelLayer } from "./models/model.ts";
export type {
  ApplyOptions,
  FunctionalSpec,
  InputOptions,
  SymbolicTensor,
  SymbolicTensors,
  Applied,
  TensorsOf,
} from "./models/symbolic.ts";
export type {
  CallConfig,
  InputConfig,
  LayerConfig,
  ModelConfig,
  OutputsConfig,
  QuantizedConfig,
  TensorSource,
} from "./module/config.ts";
export type { ParameterOptions } from "./module/own_parameter.ts";
export type { ModelInput, StepOptions } from "./inference/model_inputs.ts";
export type { InspectOptions } from "./training/inspect.ts";
export type { FileBytes } from "./saving/load.ts";
export type { ExplainOptions } from "./models/explain.ts";
export type { MemoryNeed } from "./models/memory_need.ts";
export type { ArrayRecord, ModuleOptions } from "./module/module_base.ts";
export type { Predicted, PredictOptions, Prediction } from "./inference/predict.ts";
export type { QuantizeOptions } from "./quantization/quantize.ts";
export type { SaveOptions } from "./saving/save.ts";
export type { PerOutput } from "./training/per_output.ts";
export type { Stream, Streamed, StreamOptions } from "./inference/stream.ts";
export type { Frame, Frames } from "./inference/stream_lists.ts";
export type { History, Logs, TrainEvent } from "./training/events.ts";
export type {
  CompileOptions,
  EvaluateOptions,
  FitOptions,
  LossMean,
  MetricInput,
  MetricsOf,
  MetricsOption,
  ValidationData,
} from "./training/training_options.ts";
export type { LossName } from "./losses/index.ts";
export type { MetricFunction, MetricName } from "./metrics/index.ts";
export type { OptimizerName } from "./optimizers/index.ts";
export type { ActivationParameters } from "./ops/activations.ts";
export type { TensorLike as Operand } from "./ops/operands.ts";
export type { ReduceOptions } from "./ops/reduce.ts";
export type {
  AdadeltaOptions,
  AdagradOptions,
  AdamOptions,
  Convention,
  LionOptions,
  MomentsOptions,
  NadamOptions,
  OptimizerOptions,
  RMSpropOptions,
  Schedule,
  SGDOptions,
} from "./optimizers/optimizer_options.ts";
export type { ArrayInput, NDArray, Nested, ShapedInput, TypedArray } from "./base/ndarray.ts";
export type { Initializer } from "./graph/parameter.ts";
export type { KnownName } from "./base/options.ts";
export type { DType, Shape } from "./base/shape.ts";
export type { ValidSteps as Steps, Tensor } from "./graph/tensor.ts";
export type { RegularizerConfig, RegularizerInput, RegularizerName } from "./layers/regularizers.ts";
export type { Activations } from "./graph/int8_weight.ts";
export type { Build } from "./runtime/wasm/builds.ts";
export type { BackendInfo, ThreadOptions as InitOptions } from "./runtime/context.ts";
export type { InitOptions as InitSyncOptions } from "./runtime/load.ts";
