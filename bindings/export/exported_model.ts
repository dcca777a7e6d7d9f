/** What `loadExported` gives: the programs of a file, over a memory of their own. */
import { OptionError, ShapeError, UnsupportedError } from "../base/errors.ts";
import { decodeExport, trusting, type ExportedPredict, type ExportedStream } from "./export_file.ts";
import { asDType, inputArrays, rowsOf, type ModelInput } from "../inference/model_inputs.ts";
import { bytesOf, type FileBytes } from "../saving/load.ts";
import type { Prediction } from "../inference/predict.ts";
import { StateSet } from "../module/state_set.ts";
import { Stream, type Runner, type StreamSource } from "../inference/stream.ts";
import { checkOptions } from "../base/options.ts";
import type { NDArray, Normalized } from "../base/ndarray.ts";
import type { SnapshotProgram, PortPlace } from "../program/snapshot.ts";
import { Port } from "../program/port.ts";
import { describe, sameShape, sizeOf } from "../base/shape.ts";
import { rebuild, type Structure } from "../graph/pytree.ts";
import type { InputConfig } from "../module/config.ts";
import { ARENA_BASE } from "../abi/memory.ts";
import { isInt8Kernel, loadInt8 } from "../runtime/wasm/int8.ts";
import type { Backend } from "../runtime/backend.ts";
import { loadSync, type InitOptions } from "../runtime/load.ts";
import { carried } from "../runtime/wasm/packed.ts";
import { replay, type BoundCall } from "../runtime/replay.ts";
import { decodeCalls } from "../runtime/encoding.ts";

/** A program with what goes in and what comes out. */
class Recorded {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  private readonly bound: readonly BoundCall[];

  constructor(backend: Backend, names: readonly string[], { text, inputs, outputs }: SnapshotProgram) {
    const { kernels } = backend;
    const port = ({ ptr, shape, dtype, ranges }: PortPlace): Port => new Port(backend, ptr, shape, dtype, ranges);
    this.bound = decodeCalls(
      text,
      names.map((name) => [name, kernels[name as keyof typeof kernels] as BoundCall["fn"]]),
    );
    this.inputs = inputs.map(port);
    this.outputs = outputs.map(port);
  }

  run(): void {
    replay(this.bound);
  }
}

type Make = (program: SnapshotProgram) => Recorded;

const ONE_INPUT: InputConfig = { name: "input", shape: null };
const ONE_OUTPUT: Structure = { kind: "leaf", index: 0 };

/** What the stream of a file runs. */
class RecordedSteps implements StreamSource {
  readonly batch: number;
  readonly block: number;
  readonly states: StateSet;
  readonly inputs: readonly InputConfig[];
  readonly structure: Structure;
  private readonly programs: ExportedStream["programs"];
  private readonly make: Make;

  constructor({ heap }: Backend, about: ExportedStream, make: Make) {
    const { batch, block, inputs = [ONE_INPUT], structure = ONE_OUTPUT, states, programs } = about;
    this.batch = batch;
    this.block = block;
    this.states = new StateSet(heap, "stream", Object.entries(states));
    this.inputs = inputs;
    this.structure = structure;
    this.programs = programs;
    this.make = make;
  }

  runner(steps: number): Runner {
    const program = this.make(this.programs[steps]);
    return { program, inputs: program.inputs, outputs: program.outputs };
  }

  throwIfDisposed(): void {
    // lives as long as something refers to it
  }

  dispose(): void {
    // the same
  }
}

/** `predict` of a file. */
class RecordedPredict {
  private readonly program: Recorded;
  private readonly about: ExportedPredict;
  private readonly batch: number;

  constructor(about: ExportedPredict, make: Make) {
    this.program = make(about);
    this.about = about;
    [this.batch] = this.program.inputs[0].shape;
  }

  run(x: ModelInput): Prediction {
    const arrays = this.arraysOf(x);
    const { program, batch } = this;
    const [
      {
        shape: [rows],
      },
    ] = arrays;
    const outputs = program.outputs.map(({ shape: [, ...shape] }): NDArray => ({
      data: new Float32Array(rows * sizeOf(shape)),
      shape: [rows, ...shape],
    }));
    for (let first = 0; first < rows; first += batch) {
      const count = Math.min(batch, rows - first);
      for (const [i, array] of arrays.entries()) {
        const { data } = rowsOf(array, first, first + count);
        program.inputs[i].set(data);
        program.inputs[i].view.fill(0, data.length); // rows that nobody asked for
      }
      program.run();
      for (const [i, { view, size }] of program.outputs.entries())
        outputs[i].data.set(view.subarray(0, (size / batch) * count), (first * size) / batch);
    }
    return rebuild(this.about.structure, (i) => outputs[i]) as Prediction;
  }

