/** Where weights start. Each factory gives plain data, so that a configuration can be saved. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { checkNumbers, checkOptions, givenOptions, knownName, namesOf } from "../base/options.ts";
import { orthonormalize } from "./orthonormal.ts";
import type { Initializer } from "../graph/parameter.ts";
import { describe, sizeOf, type Shape } from "../base/shape.ts";
import { Random } from "../base/random.ts";
import { shown } from "../base/formatting.ts";

/** An initializer by name with its options, as the factories below give it. */
export interface InitializerConfig {
  /** Name of the factory. */
  readonly initializer: string;
  /** Of its own; that of the model when absent. */
  readonly seed?: number | undefined;
  /** An option of the factory. */
  readonly [option: string]: unknown;
}

/** An initializer as layer options take it: from a factory, by name, or a function of your own (which cannot be saved). */
export type InitializerInput = InitializerConfig | string | Initializer;

type Fill = (out: Float32Array, shape: Shape, random: Random) => void;

function each(out: Float32Array, value: () => number): void {
  for (let i = 0; i < out.length; i++) out[i] = value();
}

/** A normal number within two standard deviations. */
function truncated(random: Random): number {
  let x = random.normal();
  while (Math.abs(x) > 2) x = random.normal();
  return x;
}

/** Inputs and outputs of a weight: its last two axes, times whatever comes before. */
function fans(shape: Shape): [fanIn: number, fanOut: number] {
  if (shape.length < 2) return [shape[0] ?? 1, shape[0] ?? 1];
  const field = sizeOf(shape.slice(0, -2));
  return [shape.at(-2)! * field, shape.at(-1)! * field];
}

/** What truncation at two standard deviations leaves of one. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

/** Uniform or normal numbers of variance scale / fan. */
const scaled =
  (scale: number, fan: (fanIn: number, fanOut: number) => number, normal: boolean): Fill =>
  (out, shape, random) => {
    const variance = scale / Math.max(1, fan(...fans(shape)));
    const limit = Math.sqrt(3 * variance);
    const deviation = Math.sqrt(variance) / TRUNCATED_DEVIATION;
    each(out, normal ? () => truncated(random) * deviation : () => (random.uniform() * 2 - 1) * limit);
  };

const average = (fanIn: number, fanOut: number): number => (fanIn + fanOut) / 2;
const input = (fanIn: number): number => fanIn;

