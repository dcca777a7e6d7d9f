/** Layers one after the other. */
import { OptionError, ShapeError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { shown } from "../base/formatting.ts";
import type { Activations, Int8Names } from "../graph/int8_weight.ts";
import type { DType, Shape } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Trace, currentTrace } from "../graph/trace.ts";
import { loadInt8 } from "../runtime/wasm/int8.ts";
import type { LayerPart } from "./layer_module.ts";
import { ROWWISE, hide, isModule, type ModuleBase, type ModuleOptions } from "../module/module_base.ts";
import type { Network } from "./network.ts";

/** Options of `sequential`. */
export interface SequentialOptions extends ModuleOptions {
  /** Shape of the input without the batch, null for any extent: `[null, 8]`, or `[null]` for tokens. Builds the model at once. */
  inputShape?: readonly (number | null)[] | undefined;
}

const OPTIONS = ["seed", "inputShape"];

/** A layer as sequential takes it. */
export type SequentialLayer = Network & Partial<LayerPart>;

/** What the class behind `sequential` adds to its base. */
export interface SequentialPart {
  readonly layers: readonly SequentialLayer[];
  readonly inputShape: readonly (number | null)[] | undefined;
  build(inputShape: readonly (number | null)[], int8?: Int8Names): void;
}

type SequentialClass = new (layers: readonly Network[], options?: SequentialOptions) => Network & SequentialPart;

/** The class behind `sequential` over a base: Module where models train, Network where they only run. */
export function sequentialClass(Base: new (...args: any[]) => Network): SequentialClass {
  return class Sequential extends Base {
    declare readonly layers: readonly SequentialLayer[];
    declare readonly inputShape: readonly (number | null)[] | undefined;
    #quantized: Activations | undefined;

    constructor(...args: any[]) {
      const [layers, options = {}] = args as [readonly SequentialLayer[], SequentialOptions?];
      checkOptions("sequential", options, OPTIONS);
      super({ seed: options.seed });
      checkLayers(layers);
      hide(this, "layers", [...layers]);
      hide(this, "inputShape", undefined);
      nameLayers(layers);
      checkStates(layers);
      if (options.inputShape !== undefined && options.inputShape !== null) this.build(options.inputShape);
    }

    /** Creates the weights for inputs of this shape, by tracing a batch of one with 1 wherever any extent will do; those named in 8 bits. @internal */
    build(inputShape: readonly (number | null)[], int8?: Int8Names): void {
      if (!Array.isArray(inputShape))
        throw new ShapeError(`sequential: expected an inputShape such as [null, 8], got ${shown(inputShape)}`);
      const shape: Shape = [1, ...inputShape.map((extent) => extent ?? 1)];
      if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
        throw new ShapeError(
          `sequential: expected an inputShape of positive integers and nulls, got [${Array.from(inputShape, (extent: unknown) => shown(extent)).join(", ")}]`,
        );
      }
      hide(this, "inputShape", [...inputShape]);
      if (int8) loadInt8(this.backend);
      this.#quantized = int8?.activations;
      const trace = new Trace(this.backend, { paths: this.modulePaths(), int8 });
      trace.run(() => {
        this.call(trace.pinned(shape, inputType(this)));
        this.allocate(trace);
      });
    }

    get [ROWWISE](): true {
      return true;
    }

    override get quantized(): Activations | undefined {
      return this.#quantized;
    }

    override childModules(): [string, ModuleBase][] {
      return this.layers.map((layer) => [layer.layerName!, layer]);
    }

    override describe(): string {
      return "sequential";
    }

    override call(...args: any[]): any {
      const [x, ...rest] = args as [Tensor, ...unknown[]];
      if (!this.inputShape) {
        hide(this, "inputShape", shapeSeen(x, inputType(this)));
        currentTrace(this.describe()).undo.push(() => hide(this, "inputShape", undefined));
      }
      return this.layers.reduce<unknown>((value, layer, i) => layer.call(...[value, ...(i === 0 ? rest : [])]), x);
    }
  };
}

function checkLayers(layers: readonly SequentialLayer[]): void {
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new OptionError(
      `sequential: expected a list of at least one layer, got ${Array.isArray(layers) ? "an empty one" : typeof layers}`,
    );
  }
  const odd = layers.findIndex((layer) => !isModule(layer));
  if (odd >= 0)
    throw new OptionError(
      `sequential: expected layers, such as layers.dense({ units: 1 }), got ${typeof layers[odd]} at ${odd}`,
    );
}

/** Numbers layers without a name by kind, as Keras does: `lstm`, `lstm_1`. */
function nameLayers(layers: readonly SequentialLayer[]): void {
  const taken = new Map<string, number>();
  for (const layer of layers) {
    if (!layer.layerName) {
      const prefix = layer.definition?.prefix ?? layer.describe().toLowerCase();
      const count = taken.get(prefix) ?? 0;
      taken.set(prefix, count + 1);
      layer.layerName = count === 0 ? prefix : `${prefix}_${count}`;
    }
  }
  const names = layers.map(({ layerName }) => layerName!);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new OptionError(`sequential: expected layers of different names, got "${twice}" twice`);
}

function checkStates(layers: readonly SequentialLayer[]): void {
  const early = layers.slice(0, -1).find((layer) => layer.config?.returnState);
  if (early)
    throw new OptionError(
      `${early.describe()}: expected returnState only in the last layer of a sequential, got it before`,
    );
}

/** The inputShape that a first input stands for: any time, but these features. */
const shapeSeen = ({ shape }: Tensor, type: DType): (number | null)[] =>
  shape.slice(1).map((extent, i, all) => (type === "f32" && i === all.length - 1 ? extent : null));

/** What a model takes: tokens when the first layer of a sequential does. */
export function inputType(model: ModuleBase): DType {
  const { layers } = model as Partial<SequentialPart>;
  return layers?.[0].definition?.input === "tokens" ? "i32" : "f32";
}
