/** What a model's streams run: programs that trace it for some steps, over states of their own. */
import { StateError, UnsupportedError } from "../base/errors.ts";
import type { ArrayInput } from "../base/ndarray.ts";
import { checkCount, checkOptions } from "../base/options.ts";
import { Program } from "../program/program.ts";
import type { Shape } from "../base/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Trace } from "../graph/trace.ts";
import { flattenResult, type Structure } from "../graph/pytree.ts";
import type { InputConfig } from "../module/config.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { CarriedStates } from "../module/state_stores.ts";
import type { Runner, StreamOptions, StreamSource } from "./stream.ts";

type CompiledRunner = Runner & { readonly program: Program };

const DEFAULT_BLOCK = 128;

/** @throws OptionError for anything but what `stream` takes. @returns the options filled in */
export function streamOptions(
  subject: string,
  options: StreamOptions,
): { batch: number; block: number; state: StreamOptions["state"] } {
  checkOptions(subject, options, ["batch", "block", "state"]);
  const { batch = 1, block = DEFAULT_BLOCK, state } = options;
  checkCount(subject, "batch", batch);
  checkCount(subject, "block", block);
  return { batch, block, state };
}

/**
 * @returns what the inputs are
 * @throws UnsupportedError unless the model is made of layers that run step by step
 */
export function checkStreamable(subject: string, model: ModuleBase): readonly InputConfig[] {
  const { inputConfigs: inputs } = model;
  if (!inputs)
    throw new UnsupportedError(
      `${subject}: expected a model of layers, as sequential and functional make, got a ${model.describe()}`,
    );
  const why = model.unstreamable;
  if (why) throw new UnsupportedError(`${subject}: expected layers that run step by step, got ${why}`);
  return inputs;
}

/** Extents of so many steps. @throws StateError, UnsupportedError when nobody has said how many features a frame has */
function extentsOf(subject: string, { name, shape, dtype }: InputConfig, batch: number, steps: number): Shape {
  if (shape === null)
    throw new StateError(
      `${subject}: expected to know the features of a frame, got a model that has not seen its input; ` +
        "give sequential an inputShape",
    );
  if (dtype === "i32") return [batch, steps];
  const features = shape.at(-1);
  if (shape.length !== 2 || typeof features !== "number")
    throw new UnsupportedError(
      `${subject}: expected input "${name}" [time, features], got [${shape.map(String).join(", ")}]`,
    );
  return [batch, steps, features];
}

/** Some steps of a model, recorded. */
interface TracedSteps {
  readonly trace: Trace;
  readonly inputs: Tensor[];
  readonly outputs: Tensor[];
  /** What stands around the outputs. */
  readonly structure: Structure;
}

/** Records so many steps of a model. @param states  where its layers carry theirs */
export function traceSteps(
  subject: string,
  model: ModuleBase,
  states: CarriedStates,
  batch: number,
  steps: number,
): TracedSteps {
  const taken = checkStreamable(subject, model);
  const trace = new Trace(model.backend, { stream: states, paths: model.modulePaths() });
  const inputs = taken.map((each) => trace.pinned(extentsOf(subject, each, batch, steps), each.dtype));
  const { tensors: outputs, structure } = flattenResult(trace.run((): unknown => model.call(...inputs)));
  const withStates = structure.kind === "list" && model.outputNames === undefined; // of a last layer with returnState
  return withStates
    ? { trace, inputs, outputs: [outputs[0]], structure: structure.items[0] }
    : { trace, inputs, outputs, structure };
}

/** Makes states those to start from. @throws ShapeError, StateError, ValueError for states that are not these */
export function startFrom(states: CarriedStates, given: Readonly<Record<string, ArrayInput>>): void {
  states.set(given);
  states.keepAsStart();
}

export class ModelSteps implements StreamSource {
  readonly batch: number;
  readonly block: number;
  readonly states: CarriedStates;
  readonly inputs: readonly InputConfig[];
  structure!: Structure;
  private readonly model: ModuleBase;
  private readonly runners = new Map<number, CompiledRunner>();

  constructor(model: ModuleBase, options: StreamOptions = {}) {
    const { batch, block, state } = streamOptions("stream", options);
    model.throwIfDisposed();
    model.throwIfUnbuilt("stream");
    this.inputs = checkStreamable("stream", model);
    this.model = model;
    this.batch = batch;
    this.block = block;
    this.states = new CarriedStates(model.backend, "stream");
    try {
      this.runner(1);
      if (state) startFrom(this.states, state);
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
    const { trace, inputs, outputs, structure } = traceSteps("stream", this.model, this.states, this.batch, steps);
    this.structure = structure;
    const program = new Program(trace, inputs, outputs, { lasting: true, owner: this.model.ownPrograms });
    return { program, inputs: program.inputs, outputs: program.outputs };
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