  /** The inputs in the form that the program takes. @throws ShapeError, ValueError */
  private arraysOf(x: ModelInput): Normalized[] {
    const { inputs } = this.program;
    const given = inputArrays(x, "predict: x", this.about.names);
    if (given.length !== inputs.length)
      throw new ShapeError(`predict: expected ${inputs.length} inputs, got ${given.length}`);
    return inputs.map((port, i) => {
      const name = inputs.length > 1 ? `predict: x[${i}]` : "predict: x";
      const array = asDType(given[i], port.dtype, name);
      const [rows, ...extents] = array.shape;
      const fits = sameShape(extents, port.shape.slice(1)) && (this.about.rowwise || rows === this.batch);
      if (!fits) {
        const anyRows = this.about.rowwise ? ", of any number of rows" : "";
        throw new ShapeError(
          `${name}: expected ${describe(port.shape)}, as it was exported${anyRows}, got ${describe(array.shape)}`,
        );
      }
      port.check(array.data, name);
      return array;
    });
  }
}

/** A model as it was exported: it has no weights to read and no layers, and lives as long as something refers to it. @typeParam O  what a step of its stream gives */
export class Exported<O = Float32Array> {
  readonly #stream: Stream<O> | undefined;
  readonly #predict: RecordedPredict | undefined;

  /** @internal */
  constructor(stream: Stream<O> | undefined, predict: RecordedPredict | undefined) {
    this.#stream = stream;
    this.#predict = predict;
  }

  /**
   * The model one step at a time. There is one stream, with one state: load the file again for another.
   *
   * @throws UnsupportedError when none was exported
   */
  get stream(): Stream<O> {
    if (!this.#stream)
      throw new UnsupportedError(
        "stream: expected a file with a stream, got one without; export({ stream: true }) writes it",
      );
    return this.#stream;
  }

  /**
   * Runs the model on arrays.
   *
   * @param x  input of the exported shape with any number of rows; several inputs as a list, or by name as a record. If
   *           rows of a batch depend on each other, as in some modules of your own, with exactly the exported rows
   * @returns the output, or a list or a record of them as `call` gives
   * @throws ShapeError, ValueError when x does not fit, holds NaN or tokens out of range
   * @throws UnsupportedError when `predict` was not exported
   */
  predict(x: ModelInput): NDArray;
  predict(x: ModelInput): Prediction {
    if (!this.#predict)
      throw new UnsupportedError(
        "predict: expected a file with predict, got one without; export({ predict: [1, 10, 3] }) writes it",
      );
    return this.#predict.run(x);
  }
}

/** Options of `loadExported`: those of `initSync`, for this file alone. */
export type LoadOptions = Omit<InitOptions, "build"> & {
  /** Which kernels: "auto" takes the fastest this engine has. @default "auto" */
  build?: "auto" | "simd" | "relaxed";
};

/**
 * The model of a file that `export` wrote. Each has a memory of its own.
 *
 * @throws FormatError when the bytes are not a whole file, or one for other kernels
 * @throws UnsupportedError on an engine without WebAssembly SIMD
 * @example
 * const model = loadExported(await (await fetch("model.exported")).arrayBuffer());
 * model.stream.step(frame);
 */
export function loadExported<O = Float32Array>(bytes: FileBytes, options: LoadOptions = {}): Exported<O> {
  checkOptions("loadExported", options, ["build", "deterministic", "module", "int8"]);
  const {
    file: { kernels: names, end, int8, stream, predict },
    contents,
  } = decodeExport(bytesOf(bytes));
  if ((options.build as string) === "reference")
    throw new OptionError(
      'loadExported: expected build "auto", "simd" or "relaxed", got "reference"; gatewise/infer runs on it',
    );
  const backend = loadSync(options);
  backend.arena.alloc(end - ARENA_BASE); // the first of its arena lies at its base, as the file's addresses have it
  return trusting(() => {
    if (names.some(isInt8Kernel)) loadInt8(backend, int8 && carried(int8));
    const missing = names.find((name) => !(name in backend.kernels));
    if (missing !== undefined)
      throw new UnsupportedError(
        `loadExported: expected kernels that run models, got a file that needs ${missing}; ` +
          "what needs that only runs in gatewise itself",
      );
    for (const [at, data] of contents) backend.heap.u8(at, data.length).set(data);
    const make: Make = (program) => new Recorded(backend, names, program);
    return new Exported<O>(
      stream && new Stream<O>(new RecordedSteps(backend, stream, make)),
      predict && new RecordedPredict(predict, make),
    );
  });
}
