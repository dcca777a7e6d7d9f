/** Every option of every factory with values of every kind: errors name the option, flags take only true and false. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as gatewise from "../../bindings/index.ts";
import { GatewiseError, cells, layers } from "../../bindings/index.ts";
import { cellDefinitions, layerDefinitions } from "../../bindings/layers/index.ts";
import type { LayerDefinition } from "../../bindings/layers/definition.ts";
import { CELL_SAMPLES, LAYER_SAMPLES } from "../layers/samples.ts";

const test = suite("junk as options");

function transferred(): Float32Array {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const cyclic: unknown[] = [];
cyclic.push(cyclic);

const JUNK: readonly unknown[] = [
  null,
  NaN,
  Infinity,
  -1,
  0,
  1.5,
  2 ** 31,
  "x",
  "",
  true,
  false,
  [],
  [[]],
  {},
  () => 1,
  Symbol("s"),
  10n,
  new Date(0),
  [undefined],
  [Symbol("s")],
  transferred(),
  Object.freeze({ units: 3 }),
  Object.create(null),
  new Map(),
  new Uint8Array(2),
  Promise.resolve(1),
  cyclic,
  [10n],
];

/** Calls something with junk. @returns whether it was accepted */
function accepted(what: string, run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    assert.ok(error instanceof GatewiseError, `${what}: ${String((error as Error).stack)}`);
    assert.match(error.message, /^[^:]+: .*expected .*, got /, what);
    return false;
  }
}

type Factory = (options: unknown) => unknown;

/** A factory with options that it takes, and the flags among those that it knows. */
function judge(
  name: string,
  make: Factory,
  good: () => Record<string, unknown>,
  defaults: Readonly<Record<string, unknown>>,
): void {
  test(name, () => {
    JUNK.forEach((junk, k) => accepted(`${name}(${k})`, () => make(junk)));
    for (const option of Object.keys(defaults)) {
      JUNK.forEach((junk, k) => {
        const taken = accepted(`${name}: ${option} ${k}`, () => make({ ...good(), [option]: junk }));
        if (typeof defaults[option] === "boolean")
          assert.is(taken, typeof junk === "boolean", `${name}: ${option} ${k}`);
      });
    }
  });
}

for (const [table, samples, factories] of [
  [layerDefinitions, LAYER_SAMPLES, layers],
  [cellDefinitions, CELL_SAMPLES, cells],
] as const) {
  for (const [name, { type, defaults }] of Object.entries(table) as [string, LayerDefinition<any>][]) {
    judge(
      type,
      (factories as unknown as Record<string, Factory>)[name],
      (samples as typeof LAYER_SAMPLES)[name as "gru"][0].options,
      defaults as Record<string, unknown>,
    );
  }
}

const NEEDED: Readonly<Record<string, Record<string, unknown>>> = {
  exponentialDecay: { initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.5 },
  inverseTimeDecay: { initialLearningRate: 0.1, decaySteps: 3, decayRate: 0.5 },
  piecewiseConstantDecay: { boundaries: [1], values: [0.1, 0.2] },
  polynomialDecay: { initialLearningRate: 0.1, decaySteps: 3 },
  cosineDecay: { initialLearningRate: 0.1, decaySteps: 3 },
  cosineAnnealing: { initialLearningRate: 0.1, decaySteps: 3 },
  stepDecay: { initialLearningRate: 0.1, decaySteps: 3 },
  cosineDecayRestarts: { initialLearningRate: 0.1, firstDecaySteps: 3 },
  oneCycle: { maxLearningRate: 0.1, totalSteps: 9 },
  modelCheckpoint: { filepath: () => undefined },
  csvLogger: { filename: () => undefined },
  jsonLogger: { filename: () => undefined },
};

/** The options that a factory knows, as its refusal of another one lists them; those of these names are flags. */
const FLAGS =
  /^(fromLogits|full|logVariance|logRate|applyClassBalancing|nesterov|centered|amsgrad|useEma|staircase|cycle|threePhase|restoreBestWeights|saveBestOnly|append|relative|decoupledWeightDecay)$/;
function known(make: Factory): Record<string, unknown> {
  try {
    make({ qqqqqq: 1 });
  } catch (error) {
    const [, names = ""] = /expected one of the options (.*), got/.exec((error as Error).message) ?? [];
    return Object.fromEntries(
      names
        .split(", ")
        .filter((name) => name !== "")
        .map((name) => [name, FLAGS.test(name) ? false : undefined]),
    );
  }
  return {};
}

for (const table of [
  "initializers",
  "regularizers",
  "constraints",
  "losses",
  "metrics",
  "optimizers",
  "schedules",
  "callbacks",
] as const) {
  for (const [name, make] of Object.entries(gatewise[table]) as [string, Factory][])
    judge(`${table}.${name}`, make, () => NEEDED[name] ?? {}, known(make));
}

test("no schedule waits for ever", () => {
  const at = gatewise.schedules.cosineDecayRestarts({ initialLearningRate: 1, firstDecaySteps: 1e-3, tMul: 1 });
  assert.ok(Math.abs(at(1e9)) <= 1);
});

test.run();
