/** Training against PyTorch: losses, gradient norms and weights over 20 updates, truncated BPTT, a cell by hand. */
import {
  Module,
  layers,
  losses,
  ops,
  optimizers,
  trainStep,
  valueAndGrad,
  type ArrayRecord,
  type Optimizer,
  type Tensor,
} from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";
import { runSchedules } from "../schedules.ts";
import { fromLinear, fromTorch, toLinear, torchKind, toTorch, type TorchKind } from "./weights.ts";
import { Stack, backwardPlaces, type StackInput, type StackOptions } from "./stack.ts";

/** PyTorch's names of optimizer arguments. */
const ARGUMENTS: Record<string, string> = {
  lr: "learningRate",
  eps: "epsilon",
  alpha: "rho",
  weight_decay: "weightDecay",
  momentum_decay: "momentumDecay",
  decoupled_weight_decay: "decoupledWeightDecay",
  lr_decay: "learningRateDecay",
  initial_accumulator_value: "initialAccumulatorValue",
};

function optimizerOf({ optimizer, optimizer_args: given, clip }: any): Optimizer {
  const { betas: [beta1, beta2] = [], ...rest } = given;
  const renamed = Object.fromEntries(Object.entries(rest).map(([name, value]) => [ARGUMENTS[name] ?? name, value]));
  const clipping = clip && { [clip.kind === "norm" ? "globalClipNorm" : "clipValue"]: clip.value };
  const make = optimizers[optimizer.toLowerCase() as keyof typeof optimizers];
  return make({ ...renamed, ...(beta1 === undefined ? {} : { beta1, beta2 }), ...clipping, convention: "torch" });
}

/** A recurrent stack with a linear head on every step, or on the last. */
class Tagger extends Module {
  rnn: Stack;
  head: ReturnType<typeof layers.dense>;
  readonly kind: TorchKind;
  readonly biasRows: boolean;

  constructor(config: StackOptions & { outputs: number }) {
    super();
    this.kind = torchKind(config.mode);
    this.biasRows = this.kind !== "gru"; // GRU has two biases as it is
    this.rnn = new Stack({ ...config, biasRows: this.biasRows });
    this.head = layers.dense({ units: config.outputs });
  }

  input(x: { data: ArrayLike<number>; shape: number[] }): object {
    const [B, T] = x.shape;
    return {
      x,
      places: backwardPlaces(B, T, new Array(B).fill(T)),
      ones: this.biasRows ? { data: new Float32Array(B * T * 2).fill(1), shape: [B, T, 2] } : undefined,
    };
  }

  setTorchWeights({ tensors }: OracleCase): void {
    for (const [path, suffix] of this.rnn.names()) {
      const weights = fromTorch(this.kind, tensors, (name) => `param.rnn.${name}${suffix}`, this);
      this.setWeights(
        Object.fromEntries(Object.entries(weights).map(([name, array]) => [`rnn/${path}/${name}`, array])),
      );
    }
    this.setWeights({
      "head/kernel": fromLinear(tensors["param.head.weight"]),
      "head/bias": tensors["param.head.bias"],
    });
  }

  assertFinalWeights(oracle: OracleCase): void {
    const weights = this.getWeights();
    const final = (name: string, data: ArrayLike<number>): void =>
      assertWithin(oracle, `output.final_param.${name}`, data, "trajectory");
    for (const [path, suffix] of this.rnn.names()) {
      const own = Object.fromEntries(
        ["kernel", "recurrent_kernel", "bias"].map((name) => [name, weights[`rnn/${path}/${name}`]]),
      );
      for (const [name, data] of Object.entries(toTorch(this.kind, own, this))) final(`rnn.${name}${suffix}`, data);
    }
    final("head.weight", toLinear(weights["head/kernel"]));
    final("head.bias", weights["head/bias"].data);
  }
}

/** Makes the weights of a model by a first call, which changes none of them. */
function build(model: Module, objective: (...args: any[]) => [Tensor, unknown], args: readonly object[]): void {
  valueAndGrad(model, objective, { aux: true })(...args);
}

const norm = (grads: ArrayRecord): number =>
  Math.sqrt(
    Object.values(grads).reduce((sum, { data }) => data.reduce((total, value) => total + value * value, sum), 0),
  );

function optimize(oracle: OracleCase): void {
  const { config, tensors } = oracle;
  const model = new Tagger(config);
  const criterion =
    config.task === "classify" ? losses.sparseCategoricalCrossentropy({ fromLogits: true }) : losses.meanSquaredError();
  const objective = (input: StackInput, target: Tensor): Tensor => {
    const [y] = model.rnn.call(input);
    const [B, T, width] = y.shape;
    const seen = config.task === "per_step" ? y : ops.reshape(ops.slice(y, [0, T - 1]), [B, width]);
    return criterion(target, model.head.call(seen));
  };
  const measure = valueAndGrad(model, objective);
  const step = trainStep(model, optimizerOf(config), objective);
  const args = [model.input(tensors["input.x"]), tensors.target];
  measure(...args); // builds the model
  model.setTorchWeights(oracle);

  const values: number[] = [];
  const norms: number[] = [];
  for (let k = 0; k < config.steps; k++) {
    norms.push(norm(measure(...args).grads));
    values.push(step(...args).value);
  }
  assertWithin(oracle, "output.losses", values, "trajectory");
  assertWithin(oracle, "output.grad_norms_before_clip", norms, "trajectory");
  model.assertFinalWeights(oracle);
  model.dispose();
}

