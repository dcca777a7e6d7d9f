/** Keras' configurations as our layers, losses and optimizers, and the run of a case with one layer. */
import {
  cells,
  layers,
  losses,
  ops,
  optimizers,
  schedules,
  valueAndGrad,
  type Cell,
  type Layer,
  type Loss,
  type Module,
  type Optimizer,
  type Schedule,
  type Tensor,
} from "../../../bindings/index.ts";
import { assertWithin, type OracleCase, type OracleTensor } from "../case.ts";

/** An object as Keras saves it. */
export interface KerasObject {
  readonly class_name: string;
  readonly config: Record<string, any>;
}

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Options by our names; Keras says null for what is absent. */
function options(config: Record<string, any>): Record<string, any> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [camel(name), value]),
  );
}

/** Name of our factory: `SimpleRNN` is simpleRNN, `LSTM` lstm, `GRUCell` gru, `KLDivergence` klDivergence. */
const factory = (className: string): string =>
  className.replace(/Cell$/, "").replace(/^([A-Z]+$|[A-Z]+(?=[A-Z][a-z])|[A-Z])/, (first) => first.toLowerCase());

const cellOf = ({ class_name, config }: KerasObject): Cell =>
  (cells as unknown as Record<string, (options: object) => Cell>)[factory(class_name)](options(config));

/** Layers around cells and layers. */
const WRAPPERS: Record<string, (config: Record<string, any>) => Layer> = {
  RNN: ({ cell, ...rest }) =>
    layers.rnn({
      ...options(rest),
      cell: cell.class_name === "StackedRNNCells" ? cell.config.cells.map(cellOf) : cellOf(cell),
    }),
  Bidirectional: ({ layer, backward_layer: backward, merge_mode: mergeMode }) =>
    layers.bidirectional({ layer: kerasLayer(layer), backwardLayer: backward && kerasLayer(backward), mergeMode }),
  TimeDistributed: ({ layer }) => layers.timeDistributed({ layer: kerasLayer(layer) }),
};

/** The layer of a configuration. */
export function kerasLayer({ class_name, config }: KerasObject): Layer {
  if (class_name in WRAPPERS) return WRAPPERS[class_name](config);
  const make = (layers as unknown as Record<string, (options: object) => Layer>)[factory(class_name)];
  if (!make) throw new Error(`expected a layer of ${Object.keys(layers).join(", ")}, got ${class_name}`);
  return make(options(config));
}

const CLIPPING: Record<string, string> = {
  clipnorm: "clipNorm",
  globalClipnorm: "globalClipNorm",
  clipvalue: "clipValue",
};

const scheduleOf = ({ class_name, config }: KerasObject): Schedule =>
  (schedules as unknown as Record<string, (options: object) => Schedule>)[factory(class_name)](options(config));

/** The optimizer of a configuration. */
export function kerasOptimizer({ class_name, config }: KerasObject): Optimizer {
  const { learningRate, ...rest } = options(config);
  const given = Object.entries(rest).map(([name, value]) => [CLIPPING[name] ?? name.replace("beta_", "beta"), value]);
  const make = optimizers[class_name.toLowerCase() as keyof typeof optimizers];
  return make({
    ...Object.fromEntries(given),
    learningRate: typeof learningRate === "object" ? scheduleOf(learningRate) : learningRate,
  });
}

/** The loss of a configuration. */
export function lossOf({ class_name, config: { reduction, axis, ...rest } }: KerasObject): Loss {
  const make = (losses as unknown as Record<string, (options: object) => Loss>)[factory(class_name)];
  if (!make) throw new Error(`expected a loss of ${Object.keys(losses).join(", ")}, got ${class_name}`);
  const given = Object.entries(options(rest)).filter(([name, value]) => !(name === "labelSmoothing" && value === 0));
  return make({
    ...Object.fromEntries(given),
    reduction: reduction === null ? "none" : reduction === "sum" ? "sum" : "mean",
  });
}

/** Arrays of a case numbered from 0: `weight.0`, `weight.1`, … */
export function numbered(tensors: Readonly<Record<string, OracleTensor>>, prefix: string): OracleTensor[] {
  const found: OracleTensor[] = [];
  while (`${prefix}.${found.length}` in tensors) found.push(tensors[`${prefix}.${found.length}`]);
  return found;
}

/** Gives a built model its weights in Keras' order, which is ours. */
export function setOrdered(
  model: Module,
  arrays: readonly { data: ArrayLike<number>; shape: readonly number[] }[],
): void {
  const names = Object.keys(model.getWeights());
  if (names.length !== arrays.length)
    throw new Error(`expected ${names.length} weights, ${names.join(", ")}, got ${arrays.length}`);
  model.setWeights(
    Object.fromEntries(arrays.map(({ data, shape }, i) => [names[i], { data: Float32Array.from(data), shape }])),
  );
}

/** Names of the outputs of a case, such as `0`, `1.0`, `1.1`: results of a layer, states of stacked cells in order. */
export const outputNames = ({ tensors }: OracleCase): string[] =>
  Object.keys(tensors)
    .filter((name) => name.startsWith("output."))
    .map((name) => name.slice("output.".length))
    .sort();

/** A case with one layer: its outputs, and the gradients of weights, input and initial states. */
export function runLayer(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const layer = kerasLayer(config.layer);
  const names = outputNames(oracle);
  const step = valueAndGrad(
    layer,
    (x: Tensor, { mask, initialState }: { mask?: Tensor; initialState?: Tensor[] }, cotangents: Tensor[]) => {
      const outputs = [layer.call(x, { mask, initialState }) as Tensor | Tensor[]].flat();
      return [outputs.map((output, i) => ops.sum(ops.mul(output, cotangents[i]))).reduce(ops.add), outputs];
    },
    { inputs: true, training: false, aux: true },
  );
  const states = numbered(tensors, "input.initial_state");
  const args = [
    tensors["input.x"],
    { mask: tensors["input.mask"], initialState: states.length > 0 ? states : undefined },
    names.map((name) => tensors[`cotangent.${name}`]),
  ];
  step(...args); // builds the layer
  setOrdered(layer, numbered(tensors, "weight"));

  const { aux, grads, inputGrads } = step(...args);
  if (aux.length !== names.length) throw new Error(`expected ${names.length} outputs, got ${aux.length}`);
  names.forEach((name, i) => assertWithin(oracle, `output.${name}`, aux[i].data, "output"));
  Object.values(grads).forEach(({ data }, i) => assertWithin(oracle, `grad.weight.${i}`, data, "gradient"));
  if (tensors["grad.x"]) assertWithin(oracle, "grad.x", inputGrads[0].data, "gradient");
  states.forEach((_, i) =>
    assertWithin(oracle, `grad.initial_state.${i}`, inputGrads[1].initialState[i].data, "gradient"),
  );
  layer.dispose();
}
