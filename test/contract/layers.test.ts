/** What every layer and cell promises, held by a few samples of each: a layer without a sample fails. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadExported } from "../../bindings/export/exported_model.ts";
import { backendInfo, cells, layers, loadModel, optimizers, sequential, trainStep, ops } from "../../bindings/index.ts";
import { cellDefinitions, layerDefinitions } from "../../bindings/layers/index.ts";
import { REQUIRED, type LayerDefinition } from "../../bindings/layers/definition.ts";
import type { Layer } from "../../bindings/models/layer.ts";
import type { Model } from "../../bindings/models/model.ts";
import type { Module } from "../../bindings/models/module.ts";
import { statefulStore } from "../../bindings/module/state_stores.ts";
import type { Normalized } from "../../bindings/base/ndarray.ts";
import { TracedFunction } from "../../bindings/program/traced_function.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { currentBackend } from "../../bindings/runtime/context.ts";
import { CELL_SAMPLES, LAYER_SAMPLES, type Sample } from "../layers/samples.ts";
import { backendOf, builds, eachBackend } from "../support/backends.ts";
import { checkGradients, type Subject } from "../support/gradients/finite_difference.ts";
import { close, real, same } from "../support/numbers.ts";
import { integers } from "../support/plain/arrays.ts";
import { refused } from "../support/refused.ts";

type AnyLayer = Module & Pick<Layer, "config" | "definition"> & { call(...args: unknown[]): unknown };
type Factory = (options: Record<string, unknown>) => AnyLayer;

const KINDS = [
  ...Object.entries(LAYER_SAMPLES).map(([name, samples]) => ({
    name,
    samples,
    cell: false,
    factory: (layers as unknown as Record<string, Factory>)[name],
    definition: (layerDefinitions as Record<string, LayerDefinition<any>>)[name],
  })),
  ...Object.entries(CELL_SAMPLES).map(([name, samples]) => ({
    name: `cells.${name}`,
    samples,
    cell: true,
    factory: (cells as unknown as Record<string, Factory>)[name],
    definition: (cellDefinitions as Record<string, LayerDefinition<any>>)[name],
  })),
];

/** A sample as a function of arrays: its inputs, then states, then lengths or mask. */
function subject(factory: Factory, cell: boolean, { options, inputs, given = {}, training = false }: Sample): Subject {
  const root = factory(options());
  root.seed = 1;
  const { states = [], lengths, mask } = given;
  const extra: Normalized[] = states.map((shape, i) => ({
    data: real(
      shape.reduce((a, b) => a * b, 1),
      50 + i,
    ),
    shape,
    dtype: "f32",
  }));
  const steps = lengths
    ? [integers([lengths.length], lengths)]
    : mask
      ? [integers([mask.length, mask[0].length], mask.flat())]
      : [];
  const list = root.definition.input === "list";
  const fn = (...tensors: Tensor[]): Tensor[] => {
    const x = list ? tensors.slice(0, inputs.length) : tensors[0];
    const initial = tensors.slice(inputs.length, inputs.length + states.length);
    const validity = tensors[inputs.length + states.length];
    const call = {
      ...(initial.length > 0 ? { initialState: initial } : {}),
      ...(lengths ? { lengths: validity } : mask ? { mask: validity } : {}),
    };
    return ([root.call(x, cell ? initial : call)] as unknown[]).flat(2) as Tensor[];
  };
  return { root, fn, training, inputs: [...inputs, ...extra, ...steps] };
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && "definition" in item ? (item as AnyLayer).describe() : item,
  );
const title = ({ options, given, training }: Sample): string =>
  `${show(options())}${given ? ` ${show(given)}` : ""}${training ? " training" : ""}`;

const backends = builds.map(backendOf);

for (const { name, samples, cell, factory } of KINDS) {
  const test = suite(`${name}: shapes, values of every build, gradients`);
  for (const sample of samples) {
    test(title(sample), () => {
      const outputs = checkGradients(title(sample), backends, () => subject(factory, cell, sample));
      assert.equal(
        outputs.map(({ shape }) => [...shape]),
        sample.outputs,
      );
      assert.ok(
        outputs.some(({ data }) => Array.from(data).some((value) => value !== 0)),
        "not all zeros",
      );
    });
  }
  test.run();
}

const table = suite("layer samples");

