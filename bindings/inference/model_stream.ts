/** What a model's streams run: programs that trace it for some steps, over states of their own. */
import { StateError, UnsupportedError } from "../base/errors.ts";
import { checkCount, checkOptions } from "../base/options.ts";
import { Program } from "../program/program.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Trace } from "../graph/trace.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { inputType, type SequentialLayer } from "../models/sequential.ts";
import { CarriedStates } from "../module/state_stores.ts";
import type { Runner, StreamOptions, StreamSource } from "./stream.ts";

export type Streamable = ModuleBase & {
  readonly layers: readonly SequentialLayer[];
  readonly inputShape?: readonly (number | null)[] | undefined;
};

type CompiledRunner = Runner & { readonly program: Program };

const DEFAULT_BLOCK = 128;

/** @throws OptionError for anything but what `stream` takes. @returns the options filled in */
export function streamOptions(subject: string, options: StreamOptions): { batch: number; block: number } {
  checkOptions(subject, options, ["batch", "block"]);
  const { batch = 1, block = DEFAULT_BLOCK } = options;
  checkCount(subject, "batch", batch);
  checkCount(subject, "block", block);
  return { batch, block };
}

/** @throws UnsupportedError unless all layers run step by step */
export function checkStreamable(subject: string, { layers }: Streamable): void {
  for (const layer of layers) {
    const why = layer.definition?.unstreamable?.(layer.config);
    if (why)
      throw new UnsupportedError(`${subject}: expected layers that run step by step, got ${layer.describe()}: ${why}`);
  }
}

/** Records so many steps of a model. @param states  where its layers carry theirs */
export function traceSteps(
  model: Streamable,
  states: CarriedStates,
  batch: number,
  steps: number,
): { trace: Trace; input: Tensor; output: Tensor } {
  const trace = new Trace(model.backend, { stream: states, paths: model.modulePaths() });
  const type = inputType(model);
  const features = type === "i32" ? [] : [featuresOf(model)];
  const input = trace.pinned([batch, steps, ...features], type);
  const output = trace.run(() => model.call(...[input])) as Tensor | Tensor[];
  return { trace, input, output: Array.isArray(output) ? output[0] : output };
}

export class ModelSteps implements StreamSource {
  readonly batch: number;
  readonly block: number;
  readonly states: CarriedStates;
  private readonly model: Streamable;
  private readonly runners = new Map<number, CompiledRunner>();

  constructor(model: Streamable, options: StreamOptions = {}) {
    const { batch, block } = streamOptions("stream", options);
    model.throwIfDisposed();
    model.throwIfUnbuilt("stream");
    checkStreamable("stream", model);
    this.model = model;
    this.batch = batch;
    this.block = block;
    this.states = new CarriedStates(model.backend, "stream");
    try {
      this.runner(1);
      if (options.block !== undefined && batch === 1) this.runner(block);
    } catch (error) {
      this.dispose(); // what was placed before the memory ran out
      throw error;
    }
    model.owned.add(this.states); // not this, which holds the model
  }

  runner(steps: number): Runner {
    let runner = this.runners.get(steps);
    if (!runner) this.runners.set(steps, (runner = this.compile(steps)));
    return runner;
  }

  private compile(steps: number): CompiledRunner {
    const { trace, input, output } = traceSteps(this.model, this.states, this.batch, steps);
    const program = new Program(trace, [input], [output], { lasting: true, owner: this.model.ownPrograms });
    return { program, input: program.inputs[0], output: program.outputs[0] };
  }

  throwIfDisposed(): void {
    this.model.throwIfDisposed();
  }

  dispose(): void {
    this.model.owned.delete(this.states);
    for (const { program } of this.runners.values()) program.dispose();
    this.states.dispose();
  }
}

/** Features of a frame, known once the first layer has weights. */
function featuresOf({ layers, inputShape }: Streamable): number {
  const known = inputShape?.at(-1) ?? firstKernel(layers);
  if (known === undefined || known === null)
    throw new StateError(
      "stream: expected to know the features of a frame, got a first layer without weights; give sequential an inputShape",
    );
  return known;
}

function firstKernel(layers: readonly SequentialLayer[]): number | undefined {
  for (const [, parameter] of layers[0].parameters()) return parameter.shape[0];
  return undefined;
}
