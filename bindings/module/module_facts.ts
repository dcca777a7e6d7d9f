/** What features ask of a module. Layers and models of layers have other answers than these. */
import { OptionError } from "../base/errors.ts";
import type { Activations } from "../graph/int8_weight.ts";
import type { InputKind } from "../layers/definition.ts";
import type { InputConfig, LayerConfig, ModelConfig } from "./config.ts";

/** The answers of a class of one's own. */
export class ModuleFacts {
  /** What the model takes, where that is known. @internal */
  get inputConfigs(): readonly InputConfig[] | undefined {
    return undefined;
  }

  /** Kind of layer, when it is one of the library's. @internal */
  get layerType(): string | undefined {
    return undefined;
  }

  /** What the input of a layer of the library is. @internal */
  get inputKind(): InputKind | undefined {
    return undefined;
  }

  /** Whether `call` gives a list of the output and the states. @internal */
  get givesStates(): boolean {
    return false;
  }

  /** What a model numbers when nobody has named it. @internal */
  get namePrefix(): string {
    return this.describe().toLowerCase();
  }

  /** Which layer cannot run step by step, and why; undefined when all can. @internal */
  get unstreamable(): string | undefined {
    return undefined;
  }

  /** What its outputs are called, when `call` gives a list and they have names. @internal */
  get outputNames(): readonly string[] | undefined {
    return undefined;
  }

  /** The module without its weights; undefined for a class of the user's own. @internal */
  modelConfig(_subject: string, _training: boolean): ModelConfig | undefined {
    return undefined;
  }

  /** Hands the optimizer's state of a file on to whom it is for; what only runs has none. @internal */
  takeOptimizer(_opened: unknown): void {
    // Module takes it
  }

  /** What a config says of this module. @internal */
  layerConfig(subject: string, _training: boolean): LayerConfig {
    throw new OptionError(
      `${subject}: expected layers from layers.*, got a ${this.describe()} of your own; save the weights of the Module that holds it instead`,
    );
  }

  /** Bits of activations, when `quantize` made this model. @internal */
  get quantized(): Activations | undefined {
    return undefined;
  }

  /** How errors name this module. @internal */
  describe(): string {
    return this.constructor.name || "module";
  }
}
