/** Optimizers: a row of a table each, options in Keras' names. What they do to a model's memory is in `model/updater.ts`. */
import { OptionError } from "./errors.ts";
import { checkOptions, givenOptions, knownName, namesOf } from "./options.ts";
import type { NDArray } from "./program/array.ts";
import type { Operand } from "./program/tensor.ts";
import type { Trace } from "./program/trace.ts";
import type { Network } from "./model/network.ts";
import { applyGradients } from "./model/updater.ts";
import { power } from "./portable.ts";
import { ADAM_HYPER, RMSPROP_HYPER, SGD_HYPER } from "./reference/optimizer.ts";

/** A learning rate by the number of updates done. */
export type Schedule = (step: number) => number;

/** Where epsilon, momentum and weight decay stand, and which defaults hold. */
export type Convention = "keras" | "torch";

export interface OptimizerOptions {
  learningRate?: number | Schedule;
  /** Longest that each weight's gradient may be. */
  clipNorm?: number | undefined;
  /** Longest that all gradients together may be. */
  globalClipNorm?: number | undefined;
  /** Largest magnitude of a gradient's elements. */
  clipValue?: number | undefined;
  /** Keras: taken off the weights, times the rate. PyTorch: added to the gradient (L2), but in adamw. */
  weightDecay?: number | undefined;
  convention?: Convention;
}

export interface SGDOptions extends OptimizerOptions {
  momentum?: number;
  nesterov?: boolean;
}

export interface RMSpropOptions extends OptimizerOptions {
  rho?: number;
  momentum?: number;
  epsilon?: number;
  /** Divides by the standard deviation of the gradient instead of its root mean square. */
  centered?: boolean;
}

export interface AdamOptions extends OptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** Divides by the largest second moment so far. */
  amsgrad?: boolean;
}

/** Runs of floats that one update kernel works on. */
export interface UpdateRange {
  readonly size: number;
  readonly gradient: Operand;
  readonly parameter: Operand;
  /** One per slot. */
  readonly slots: readonly Operand[];
  readonly hyper: Operand;
  readonly guard: Operand;
}

/** Every option of a rule, filled in. */
type Config = Record<string, number | boolean>;

interface Rule {
  readonly defaults: Config;
  /** Defaults that are others in PyTorch. */
  readonly torch?: Config;
  /** What this configuration keeps beside every weight. */
  slots(config: Config): readonly string[];
  /** Names of the kernel's hyperparameters, in order. */
  readonly layout: readonly string[];
  /** Their values for update number `step`, from 1. */
  hyper(config: Config, rate: number, step: number, torch: boolean): Record<string, number>;
  record(trace: Trace, range: UpdateRange, slot: (name: string) => Operand | 0, config: Config): void;
}

/** Weight decay as kernels take it: added to the gradient, or taken off the weight. */
const decays = ({ weightDecay }: Config, rate: number, l2: boolean): { l2: number; decay: number } =>
  (l2 ? { l2: +weightDecay, decay: 0 } : { l2: 0, decay: rate * +weightDecay });

/** Adam; `decoupled`: weight decay is off the gradient whatever the convention (Loshchilov and Hutter 2019). */
const adamRule = (decoupled: boolean, weightDecay: number, torchDecay: number): Rule => ({
  defaults: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false, weightDecay },
  torch: { epsilon: 1e-8, weightDecay: torchDecay },
  slots: ({ amsgrad }) => (amsgrad ? ["m", "v", "vhat"] : ["m", "v"]),
  layout: ADAM_HYPER,
  hyper(config, rate, step, torch) {
    const [beta1, beta2, epsilon] = [+config.beta1, +config.beta2, +config.epsilon];
    const root = Math.sqrt(1 - power(beta2, step));
    return {
      rate: rate * root / (1 - power(beta1, step)), ...decays(config, rate, torch && !decoupled),
      beta1, share1: 1 - beta1, beta2, share2: 1 - beta2,
      // PyTorch adds epsilon after the bias correction, Keras before: its epsilon is the paper's epsilon hat
      epsilon: torch ? epsilon * root : epsilon,
    };
  },
  record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
    trace.call("f32_adam", size, gradient, parameter, slot("m"), slot("v"), slot("vhat"), hyper, guard),
});

const RULES: Record<string, Rule> = {
  sgd: {
    defaults: { learningRate: 0.01, momentum: 0, nesterov: false, weightDecay: 0 },
    torch: { learningRate: 0.001 },
    slots: ({ momentum }) => (momentum !== 0 ? ["momentum"] : []),
    layout: SGD_HYPER,
    hyper: (config, rate, _step, torch) =>
      ({ rate, ...decays(config, rate, torch), momentum: +config.momentum, share: 1, torch: +torch }),
    record: (trace, { size, gradient, parameter, hyper, guard }, slot, { nesterov }) =>
      trace.call("f32_sgd", size, gradient, parameter, slot("momentum"), hyper, guard, +nesterov),
  },
  rmsprop: {
    defaults: { learningRate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false, weightDecay: 0 },
    torch: { learningRate: 0.01, rho: 0.99, epsilon: 1e-8 },
    slots: ({ momentum, centered }) => ["v", ...(momentum !== 0 ? ["momentum"] : []), ...(centered ? ["average"] : [])],
    layout: RMSPROP_HYPER,
    hyper: (config, rate, _step, torch) => ({
      rate, ...decays(config, rate, torch), momentum: +config.momentum, rho: +config.rho, share: 1 - +config.rho,
      epsilon: +config.epsilon, torch: +torch,
    }),
    record: (trace, { size, gradient, parameter, hyper, guard }, slot) =>
      trace.call("f32_rmsprop", size, gradient, parameter, slot("v"), slot("momentum"), slot("average"), hyper, guard),
  },
  adam: adamRule(false, 0, 0),
  adamw: adamRule(true, 0.004, 0.01),
};

