/** What `loadExported` gives: the programs of a file, over a memory of their own. */
import { FormatError, OptionError, ShapeError, UnsupportedError } from "../base/errors.ts";
import { decodeExport, trusting } from "./export_file.ts";
import type { ExportedPredict, ExportedStream } from "./export_format.ts";
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
import { sha256 } from "../base/sha256.ts";
import { digest } from "../generated/wasm_q8_digest.ts";
import { isInt8Kernel, loadInt8 } from "../runtime/wasm/int8.ts";
import type { Backend } from "../runtime/backend.ts";
import { loadSync, type InitOptions } from "../runtime/load.ts";
import { carried, type Carried, type CompressedModules } from "../runtime/wasm/packed.ts";
import { ProgramVerifier } from "./verify_program.ts";
import { replay, type BoundCall } from "../runtime/replay.ts";
import { decodeCalls } from "../runtime/encoding.ts";

/** A program with what goes in and what comes out. */
class Recorded {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  private readonly bound: readonly BoundCall[];

  /** @throws FormatError for a program that is not to be run: see verify_program.ts */
  constructor(
    backend: Backend,
    names: readonly string[],
    { text, inputs, outputs }: SnapshotProgram,
    verifier: ProgramVerifier,
  ) {
    const { kernels } = backend;
    const port = ({ ptr, shape, dtype, ranges }: PortPlace): Port => new Port(backend, ptr, shape, dtype, ranges);
    this.bound = decodeCalls(
      text,
      names.map((name) => [name, kernels[name as keyof typeof kernels] as BoundCall["fn"]]),
    );
    verifier.verify(this.bound);
    this.inputs = inputs.map(port);
    this.outputs = outputs.map(port);
  }

  /** @throws FormatError when it leaves its memory by what that holds, such as an index */
  run(): void {
    try {
      replay(this.bound);
    } catch (cause) {
      throw new FormatError(`exported: expected a program that keeps to its memory, got ${(cause as Error).message}`, {
        cause,
      });
    }
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
  private readonly made: ReadonlyMap<number, Recorded>;

  constructor({ heap }: Backend, about: ExportedStream, make: Make) {
    const { batch, block, inputs = [ONE_INPUT], structure = ONE_OUTPUT, states, programs } = about;
    this.batch = batch;
    this.block = block;
    this.states = new StateSet(heap, "stream", Object.entries(states));
    this.states.keepAsStart();
    this.inputs = inputs;
    this.structure = structure;
    this.made = new Map(Object.entries(programs).map(([steps, program]) => [Number(steps), make(program)]));
  }

  runner(steps: number): Runner {
    const program = this.made.get(steps)!;
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
  /** Most bytes of memory that the file may ask for. @default 64 MB and a thousand times the bytes of the file */
  memory?: number | undefined;
};

/** What a file may ask for: memory in bytes, and multiply-adds of one run of all its programs. */
const LEAST_MEMORY = 64e6;
const MEMORY_PER_BYTE = 1000;
const LEAST_WORK = 1e9;
const WORK_PER_BYTE = 1e6;

/** Digests of the int8 kernels that former versions wrote, whose arguments are those of today. */
const FORMER = ["790d25d504ed6fefffeb3d0026097ef384e25062f06f629920c7ae487fde8f8e"];

/** The int8 kernels that a file brings along. @throws FormatError unless they are those of this version or a former one */
function own(int8: CompressedModules): Carried {
  if (![digest, ...FORMER].includes(sha256(`${int8.lengths.join()} ${int8.pieces}`)))
    throw new FormatError(
      "loadExported: expected the int8 kernels of this version, got others; export the model again",
    );
  return carried(int8);
}

/**
 * The model of a file that `export` wrote. Each has a memory of its own.
 *
 * The file may come from anywhere: its programs are checked to keep to their own memory and to come to an end.
 *
 * @throws FormatError when the bytes are not a whole file, or one for other kernels, or ask for too much
 * @throws UnsupportedError on an engine without WebAssembly SIMD
 * @example
 * const model = loadExported(await (await fetch("model.exported")).arrayBuffer());
 * model.stream.step(frame);
 */
export function loadExported<O = Float32Array>(bytes: FileBytes, options: LoadOptions = {}): Exported<O> {
  checkOptions("loadExported", options, ["build", "deterministic", "module", "int8", "memory"]);
  const given = bytesOf(bytes);
  const {
    file: { kernels: names, end, int8, stream, predict },
    contents,
  } = decodeExport(given);
  const { memory = LEAST_MEMORY + MEMORY_PER_BYTE * given.length, ...init } = options;
  if ((init.build as string) === "reference")
    throw new OptionError(
      'loadExported: expected build "auto", "simd" or "relaxed", got "reference"; gatewise/infer runs on it',
    );
  if (end > memory)
    throw new FormatError(
      `loadExported: expected a file that needs at most ${memory} bytes of memory, got one that asks for ${end}; ` +
        "if you trust it, give more as the option memory",
    );
  const backend = loadSync(init);
  backend.arena.alloc(end - ARENA_BASE); // the first of its arena lies at its base, as the file's addresses have it
  return trusting(() => {
    if (names.some(isInt8Kernel)) loadInt8(backend, int8 && (init.int8 ? carried(int8) : own(int8)));
    for (const [at, data] of contents) backend.heap.u8(at, data.length).set(data);
    const verifier = new ProgramVerifier(backend.heap, end, LEAST_WORK + WORK_PER_BYTE * given.length);
    const make: Make = (program) => new Recorded(backend, names, program, verifier);
    return new Exported<O>(
      stream && new Stream<O>(new RecordedSteps(backend, stream, make)),
      predict && new RecordedPredict(predict, make),
    );
  });
}