/** Orthonormal rows or columns, whichever are fewer, from random vectors (Saxe et al. 2013). */
function orthogonal(out: Float32Array, shape: Shape, random: Random, gain: number): void {
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

/** A row per initializer: the defaults of its options, and how it fills. */
const TABLE: Record<string, { defaults: Record<string, number>; fill: (options: Record<string, number>) => Fill }> = {
  zeros: { defaults: {}, fill: () => (out) => out.fill(0) },
  ones: { defaults: {}, fill: () => (out) => out.fill(1) },
  constant: {
    defaults: { value: 0 },
    fill:
      ({ value }) =>
      (out) =>
        out.fill(value),
  },
  randomUniform: {
    defaults: { minval: -0.05, maxval: 0.05 },
    fill:
      ({ minval, maxval }) =>
      (out, _shape, random) =>
        each(out, () => minval + (maxval - minval) * random.uniform()),
  },
  randomNormal: {
    defaults: { mean: 0, stddev: 0.05 },
    fill:
      ({ mean, stddev }) =>
      (out, _shape, random) =>
        each(out, () => mean + stddev * random.normal()),
  },
  truncatedNormal: {
    defaults: { mean: 0, stddev: 0.05 },
    fill:
      ({ mean, stddev }) =>
      (out, _shape, random) =>
        each(out, () => mean + stddev * truncated(random)),
  },
  glorotUniform: { defaults: {}, fill: () => scaled(1, average, false) },
  glorotNormal: { defaults: {}, fill: () => scaled(1, average, true) },
  heUniform: { defaults: {}, fill: () => scaled(2, input, false) },
  heNormal: { defaults: {}, fill: () => scaled(2, input, true) },
  lecunUniform: { defaults: {}, fill: () => scaled(1, input, false) },
  lecunNormal: { defaults: {}, fill: () => scaled(1, input, true) },
  orthogonal: {
    defaults: { gain: 1 },
    fill:
      ({ gain }) =>
      (out, shape, random) =>
        orthogonal(out, shape, random, gain),
  },
  identity: {
    defaults: { gain: 1 },
    fill:
      ({ gain }) =>
      (out, shape) => {
        out.fill(0);
        for (let i = 0; i < Math.min(...shape); i++) out[i * shape.at(-1)! + i] = gain;
      },
  },
};

/** Keras' other names. */
const NAMES: Record<string, string> = { zero: "zeros", one: "ones", uniform: "randomUniform", normal: "randomNormal" };

/** Options of an initializer that are given, its seed among them. @throws OptionError for unknown ones, and for what is no number */
function checked(subject: string, name: string, options: object): Record<string, number> {
  const known = [...Object.keys(TABLE[name].defaults), "seed"];
  checkOptions(subject, options, known);
  checkNumbers(subject, options, known);
  checkNumbers(subject, options, ["stddev"], 0);
  return givenOptions(options) as Record<string, number>;
}

/**
 * The function behind an initializer option.
 *
 * @throws OptionError for an unknown name
 */
export function initializerOf(subject: string, value: InitializerInput): Initializer {
  if (typeof value === "function") {
    return (shape, random) => {
      const out = value(shape, random);
      if (out?.length !== sizeOf(shape))
        throw new ShapeError(
          `${subject}: expected the initializer to give ${sizeOf(shape)} numbers for ${describe(shape)}, got ${out?.length ?? shown(out)}`,
        );
      return out;
    };
  }
  const {
    initializer: name,
    seed,
    ...options
  } = typeof value === "object" && value !== null ? value : { initializer: value, seed: undefined };
  const initializer = knownName(subject, "initializer", name, namesOf(TABLE), NAMES);
  const { defaults, fill } = TABLE[initializer];
  const given = checked(`${subject}: ${initializer}`, initializer, { ...options, seed });
  const filler = fill({ ...defaults, ...given });
  return (shape, random) => {
    const out = new Float32Array(sizeOf(shape));
    filler(out, shape, seed === undefined ? random : new Random(seed));
    return out;
  };
}

/** Options of `initializers.constant`. */
export interface ConstantOptions {
  /** Of every weight. @default 0 */
  value?: number;
}

/** Options of `initializers.randomUniform`. */
export interface UniformOptions {
  /** Lower end. @default -0.05 */
  minval?: number;
  /** Upper end. @default 0.05 */
  maxval?: number;
}

/** Options of `initializers.randomNormal` and `truncatedNormal`. */
export interface NormalOptions {
  /** Middle of the distribution. @default 0 */
  mean?: number;
  /** Standard deviation. @default 0.05 */
  stddev?: number;
}

/** Options of `initializers.orthogonal` and `identity`. */
export interface GainOptions {
  /** Factor of all. @default 1 */
  gain?: number;
}

/** Options of all initializers. */
export interface SeedOptions {
  /** Of its own; that of the model when absent. */
  seed?: number;
}

/** A factory of initializers. */
export type InitializerFactory<O> = (options?: O & SeedOptions) => InitializerConfig;

const factory =
  <O extends object>(name: string): InitializerFactory<O> =>
  (options = {} as O & SeedOptions) => ({ initializer: name, ...checked(`initializers.${name}`, name, options) });

/**
 * Where weights start; pass one as `kernelInitializer` and the like. A seed of its own makes one independent of the model's.
 *
 * @namespace
 */
export const initializers = {
  /** 0. */
  zeros: factory("zeros"),
  /** 1. */
  ones: factory("ones"),
  /** `value`, 0 by default. */
  constant: factory<ConstantOptions>("constant"),
  /** Evenly from `minval` to `maxval`; ±0.05 by default. */
  randomUniform: factory<UniformOptions>("randomUniform"),
  /** Normally around `mean`, 0 by default, by `stddev`, 0.05. */
  randomNormal: factory<NormalOptions>("randomNormal"),
  /** As `randomNormal`, within two standard deviations. */
  truncatedNormal: factory<NormalOptions>("truncatedNormal"),
  /** Evenly within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010). */
  glorotUniform: factory("glorotUniform"),
  /** Normally, cut at two standard deviations, by √(2 / (inputs + outputs)). */
  glorotNormal: factory("glorotNormal"),
  /** Evenly within ±√(6 / inputs) (He et al. 2015). */
  heUniform: factory("heUniform"),
  /** Normally, cut at two standard deviations, by √(2 / inputs). */
  heNormal: factory("heNormal"),
  /** Evenly within ±√(3 / inputs) (LeCun et al. 1998). */
  lecunUniform: factory("lecunUniform"),
  /** Normally, cut at two standard deviations, by √(1 / inputs). */
  lecunNormal: factory("lecunNormal"),
  /** Orthonormal rows or columns, whichever are fewer, times `gain`, 1 by default (Saxe et al. 2013). */
  orthogonal: factory<GainOptions>("orthogonal"),
  /** `gain` on the diagonal, 1 by default, 0 elsewhere. */
  identity: factory<GainOptions>("identity"),
};
