/** The optimizer: a rule with its options, and what all rules have in common. */
import { OptionError } from "../base/errors.ts";
import { checkCount, checkNumber, givenOptions, withDefaults, type FilledOptions } from "../base/options.ts";
import { shown } from "../base/formatting.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Operand } from "../graph/ir.ts";
import type { Trace } from "../graph/trace.ts";
import { AVERAGE_HYPER } from "../abi/hyperparameters.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { applyGradients, finishTraining } from "./apply_gradients.ts";
import { COMMON_DEFAULTS, type Convention, type OptimizerOptions, type Schedule } from "./optimizer_options.ts";
import { RULES, type RuleConfig, type RuleDefinition, type RuleHyper } from "./rules.ts";
import type { Clipping, UpdateRange } from "./update_rule.ts";

type Filled = FilledOptions<Omit<OptimizerOptions, "learningRate" | "weightDecay">, typeof COMMON_DEFAULTS>;

/** Decays of running means, which are below 1. */
const MEANS = ["beta1", "beta2", "rho"];

/** Options of 0…1. */
const SHARES = ["momentum", "dampening", "emaMomentum"];

/** The options that were given of those that belong to the rule. */
const ruleOptions = ({ defaults }: RuleDefinition, options: object): RuleConfig =>
  Object.fromEntries(Object.entries(givenOptions(options)).filter(([name]) => Object.hasOwn(defaults, name)));

/** An epsilon below this may be lost beside a root, or be 0: an update of it may be 0/0. */
const SMALLEST_EPSILON = 1e-12;

/**
 * How weights are updated by their gradients. One optimizer may train several models: moments and counters belong to each of
 * them, the options to the optimizer.
 */
export class Optimizer {
  /** Name of its factory: `"adam"`. */
  readonly kind: string;
  /** Learning rate of all weights without one of their own. May be changed between updates. */
  learningRate: number | Schedule;
  /** Learning rates by path. The rates may be changed between updates, the paths may not. */
  readonly learningRates: Record<string, number | Schedule>;
  /** Whose formulas it follows. */
  readonly convention: Convention;
  /** Paths and names of weights that do not decay. @internal */
  readonly withoutDecay: readonly string[];
  /** @internal */
  readonly clipping: Clipping;
  /** Steps per update. @internal */
  readonly stepsPerUpdate: number;
  /** Whether averages of the weights are kept. @internal */
  readonly averages: boolean;
  private readonly definition: RuleDefinition;
  private readonly config: RuleConfig;
  private readonly hyperOf: { readonly decaying: RuleHyper; readonly plain: RuleHyper };
  private readonly ema: { readonly momentum: number; readonly frequency: number };

  /** @internal */
  constructor(kind: keyof typeof RULES, options: OptimizerOptions) {
    const subject = `optimizers.${kind}`;
    const definition = RULES[kind];
    const common = withDefaults(subject, options as object, { ...definition.defaults, ...COMMON_DEFAULTS }) as Filled;
    const { convention, useEma, emaMomentum, emaOverwriteFrequency, gradientAccumulationSteps } = common;
    if (convention !== "keras" && convention !== "torch")
      throw new OptionError(`${subject}: expected convention "keras" or "torch", got ${shown(convention)}`);
    const torch = convention === "torch";
    this.kind = kind;
    this.definition = definition;
    this.convention = convention;
    this.config = { ...definition.defaults, ...(torch ? definition.torch : {}), ...ruleOptions(definition, options) };
    this.learningRate = this.config.learningRate as number | Schedule;
    this.clipping = { clipNorm: common.clipNorm, globalClipNorm: common.globalClipNorm, clipValue: common.clipValue };
    this.averages = useEma;
    this.check({ ...this.config, ...this.clipping, emaMomentum });
    for (const [name, count] of Object.entries({ emaOverwriteFrequency, gradientAccumulationSteps }))
      if (count !== undefined) checkCount(subject, name, count);
    this.learningRates = this.checkedRates(common.learningRates);
    this.withoutDecay = this.checkedNames(common.excludeFromWeightDecay);
    this.ema = { momentum: emaMomentum, frequency: emaOverwriteFrequency ?? Infinity };
    this.stepsPerUpdate = gradientAccumulationSteps;
    this.hyperOf = {
      decaying: definition.hyper(this.config, torch),
      plain: definition.hyper({ ...this.config, weightDecay: 0 }, torch),
    };
  }

