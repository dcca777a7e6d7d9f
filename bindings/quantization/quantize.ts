/** From a model of floats to one that keeps its large weights in 8 bits. */
import { OptionError, StateError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { quoted, shown } from "../base/formatting.ts";
import { int8Format, quantizeWeight, type Activations } from "../graph/int8_weight.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { ModelConfig } from "../module/config.ts";
import type { FileWeight, FileWeights } from "../saving/load.ts";
import type { ModuleBase } from "../module/module_base.ts";

/** Options of `quantize`. */
export interface QuantizeOptions {
  /** Bits of a weight. @default 8 */
  bits?: 8;
  /**
   * Bits of the activations, which are quantized row by row while the model runs: 7, 14, or "mixed": 14 for inputs, 7
   * for states. @default "mixed"
   */
  activations?: Activations;
}

const ACTIVATIONS: readonly unknown[] = ["mixed", 7, 14] satisfies Activations[];

function weightOf(parameter: Parameter, activations: Activations): FileWeight {
  const { role, shape } = parameter;
  const data = parameter.block!.floatsOf(parameter);
  return role ? { ...quantizeWeight(data, shape, int8Format(role, activations)), shape } : { data, shape };
}

/**
 * The parts of a quantised model.
 *
 * @throws OptionError for other bits, unknown options, layers of one's own
 * @throws StateError for a model without weights, or one that is quantised already
 */
export function quantizedParts(
  model: ModuleBase,
  options: QuantizeOptions,
): { config: ModelConfig; weights: FileWeights; runs: number } {
  checkOptions("quantize", options, ["bits", "activations"]);
  const { bits = 8, activations = "mixed" } = options;
  if (bits !== 8) throw new OptionError(`quantize: expected bits 8, got ${shown(bits)}`);
  if (!ACTIVATIONS.includes(activations))
    throw new OptionError(`quantize: expected activations "mixed", 7 or 14, got ${quoted(activations)}`);
  model.throwIfUnbuilt("quantize");
  if (model.quantized)
    throw new StateError("quantize: expected a model of f32 weights, got a quantised one; quantize the original again");
  const config = model.modelConfig("quantize", false)!;
  const weights = model.parameters().map(([name, parameter]) => [name, weightOf(parameter, activations)] as const);
  return {
    config: { ...config, quantized: { bits: 8, activations } },
    weights: new Map(weights),
    runs: model.randomState.counter,
  };
}
