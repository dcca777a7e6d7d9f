/** An optimizer: a rule with its options, and what all rules have in common. */
import { OptionError } from "../base/errors.ts";
import { applyGradients, finishTraining } from "./apply.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { checkBoolean, checkCount, checkNumber, checkOptions, givenOptions } from "../base/options.ts";
import { shown } from "../base/formatting.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Operand } from "../graph/ir.ts";
import type { Trace } from "../graph/trace.ts";
import { AVERAGE_HYPER } from "../abi/hyperparameters.ts";
import { RULES, type Config, type Hyper, type Rule, type UpdateRange } from "./rules.ts";

/** A learning rate by the number of steps done. */
export type Schedule = (step: number) => number;

/** Where epsilon, momentum and weight decay stand, and which defaults hold. */
export type Convention = "keras" | "torch";

/** Options that all optimizers have. */
export interface OptimizerOptions {
  /** How far an update goes, or a schedule. The default is that of the optimizer. */
  learningRate?: number | Schedule;
  /**
   * Other rates for some weights, by the path of a layer or a weight: `"embedding"`, `"blocks/0/cell"`, `"lstm/kernel"`. The
   * longest path holds; weights of none have `learningRate`.
   */
  learningRates?: Readonly<Record<string, number | Schedule>> | undefined;
  /** Longest that each weight's gradient may be. */
  clipNorm?: number | undefined;
  /** Longest that all gradients together may be. */
  globalClipNorm?: number | undefined;
  /** Largest magnitude of a gradient's elements. */
  clipValue?: number | undefined;
  /** Keras: taken off the weights, times the rate. PyTorch: added to the gradient (L2), but in adamw and lion. 0, and 0.004 in adamw (PyTorch: 0.01). */
  weightDecay?: number | undefined;
  /** Weights that do not decay: the path of a layer or a weight, as in `learningRates`, or what weights are called in every layer: `"bias"`. */
  excludeFromWeightDecay?: readonly string[] | undefined;
  /** Keeps a running average of the weights, which `fit` makes the weights in the end; see also {@link Optimizer.finalizeVariableValues}. @default false */
  useEma?: boolean | undefined;
  /** How much of the average stays in a step. @default 0.99 */
  emaMomentum?: number | undefined;
  /** Makes the average the weights every so many updates, too. */
  emaOverwriteFrequency?: number | undefined;
  /** Updates once in so many steps, by the mean of their gradients. Schedules go by steps, all else by updates, as in Keras. @default 1 */
  gradientAccumulationSteps?: number | undefined;
  /** Whose places of epsilon, momentum and weight decay, and whose defaults. @default "keras" */
  convention?: Convention;
}

/** Options that say how much of a running mean stays. */
const MEANS = ["beta1", "beta2", "rho"];

/** Options that are shares. */
const SHARES = ["momentum", "dampening", "emaMomentum"];

/** Options all optimizers have, beside those of their rule. */
const COMMON = [
  "learningRates",
  "excludeFromWeightDecay",
  "clipNorm",
  "globalClipNorm",
  "clipValue",
  "useEma",
  "emaMomentum",
  "emaOverwriteFrequency",
  "gradientAccumulationSteps",
  "convention",
];

/** How to change weights by gradients. Its slots belong to the modules it is applied to. */
export class Optimizer {
  /** Name of its factory. */
  readonly kind: string;
  /** May be changed between updates. */
  learningRate: number | Schedule;
  /** Rates of their own, by path. May be changed between updates; which paths there are may not. */
  readonly learningRates: Record<string, number | Schedule>;
  /** Whose rules it follows. */
  readonly convention: Convention;
  /** Paths and names of weights that do not decay. @internal */
  readonly withoutDecay: readonly string[];
  /** @internal */
  readonly clipping: { readonly clipNorm?: number; readonly globalClipNorm?: number; readonly clipValue?: number };
  /** Steps of an update. @internal */
  readonly stepsPerUpdate: number;
  /** Whether it keeps averages of the weights. @internal */
  readonly averages: boolean;
  private readonly rule: Rule;
  private readonly config: Config;
  private readonly ruleHyper: { readonly decaying: Hyper; readonly plain: Hyper };
  private readonly ema: { readonly momentum: number; readonly frequency: number };

  /** @internal */
  constructor(kind: string, options: OptimizerOptions & Record<string, unknown>) {
    this.kind = kind;
    this.rule = RULES[kind];
    checkOptions(`optimizers.${kind}`, options, [...Object.keys(this.rule.defaults), ...COMMON]);
    const {
      convention = "keras",
      learningRate,
      learningRates = {},
      excludeFromWeightDecay = [],
      clipNorm,
      globalClipNorm,
      clipValue,
      useEma = false,
      emaMomentum = 0.99,
      emaOverwriteFrequency,
      gradientAccumulationSteps,
      ...rest
    } = options;
    if (convention !== "keras" && convention !== "torch")
      throw new OptionError(`optimizers.${kind}: expected convention "keras" or "torch", got "${shown(convention)}"`);
    const torch = convention === "torch";
    this.convention = convention;
    this.config = { ...this.rule.defaults, ...(torch ? this.rule.torch : {}), ...(givenOptions(rest) as Config) };
    this.learningRate = learningRate === undefined ? +this.config.learningRate : learningRate;
    this.clipping = { clipNorm, globalClipNorm, clipValue };
    this.averages = useEma;
    this.check({ ...this.config, ...this.clipping, emaMomentum });
    for (const [name, count] of Object.entries({ emaOverwriteFrequency, gradientAccumulationSteps }))
      if (count !== undefined) checkCount(`optimizers.${kind}`, name, count);
    this.learningRates = this.checkedRates(learningRates);
    this.withoutDecay = this.checkedNames(excludeFromWeightDecay);
    this.ema = { momentum: emaMomentum, frequency: emaOverwriteFrequency ?? Infinity };
    this.stepsPerUpdate = gradientAccumulationSteps ?? 1;
    this.ruleHyper = {
      decaying: this.rule.hyper(this.config, torch),
      plain: this.rule.hyper({ ...this.config, weightDecay: 0 }, torch),
    };
  }