  private check(options: Record<string, unknown>): void {
    const subject = `optimizers.${this.kind}`;
    for (const [name, value] of Object.entries(options)) {
      if (value === undefined || name === "learningRate") continue;
      if (typeof this.definition.defaults[name] === "boolean") continue;
      checkNumber(subject, name, value, 0);
      const number = value as number;
      if (MEANS.includes(name) && number >= 1)
        throw new OptionError(`${subject}: expected ${name} of 0 ≤ ${name} < 1, got ${number}`);
      if (SHARES.includes(name) && number > 1)
        throw new OptionError(`${subject}: expected ${name} of 0 ≤ ${name} ≤ 1, got ${number}`);
    }
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

  /** The arrays it keeps beside every weight, with the value that each starts from. @internal */
  get slotValues(): Readonly<Record<string, number>> {
    return {
      ...this.definition.slots(this.config),
      ...(this.stepsPerUpdate > 1 ? { gradients: 0 } : {}),
      ...(this.averages ? { ema: 0 } : {}),
    };
  }

  /** Names of the arrays it keeps beside every weight, such as `["m", "v"]`. */
  get slots(): readonly string[] {
    return Object.keys(this.slotValues);
  }

  /**
   * Hyperparameters of the step after `done` steps, as the rule's kernel reads them.
   *
   * @param path    one of {@link learningRates}; undefined for all other weights
   * @param decays  whether weight decay applies to these weights
   * @throws OptionError when a schedule gives no rate
   * @internal
   */
  hyper(done: number, path: string | undefined, decays: boolean): number[] {
    const rate = path === undefined ? this.learningRate : this.learningRates[path];
    const value = typeof rate === "function" ? rate(done) : rate;
    this.checkRate(path === undefined ? "learningRate" : `learningRates of "${path}"`, value);
    const fields = this.hyperOf[decays ? "decaying" : "plain"](value, Math.floor(done / this.stepsPerUpdate) + 1);
    return this.definition.layout.map((name) => fields[name]);
  }

  /** @internal */
  get isRisky(): boolean {
    const { epsilon = 1, centered = false } = this.config;
    return +epsilon < SMALLEST_EPSILON || centered === true;
  }

  /**
   * Multiplies all learning rates, those of {@link learningRates} included.
   *
   * @param least  smallest result; a rate that is below it already stays
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

  /** Hyperparameters of the averages in the step after `done` steps. @internal */
  averageHyper(done: number): number[] {
    const updates = Math.floor(done / this.stepsPerUpdate);
    const keep = updates === 0 ? 0 : this.ema.momentum;
    const fields = { keep, share: 1 - keep, write: +((updates + 1) % this.ema.frequency === 0) };
    return AVERAGE_HYPER.map((name) => fields[name]);
  }

  /** Records the update of neighbouring weights. @internal */
  record(trace: Trace, range: UpdateRange, slot: (name: string) => Operand | 0): void {
    this.definition.record(trace, range, slot, this.config);
  }

  /**
   * Updates the weights of a module once.
   *
   * @param grads  gradients by the names of `getWeights`, as `valueAndGrad` gives them; missing ones count as zeros
   * @throws OptionError, ShapeError for gradients that are not the module's; ValueError when one is not finite
   */
  apply(module: ModuleBase, grads: Record<string, NDArray>): void {
    applyGradients(this, module, grads);
  }

  /** With `useEma`, makes the averages of a module's weights its weights. `fit` calls it at its end; after `trainStep` or `apply`, call it yourself. */
  finalizeVariableValues(module: ModuleBase): void {
    finishTraining(this, module);
  }
}
