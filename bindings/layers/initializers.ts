/** Initializers of weights. Each factory gives plain data, so that a configuration can be saved. */
import { orthonormalize } from "./orthonormal.ts";
import { ShapeError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkNumbers, checkOptions, givenOptions, knownName, namesOf, type KnownName } from "../base/options.ts";
import { Random } from "../base/random.ts";
import { describe, sizeOf, type Shape } from "../base/shape.ts";
import type { Initializer } from "../graph/parameter.ts";

/** Options of all initializers. */
export interface SeedOptions {
  /** Seed of its own; that of the model by default. */
  seed?: number;
}

/** Options of `initializers.constant`. */
export interface ConstantOptions {
  /** Value of every weight. @default 0 */
  value?: number;
}

/** Options of `initializers.randomUniform`. */
export interface UniformOptions {
  /** Lower bound. @default -0.05 */
  minval?: number;
  /** Upper bound. @default 0.05 */
  maxval?: number;
}

/** Options of `initializers.randomNormal` and `truncatedNormal`. */
export interface NormalOptions {
  /** Mean. @default 0 */
  mean?: number;
  /** Standard deviation. @default 0.05 */
  stddev?: number;
}

/** Options of `initializers.orthogonal` and `identity`. */
export interface GainOptions {
  /** Factor of all weights. @default 1 */
  gain?: number;
}

function each(out: Float32Array, value: () => number): void {
  for (let i = 0; i < out.length; i++) out[i] = value();
}

/** A normal number within two standard deviations. */
function truncated(random: Random): number {
  let x = random.normal();
  while (Math.abs(x) > 2) x = random.normal();
  return x;
}

/** Inputs and outputs of a weight: the extents of its last two axes, times those of the axes before. */
function fans(shape: Shape): [fanIn: number, fanOut: number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const field = sizeOf(shape.slice(0, -2));
  return [shape.at(-2)! * field, shape.at(-1)! * field];
}

/** Standard deviation of a standard normal distribution that is truncated at ±2. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

/** An initializer: the defaults of its options, and how it fills a weight. */
interface Row<O extends object> {
  readonly defaults: Required<O>;
  readonly fill: (out: Float32Array, shape: Shape, random: Random, options: Required<O>) => void;
}

const row = <O extends object>(defaults: Required<O>, fill: Row<O>["fill"]): Row<O> => ({ defaults, fill });

/** Uniform or truncated normal numbers of variance scale / fan, as Keras' VarianceScaling. */
const scaled = (scale: number, fan: (fanIn: number, fanOut: number) => number, normal: boolean): Row<object> =>
  row({}, (out, shape, random) => {
    const variance = scale / Math.max(1, fan(...fans(shape)));
    const limit = Math.sqrt(3 * variance);
    const deviation = Math.sqrt(variance) / TRUNCATED_DEVIATION;
    each(out, normal ? () => truncated(random) * deviation : () => (random.uniform() * 2 - 1) * limit);
  });

const average = (fanIn: number, fanOut: number): number => (fanIn + fanOut) / 2;
const input = (fanIn: number): number => fanIn;

/** Orthonormal rows or columns, whichever are fewer, from random vectors (Saxe et al. 2013). */
function orthogonal(out: Float32Array, shape: Shape, random: Random, { gain }: Required<GainOptions>): void {
  if (shape.length < 2)
    throw new ValueError(`orthogonal: expected a weight of at least 2 axes, got [${shape.join(", ")}]`);
  const columns = shape.at(-1)!;
  const rows = out.length / columns;
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const vectors = Array.from({ length: count }, () => Float64Array.from({ length }, () => random.normal()));
  orthonormalize(vectors);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[r * columns + c] = gain * (rows < columns ? vectors[r][c] : vectors[c][r]);
  }
}

/** Every initializer, by the name of its factory. */
const TABLE = {
  zeros: row({}, (out) => out.fill(0)),
  ones: row({}, (out) => out.fill(1)),
  constant: row<ConstantOptions>({ value: 0 }, (out, _shape, _random, { value }) => out.fill(value)),
  randomUniform: row<UniformOptions>({ minval: -0.05, maxval: 0.05 }, (out, _shape, random, { minval, maxval }) =>
    each(out, () => minval + (maxval - minval) * random.uniform()),
  ),
  randomNormal: row<NormalOptions>({ mean: 0, stddev: 0.05 }, (out, _shape, random, { mean, stddev }) =>
    each(out, () => mean + stddev * random.normal()),
  ),
  truncatedNormal: row<NormalOptions>({ mean: 0, stddev: 0.05 }, (out, _shape, random, { mean, stddev }) =>
    each(out, () => mean + stddev * truncated(random)),
  ),
  glorotUniform: scaled(1, average, false),
  glorotNormal: scaled(1, average, true),
  heUniform: scaled(2, input, false),
  heNormal: scaled(2, input, true),
  lecunUniform: scaled(1, input, false),
  lecunNormal: scaled(1, input, true),
  orthogonal: row<GainOptions>({ gain: 1 }, orthogonal),
  identity: row<GainOptions>({ gain: 1 }, (out, shape, _random, { gain }) => {
    out.fill(0);
    for (let i = 0; i < Math.min(...shape); i++) out[i * shape.at(-1)! + i] = gain;
  }),
};