table("are there for every layer and cell", () => {
  for (const [samples, definitions, factories] of [
    [LAYER_SAMPLES, layerDefinitions, layers],
    [CELL_SAMPLES, cellDefinitions, cells],
  ]) {
    assert.equal(Object.keys(samples).sort(), Object.keys(definitions).sort());
    assert.equal(Object.keys(factories).sort(), Object.keys(definitions).sort());
    for (const [name, list] of Object.entries(samples)) assert.ok(list.length > 0, name);
  }
});

table.run();

const arrayOf = ({ data, shape }: Normalized): { data: Float32Array | Int32Array; shape: readonly number[] } => ({
  data,
  shape,
});

/** A sample as a model of its own with one input. */
function modelOf(factory: Factory, { options, inputs }: Sample) {
  const [, ...rest] = inputs[0].shape;
  const inputShape = inputs[0].dtype === "i32" ? [null] : rest.length === 1 ? rest : [null, ...rest.slice(1)];
  return sequential([factory(options())], { seed: 1, ...(rest.length === 3 ? {} : { inputShape }) });
}

/** Samples whose first input is a whole sequence, as models. */
const alone = KINDS.filter(({ cell, definition }) => !cell && definition.input !== "list");

eachBackend("every layer", (test, build) => {
  // what is exported runs on wasm only: with the same bits as the same build
  const playing = build === "reference" ? "simd" : build;
  const compare: typeof same =
    build === "reference" ? (actual, expected, what) => close(actual, expected, 2e-6, what) : same;

  for (const { name, samples, factory } of alone) {
    test(`${name}: saved is loaded`, () => {
      for (const sample of samples.filter(({ unsaved }) => !unsaved)) {
        const [x] = sample.inputs.map(arrayOf);
        const model = modelOf(factory, sample);
        const first = model.predict(x);
        const loaded = loadModel(model.save());
        assert.equal(loaded.predict(x), first, title(sample));
        assert.equal(loaded.getWeights(), model.getWeights());
        assert.equal(loaded.summary(), model.summary());
        model.dispose();
        loaded.dispose();
      }
    });

    test(`${name}: exported computes the same`, () => {
      for (const sample of samples.filter(({ training }) => !training)) {
        const [x] = sample.inputs.map(arrayOf);
        const model = modelOf(factory, sample);
        const expected = model.predict(x); // builds it
        if (statefulStore(model).size > 0) {
          refused(
            () => model.export({ predict: { shape: x.shape, dtype: sample.inputs[0].dtype } }),
            "ERR_UNSUPPORTED",
            /^export: expected layers that are not stateful/,
          );
        } else {
          const there = loadExported(model.export({ predict: { shape: x.shape, dtype: sample.inputs[0].dtype } }), {
            build: playing,
          });
          const actual = there.predict(x);
          for (const [i, array] of [expected].flat().entries())
            compare([actual].flat()[i].data, array.data, title(sample));
        }
        model.dispose();
      }
    });

    test(`${name}: dispose returns every byte`, () => {
      for (const program of currentBackend().arena.cached) program.dispose();
      const before = backendInfo().memoryBytes;
      for (const sample of samples) {
        const [x] = sample.inputs.map(arrayOf);
        const model = modelOf(factory, sample);
        model.predict(x);
        const step = trainStep(model, optimizers.adam(), (a: Tensor) =>
          ops.sum(([model.call(a)].flat() as Tensor[])[0]),
        );
        step(x);
        if (streams(model))
          model
            .stream({ batch: 2 })
            .step(new Float32Array(2 * (sample.inputs[0].dtype === "i32" ? 1 : x.shape.at(-1)!)));
        model.inspect(x);
        assert.ok(backendInfo().memoryBytes > before);
        model.dispose();
        model.dispose();
        assert.is(backendInfo().memoryBytes, before, title(sample));
        refused(
          () => model.predict(x),
          "ERR_DISPOSED",
          /^sequential: expected a live model, got one that was disposed of/,
        );
      }
    });
  }

  for (const { name, samples, factory } of alone.filter(
    ({ definition }) => definition.input !== "any" || definition.prefix === "activation",
  )) {
    test(`${name}: steps of a stream are the sequence`, () => {
      for (const sample of samples) {
        const model = modelOf(factory, sample);
        const [x] = sample.inputs;
        const sequence = x.shape.length === (x.dtype === "i32" ? 2 : 3);
        if (sequence && streams(model) && !sample.training) checkStream(model, x, title(sample));
        model.dispose();
      }
    });
  }
});