/** Truncated BPTT: the final states of a chunk start the next one, as constants. */
function truncate(oracle: OracleCase): void {
  const {
    config: { chunk, chunks, hidden_size: H, ...config },
    tensors,
  } = oracle;
  const [B, , I] = tensors["input.x"].shape;
  const L = config.num_layers;
  const model = new Tagger({ ...config, hidden_size: H });
  const mse = losses.meanSquaredError();
  const objective = (input: StackInput, target: Tensor): [Tensor, Tensor[]] => {
    const [y, ...states] = model.rnn.call(input);
    return [mse(target, model.head.call(y)), states];
  };
  const step = trainStep(model, optimizerOf(config), objective);
  const cut = (name: string, width: number, first: number): { data: Float32Array; shape: number[] } => {
    const {
      data,
      shape: [, T],
    } = tensors[name];
    const rows = Array.from({ length: B }, (_, b) =>
      Array.from(data.subarray((b * T + first) * width, (b * T + first + chunk) * width)),
    );
    return { data: Float32Array.from(rows.flat()), shape: [B, chunk, width] };
  };
  let states: object[] = Array.from({ length: model.kind === "lstm" ? 2 : 1 }, () => ({
    data: new Float32Array(L * B * H),
    shape: [L, B, H],
  }));
  const args = (k: number): object[] => [
    { ...model.input(cut("input.x", I, k * chunk)), h0: states[0], c0: states[1] },
    cut("target", config.outputs, k * chunk),
  ];
  build(model, objective, args(0));
  model.setTorchWeights(oracle);
  const values: number[] = [];
  for (let k = 0; k < chunks; k++) {
    const { value, aux } = step(...args(k)) as { value: number; aux?: any };
    values.push(value);
    states = aux;
  }
  assertWithin(oracle, "output.losses", values, "trajectory");
  ["final_h", "final_c"]
    .slice(0, states.length)
    .forEach((name, i) =>
      assertWithin(oracle, `output.${name}`, (states[i] as { data: Float32Array }).data, "trajectory"),
    );
  model.assertFinalWeights(oracle);
  model.dispose();
}

/** c = [onehot(x), h]; out = i2o(c); h = i2h(c), with or without tanh: a cell as people write it in a tutorial. */
class Elman extends Module {
  i2h: ReturnType<typeof layers.dense>;
  i2o: ReturnType<typeof layers.dense>;
  #tokens: number;

  constructor({
    input_size,
    hidden_size,
    outputs,
    tanh,
  }: {
    input_size: number;
    hidden_size: number;
    outputs: number;
    tanh: boolean;
  }) {
    super();
    this.#tokens = input_size;
    this.i2h = layers.dense({ units: hidden_size, activation: tanh ? "tanh" : "linear" });
    this.i2o = layers.dense({ units: outputs });
  }

  override call(token: Tensor, h: Tensor): [Tensor, Tensor] {
    const c = ops.concat([ops.oneHot(token, this.#tokens), h], 1);
    return [this.i2o.call(c), this.i2h.call(c)];
  }
}

function writeByHand(oracle: OracleCase): void {
  const { config, name, tensors } = oracle;
  const model = new Elman({ ...config, tanh: /tanh$/.test(name) });
  const nll = losses.sparseCategoricalCrossentropy({ fromLogits: true });
  const objective = (tokens: Tensor, h0: Tensor, target: Tensor): [Tensor, Tensor] => {
    let [out, h] = [h0, h0];
    for (let t = 0; t < tokens.shape[0]; t++) [out, h] = model.call(ops.slice(tokens, [t], [1]), h);
    return [nll(target, out), h];
  };
  const step = trainStep(model, optimizerOf(config), objective);
  const {
    data: sequences,
    shape: [, longest],
  } = tensors["input.sequences"];
  const h0 = { data: new Float32Array(config.hidden_size), shape: [1, config.hidden_size] };
  const args = (k: number): object[] => [
    sequences.slice(k * longest, k * longest + tensors["input.lengths"].data[k]),
    h0,
    tensors.target.data.slice(k, k + 1),
  ];
  build(model, objective, args(0));
  model.setWeights({
    "i2h/kernel": fromLinear(tensors["param.i2h.weight"]),
    "i2h/bias": tensors["param.i2h.bias"],
    "i2o/kernel": fromLinear(tensors["param.i2o.weight"]),
    "i2o/bias": tensors["param.i2o.bias"],
  });
  const results = Array.from({ length: config.steps }, (_, k) => step(...args(k)) as { value: number; aux?: any });
  assertWithin(
    oracle,
    "output.losses",
    results.map(({ value }) => value),
    "trajectory",
  );
  assertWithin(oracle, "output.last_hidden", results.at(-1)!.aux.data, "trajectory");
  const weights = model.getWeights();
  for (const layer of ["i2h", "i2o"]) {
    assertWithin(oracle, `output.final_param.${layer}.weight`, toLinear(weights[`${layer}/kernel`]), "trajectory");
    assertWithin(oracle, `output.final_param.${layer}.bias`, weights[`${layer}/bias`].data, "trajectory");
  }
  model.dispose();
}

export function runTraining(oracle: OracleCase): void {
  if (oracle.name === "lr_schedules") runSchedules(oracle);
  else if (oracle.name.startsWith("handwritten")) writeByHand(oracle);
  else if (oracle.name.startsWith("tbptt")) truncate(oracle);
  else optimize(oracle);
}