/** Names of initializers. */
export type InitializerName = keyof typeof TABLE;

/** An initializer by name with its options, as the factories give it. */
export interface InitializerConfig {
  /** Name of the factory. */
  readonly initializer: string;
  /** Seed of its own; that of the model by default. */
  readonly seed?: number | undefined;
  /** An option of the factory. */
  readonly [option: string]: unknown;
}

/** An initializer as an option: from a factory, by name, or a function of your own, which cannot be saved. */
export type InitializerInput = InitializerConfig | KnownName<InitializerName> | Initializer;

/** Keras' other names. */
const ALIASES: Readonly<Record<string, InitializerName>> = {
  zero: "zeros",
  one: "ones",
  uniform: "randomUniform",
  normal: "randomNormal",
};

/** The given options of an initializer, with its seed. @throws OptionError for unknown names and other than numbers */
function checked(subject: string, name: InitializerName, options: object): Record<string, number> {
  const known = [...namesOf(TABLE[name].defaults), "seed"];
  checkOptions(subject, options, known);
  checkNumbers(subject, options, known);
  checkNumbers(subject, options, ["stddev"], 0);
  return givenOptions(options) as Record<string, number>;
}

/** A function of the caller's, with a check of what it gives. */
const checkedFunction =
  (subject: string, initializer: Initializer): Initializer =>
  (shape, random) => {
    const out = initializer(shape, random);
    if (out?.length !== sizeOf(shape))
      throw new ShapeError(
        `${subject}: expected the initializer to give ${sizeOf(shape)} numbers for ${describe(shape)}, ` +
          `got ${out?.length ?? shown(out)}`,
      );
    return out;
  };

/**
 * The function behind an initializer option.
 *
 * @throws OptionError for an unknown name or option
 */
export function initializerOf(subject: string, value: InitializerInput): Initializer {
  if (typeof value === "function") return checkedFunction(subject, value);
  const given = typeof value === "object" && value !== null ? value : { initializer: value };
  const { initializer, ...options } = given as InitializerConfig;
  const name = knownName(subject, "initializer", initializer, namesOf(TABLE), ALIASES);
  const { defaults, fill } = TABLE[name] as Row<Record<string, number>>;
  const { seed, ...own } = checked(`${subject}: ${name}`, name, options);
  return (shape, random) => {
    const out = new Float32Array(sizeOf(shape));
    fill(out, shape, seed === undefined ? random : new Random(seed), { ...defaults, ...own });
    return out;
  };
}

/** A factory of initializers. */
export type InitializerFactory<O> = (options?: O & SeedOptions) => InitializerConfig;

type OptionsOf<N extends InitializerName> = (typeof TABLE)[N] extends Row<infer O> ? O : never;

const factory =
  <N extends InitializerName>(name: N): InitializerFactory<OptionsOf<N>> =>
  (options = {} as OptionsOf<N> & SeedOptions) => ({
    initializer: name,
    ...checked(`initializers.${name}`, name, options),
  });

/**
 * Initializers of weights, for `kernelInitializer` and the like. Each takes a `seed`, which makes it independent of the
 * seed of the model. Inputs and outputs are the extents of a weight's last two axes, times those of the axes before.
 *
 * @namespace
 */
export const initializers = {
  /** All weights are 0. */
  zeros: factory("zeros"),
  /** All weights are 1. */
  ones: factory("ones"),
  /** All weights are `value`, 0 by default. */
  constant: factory("constant"),
  /** Uniform distribution from `minval` to `maxval`, −0.05 to 0.05 by default. */
  randomUniform: factory("randomUniform"),
  /** Normal distribution of mean `mean`, 0 by default, and standard deviation `stddev`, 0.05 by default. */
  randomNormal: factory("randomNormal"),
  /** As `randomNormal`, without the values beyond two standard deviations. */
  truncatedNormal: factory("truncatedNormal"),
  /** Uniform distribution within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010). */
  glorotUniform: factory("glorotUniform"),
  /** Truncated normal distribution of standard deviation √(2 / (inputs + outputs)) (Glorot and Bengio 2010). */
  glorotNormal: factory("glorotNormal"),
  /** Uniform distribution within ±√(6 / inputs) (He et al. 2015). */
  heUniform: factory("heUniform"),
  /** Truncated normal distribution of standard deviation √(2 / inputs) (He et al. 2015). */
  heNormal: factory("heNormal"),
  /** Uniform distribution within ±√(3 / inputs) (LeCun et al. 1998). */
  lecunUniform: factory("lecunUniform"),
  /** Truncated normal distribution of standard deviation √(1 / inputs) (LeCun et al. 1998). */
  lecunNormal: factory("lecunNormal"),
  /** Orthonormal rows or columns, whichever are fewer, times `gain`, 1 by default (Saxe et al. 2013). */
  orthogonal: factory("orthogonal"),
  /** The identity matrix times `gain`, 1 by default. */
  identity: factory("identity"),
};