/** Whether all layers run step by step. */
const streams = (model: Model): boolean =>
  model.layers.every(({ unstreamable }) => unstreamable === undefined) &&
  model.inputShape!.length === (model.layers[0].inputKind === "tokens" ? 1 : 2);

/** One row of the input, by single steps and by blocks with a rest, against predict. */
function checkStream(model: ReturnType<typeof sequential>, { data, shape }: Normalized, what: string): void {
  const [, T] = shape;
  const width = data.length / shape[0] / T;
  const row = data.slice(0, T * width);
  const output = ([model.predict({ data: row, shape: [1, ...shape.slice(1)] })] as unknown[]).flat()[0] as {
    data: Float32Array;
    shape: number[];
  };
  const size = output.shape.at(-1)!;
  const stepping = model.stream();
  const steps = Array.from({ length: T }, (_, t) => [...stepping.step(row.slice(t * width, (t + 1) * width))]).flat();
  const blocks = model.stream({ block: T - 1 }).process(row as Float32Array);
  close(output.shape.length === 3 ? steps : steps.slice(-size), output.data, 2e-6, `${what}: steps`);
  close(blocks, steps, 2e-6, `${what}: blocks`);
  stepping.reset();
  same(stepping.step(row.slice(0, width)), steps.slice(0, size), `${what}: after reset`);
}

const refusals = suite("layers refuse");

/** Calls a layer on an input of this shape while a function is traced. */
function called(layer: AnyLayer, shape: readonly number[]): void {
  const traced = new TracedFunction("call", layer, ((x: Tensor) => layer.call(x)) as never, {});
  traced.compile(traced.flatten([{ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape }]));
}

/** One letter of an option's name is wrong. */
const misspelt = (name: string): string => `${name.slice(0, -1)}${name.at(-1) === "x" ? "y" : "x"}`;

for (const { name, samples, factory, definition } of KINDS) {
  refusals(`${name}: unknown options, naming the nearest; options that are undefined are absent`, () => {
    const options = samples[0].options();
    const subject = definition.type.replace(".", "\\.");
    for (const known of Object.keys(definition.defaults).filter(({ length }) => length > 2)) {
      const wrong = misspelt(known);
      refused(
        () => factory({ ...options, [wrong]: 1 }),
        "ERR_OPTION",
        new RegExp(
          `^${subject}: expected (one of .*|a known option), got "${wrong}", did you mean "\\w+"\\?( There are .*)?$`,
        ),
      );
    }
    refused(() => factory({ ...options, qqqqqq: 1 }), "ERR_OPTION", /got "qqqqqq"(; there are .*)?$/);
    factory({ ...options, qqqqqq: undefined });
  });

  for (const missing of Object.keys(definition.defaults).filter((option) => definition.defaults[option] === REQUIRED)) {
    refusals(`${name}: to be made without ${missing}`, () => {
      refused(
        () => factory({ ...samples[0].options(), [missing]: undefined }),
        "ERR_OPTION",
        new RegExp(`expected ${missing}, got none`),
      );
    });
  }

  if (definition.input === "sequence") {
    refusals(`${name}: input of another rank or size`, () => {
      const layer = factory({ ...samples[0].options(), name: "mine" });
      const label = `${definition.type} "mine"`;
      refused(
        () => called(layer, [32, 64]),
        "ERR_SHAPE",
        new RegExp(`^${label}: expected input \\[batch, time, features\\], got \\[32, 64\\]; a recurrent layer`),
      );
      if (!definition.parameters) return;
      called(layer, [2, 3, 64]);
      refused(
        () => called(layer, [32, 64]),
        "ERR_SHAPE",
        new RegExp(`^${label}: expected input \\[batch, time, 64\\], got \\[32, 64\\]; a recurrent layer`),
      );
      refused(
        () => called(layer, [2, 3, 63]),
        "ERR_SHAPE",
        new RegExp(`^${label}: expected input \\[batch, time, 64\\], got \\[2, 3, 63\\]$`),
      );
      layer.dispose();
    });
  }

  if (definition.input === "features" && definition.parameters) {
    refusals(`${name}: features of another size`, () => {
      const layer = factory(samples[0].options());
      called(layer, [2, 5]);
      refused(
        () => called(layer, [2, 4]),
        "ERR_SHAPE",
        new RegExp(`^${definition.type.replace(".", "\\.")}: expected input \\[batch, \\.\\., 5\\], got \\[2, 4\\]$`),
      );
      layer.dispose();
    });
  }
}

refusals.run();