/** Options that say how much of a running mean stays. */
const MEANS = ["beta1", "beta2", "rho"];

/** Options all optimizers have, beside those of their rule. */
const COMMON = ["clipNorm", "globalClipNorm", "clipValue", "convention"];

/** How to change weights by gradients. Its slots belong to the modules it is applied to. */
export class Optimizer {
  /** Name of its factory. */
  readonly kind: string;
  /** May be changed between updates. */
  learningRate: number | Schedule;
  readonly convention: Convention;
  /** @internal */
  readonly clipping: { readonly clipNorm?: number; readonly globalClipNorm?: number; readonly clipValue?: number };
  private readonly rule: Rule;
  private readonly config: Config;

  /** @internal */
  constructor(kind: string, options: OptimizerOptions & Record<string, unknown>) {
    this.kind = kind;
    this.rule = RULES[kind];
    const known = [...Object.keys(this.rule.defaults), ...COMMON];
    checkOptions(`optimizers.${kind}`, options, known);
    const { convention = "keras", clipNorm, globalClipNorm, clipValue, learningRate, ...rest } = options;
    if (convention !== "keras" && convention !== "torch") throw new OptionError(`optimizers.${kind}: expected convention "keras" or "torch", got "${String(convention)}"`);
    const given = givenOptions(rest) as Config;
    this.convention = convention;
    this.config = { ...this.rule.defaults, ...(convention === "torch" ? this.rule.torch : {}), ...given };
    this.learningRate = learningRate ?? +this.config.learningRate;
    this.clipping = { clipNorm, globalClipNorm, clipValue };
    this.check();
  }

  private check(): void {
    const subject = `optimizers.${this.kind}`;
    for (const [name, value] of Object.entries({ ...this.config, ...this.clipping, learningRate: this.learningRate })) {
      if (value === undefined || typeof value === "boolean" || typeof value === "function") continue;
      if (!(typeof value === "number" && value >= 0 && Number.isFinite(value))) throw new OptionError(`${subject}: expected ${name} ≥ 0, got ${String(value)}`);
      if (MEANS.includes(name) && value >= 1) throw new OptionError(`${subject}: expected ${name} of 0 ≤ ${name} < 1, got ${value}`);
    }
  }

  /** Names of what it keeps beside every weight. */
  get slots(): readonly string[] {
    return this.rule.slots(this.config);
  }

  /** Hyperparameters of the update after `done` updates, as its kernel reads them. @internal */
  hyper(done: number): number[] {
    const rate = typeof this.learningRate === "function" ? this.learningRate(done) : this.learningRate;
    const values = this.rule.hyper(this.config, rate, done + 1, this.convention === "torch");
    return this.rule.layout.map((name) => values[name]);
  }

  /** @internal */
  record(trace: Trace, range: UpdateRange): void {
    const { slots } = this;
    this.rule.record(trace, range, (name) => range.slots[slots.indexOf(name)] ?? 0, this.config);
  }

  /**
   * Updates a module once.
   *
   * @param grads  by the names of `getWeights`, as `valueAndGrad` gives them; weights not named count as zero gradients
   * @throws OptionError, ShapeError for gradients that are not the module's; ValueError when one is not finite
   */
  apply(module: Network, grads: Record<string, NDArray>): void {
    applyGradients(this, module, grads);
  }
}

const factory = <O extends OptimizerOptions>(kind: string) => (options: O = {} as O): Optimizer =>
  new Optimizer(kind, options as OptimizerOptions & Record<string, unknown>);

export const optimizers = {
  /** Stochastic gradient descent, with momentum where asked. */
  sgd: factory<SGDOptions>("sgd"),
  /** Divides by the root of a running mean of squared gradients (Tieleman and Hinton 2012). */
  rmsprop: factory<RMSpropOptions>("rmsprop"),
  /** Adaptive moments (Kingma and Ba 2015). */
  adam: factory<AdamOptions>("adam"),
  /** Adam with decoupled weight decay. */
  adamw: factory<AdamOptions>("adamw"),
};

/** An optimizer given by name, or as it is. @throws OptionError for an unknown name */
export function optimizerOf(optimizer: Optimizer | string): Optimizer {
  if (typeof optimizer === "object" && typeof optimizer?.record === "function") return optimizer; // of another copy of the package too
  const name = typeof optimizer === "string" ? optimizer.toLowerCase() : optimizer;
  return new Optimizer(knownName("optimizer", "optimizer", name, namesOf(RULES)), {});
}