  private check(options: Record<string, unknown>): void {
    const subject = `optimizers.${this.kind}`;
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || name === "learningRate") continue;
      if (typeof this.rule.defaults[name] === "boolean") {
        checkBoolean(subject, name, value);
        continue;
      }
      checkNumber(subject, name, value, 0);
      const number = value as number;
      if (MEANS.includes(name) && number >= 1)
        throw new OptionError(`${subject}: expected ${name} of 0 ≤ ${name} < 1, got ${number}`);
      if (SHARES.includes(name) && number > 1)
        throw new OptionError(`${subject}: expected ${name} of 0 ≤ ${name} ≤ 1, got ${number}`);
    }
    checkBoolean(subject, "useEma", this.averages);
    if (typeof this.learningRate !== "function") this.checkRate("learningRate", this.learningRate);
    const { nesterov = false, dampening = 0 } = this.config;
    if (nesterov && dampening !== 0)
      throw new OptionError(`${subject}: expected no dampening with nesterov, got ${shown(dampening)}`);
  }

  private checkRate(name: string, rate: unknown): number {
    // as a float: the kernels read floats
    if (typeof rate === "number" && rate >= 0 && Number.isFinite(Math.fround(rate))) return rate;
    throw new OptionError(`optimizers.${this.kind}: expected ${name} ≥ 0, got ${shown(rate)}`);
  }

  private checkedRates(rates: unknown): Record<string, number | Schedule> {
    if (typeof rates !== "object" || rates === null)
      throw new OptionError(`optimizers.${this.kind}: expected learningRates by path, got ${shown(rates)}`);
    const given = givenOptions(rates) as Record<string, number | Schedule>;
    for (const [path, rate] of Object.entries(given))
      if (typeof rate !== "function") this.checkRate(`learningRates of "${path}"`, rate);
    return Object.seal(given);
  }

  private checkedNames(names: unknown): readonly string[] {
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return [...names];
    throw new OptionError(
      `optimizers.${this.kind}: expected excludeFromWeightDecay as a list of names, got ${typeof names}`,
    );
  }

  /** What it keeps beside every weight, with the value it starts from. @internal */
  get slotValues(): Readonly<Record<string, number>> {
    return {
      ...this.rule.slots(this.config),
      ...(this.stepsPerUpdate > 1 ? { gradients: 0 } : {}),
      ...(this.averages ? { ema: 0 } : {}),
    };
  }

  /** Names of what it keeps beside every weight. */
  get slots(): readonly string[] {
    return Object.keys(this.slotValues);
  }

  /**
   * Hyperparameters of the step after `done` steps, as the rule's kernel reads them.
   *
   * @param path  of {@link learningRates}; undefined: of all other weights
   * @param decays  whether these weights decay
   * @throws OptionError when a schedule gives no rate
   * @internal
   */
  hyper(done: number, path: string | undefined, decays: boolean): number[] {
    const rate = path === undefined ? this.learningRate : this.learningRates[path];
    const value = typeof rate === "function" ? rate(done) : rate;
    this.checkRate(path === undefined ? "learningRate" : `learningRates of "${path}"`, value);
    const fields = this.ruleHyper[decays ? "decaying" : "plain"](value, Math.floor(done / this.stepsPerUpdate) + 1);
    return this.rule.layout.map((name) => fields[name]);
  }

  /**
   * Multiplies all rates, those of {@link learningRates} too.
   *
   * @param least  what they do not fall below; those that are below it stay
   * @throws OptionError when one is a schedule; all are as before then
   * @internal
   */
  scaleLearningRates(factor: number, least: number): void {
    const scaled = (rate: number | Schedule): number => {
      if (typeof rate !== "number")
        throw new OptionError(
          `optimizers.${this.kind}: expected numbers as learning rates to multiply, got a schedule`,
        );
      return Math.min(rate, Math.max(least, rate * factor));
    };
    const rates = Object.entries(this.learningRates).map(([path, rate]): [string, number] => [path, scaled(rate)]);
    this.learningRate = scaled(this.learningRate);
    Object.assign(this.learningRates, Object.fromEntries(rates));
  }

  /** What the kernel of the averages reads in the step after `done` steps. @internal */
  averageHyper(done: number): number[] {
    const updates = Math.floor(done / this.stepsPerUpdate);
    const keep = updates === 0 ? 0 : this.ema.momentum;
    const fields = { keep, share: 1 - keep, write: +((updates + 1) % this.ema.frequency === 0) };
    return AVERAGE_HYPER.map((name) => fields[name]);
  }

  /** @internal */
  record(trace: Trace, range: UpdateRange, slot: (name: string) => Operand | 0): void {
    this.rule.record(trace, range, slot, this.config);
  }

  /**
   * Updates a module once.
   *
   * @param grads  by the names of `getWeights`, as `valueAndGrad` gives them; weights not named count as zero gradients
   * @throws OptionError, ShapeError for gradients that are not the module's; ValueError when one is not finite
   */
  apply(module: ModuleBase, grads: Record<string, NDArray>): void {
    applyGradients(this, module, grads);
  }

  /** Makes the averages the weights of a module, with `useEma`. `fit` does it at its end; after `trainStep` and `apply` it is yours to do. */
  finalizeVariableValues(module: ModuleBase): void {
    finishTraining(this, module);
  }
}
