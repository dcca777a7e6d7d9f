/** Models of files and of configs. */
import { FormatError, UnsupportedError, ValueError } from "../base/errors.ts";
import { checkFinite, normalize, type ArrayInput } from "../base/ndarray.ts";
import { checkRecord } from "../base/options.ts";
import { checkConfig, type ModelConfig } from "../module/config.ts";
import type { Tensor } from "../graph/tensor.ts";
import { openFile, type FileBytes, type FileWeight } from "../saving/load.ts";
import { Model } from "./model.ts";

/**
 * The model of a file that `save` wrote, built, with its weights.
 *
 * @typeParam R  what its `call` gives: a tensor, or a list or a record of them
 * @throws FormatError when the bytes are not a whole file of a model of layers, or of a newer version
 * @example
 * const model = loadModel(await readFile("model.safetensors"));
 */
export function loadModel<R = Tensor>(bytes: FileBytes): Model<R> {
  const opened = openFile(bytes);
  const { model: config, seed, runs } = opened.file;
  if (!config)
    throw new FormatError(
      "loadModel: expected a file of a model of layers, got one of a Module of your own; make it and call its load(bytes)",
    );
  const model = Model.restore<R>("loadModel", { config: { ...config, seed }, weights: opened.weights, runs });
  try {
    model.takeOptimizer(opened);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A weight that was given, as a file would hold it. */
function weightOf(name: string, given: ArrayInput): FileWeight {
  const subject = `modelFromConfig: weight "${name}"`;
  const array = normalize(given, subject);
  if (array.dtype !== "f32") throw new ValueError(`${subject}: expected floats, got integers`);
  checkFinite(array, subject);
  return { data: array.data as Float32Array, shape: array.shape };
}

/**
 * The model of a config, as `getConfig` gives it.
 *
 * @param weights  all weights by name, as `getWeights` gives them; initial ones, drawn from the config's seed, when absent
 * @throws FormatError for a config that is none, and for weights too many or too few; ShapeError for a wrong shape
 * @throws UnsupportedError for the config of a quantised model
 * @example
 * const twin = modelFromConfig(model.getConfig(), model.getWeights());
 */
export function modelFromConfig<R = Tensor>(
  config: ModelConfig,
  weights?: Readonly<Record<string, ArrayInput>>,
): Model<R> {
  checkConfig("modelFromConfig", config);
  if (config.quantized)
    throw new UnsupportedError(
      "modelFromConfig: expected a config of f32 weights, got that of a quantised model; save and loadModel keep its 8 bits",
    );
  if (weights !== undefined) {
    checkRecord("modelFromConfig: weights", weights);
    const entries = Object.entries(weights).map(([name, given]) => [name, weightOf(name, given)] as const);
    return Model.restore<R>("modelFromConfig", { config, weights: new Map(entries), runs: 0 });
  }
  const model = Model.fromConfig<R>("modelFromConfig", config);
  if (model.inputShapesKnown) model.build();
  return model;
}
