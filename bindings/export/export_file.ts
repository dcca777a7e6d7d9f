/** The file that `export` writes and `gatewise/exported` reads: programs as numbers, and their initial memory. */
import { FormatError, GatewiseError, UnsupportedError } from "../base/errors.ts";
import type { SnapshotProgram, PortPlace } from "../program/snapshot.ts";
import { sizeOf } from "../base/shape.ts";
import type { Structure } from "../graph/pytree.ts";
import { ARENA_BASE } from "../abi/memory.ts";
import { ABI_VERSION } from "../abi/version.ts";
import type { CompressedModules } from "../runtime/wasm/packed.ts";
import { isEncodedCalls } from "../runtime/encoding.ts";
import { decodeSafetensors, encodeSafetensors, type TensorData } from "../saving/safetensors.ts";
import type { InputConfig } from "../module/config.ts";
import { isExportedKernel } from "./verify_program.ts";
import type { State } from "../module/state_set.ts";

/** Raised when files of this version can no longer be read by former ones. */
const VERSION = 1;

/** Key of the JSON text in the file's metadata. */
const KEY = "gatewise/exported";

/** The programs of a stream by how many steps they run, and their states. */
export interface ExportedStream {
  readonly batch: number;
  readonly block: number;
  /** Absent in files of before streams had several inputs. */
  readonly inputs?: readonly InputConfig[];
  /** What stands around the outputs; absent in files of before there were several. */
  readonly structure?: Structure;
  readonly states: Readonly<Record<string, State>>;
  readonly programs: Readonly<Record<string, SnapshotProgram>>;
}

/** The program of `predict`. */
export interface ExportedPredict extends SnapshotProgram {
  /** The inputs with their names, of a model of layers. */
  readonly names?: readonly InputConfig[] | undefined;
  /** What stands around the outputs. */
  readonly structure: Structure;
  /** Whether the rows of a batch are known to have nothing to do with each other. */
  readonly rowwise: boolean;
}

/** All that a file says. */
export interface ExportFile {
  /** Names of the kernels that the programs call, by number. */
  readonly kernels: readonly string[];
  /** Where the used memory ends. */
  readonly end: number;
  /** The kernels of int8 models, when the programs call them. */
  readonly int8?: CompressedModules | undefined;
  readonly stream?: ExportedStream | undefined;
  readonly predict?: ExportedPredict | undefined;
}

/** What memory holds that is not zero, by address. */
export type Contents = ReadonlyMap<number, Uint8Array>;

const PROGRAM = "program/";
const MEMORY = "memory/";

/** Every program with its name. */
const programsOf = ({ stream, predict }: ExportFile): [name: string, program: SnapshotProgram][] => [
  ...Object.entries(stream?.programs ?? {}).map(([steps, program]): [string, SnapshotProgram] => [
    `stream/${steps}`,
    program,
  ]),
  ...(predict ? [["predict", predict] as [string, SnapshotProgram]] : []),
];

/** The same with other texts: in the file those stand beside the JSON. */
function withTexts(file: ExportFile, textOf: (name: string) => readonly number[]): ExportFile {
  const { stream, predict } = file;
  return {
    ...file,
    stream: stream && {
      ...stream,
      programs: Object.fromEntries(
        Object.entries(stream.programs).map(([steps, program]) => [
          steps,
          { ...program, text: textOf(`stream/${steps}`) },
        ]),
      ),
    },
    predict: predict && { ...predict, text: textOf("predict") },
  };
}

/** The file as bytes: programs and memory are arrays, the rest is JSON. */
export function encodeExport(file: ExportFile, contents: Contents): Uint8Array {
  const tensors: Record<string, TensorData> = {};
  for (const [name, { text }] of programsOf(file))
    tensors[PROGRAM + name] = { data: Float64Array.from(text), shape: [text.length] };
  for (const [at, data] of contents) tensors[`${MEMORY}${at}`] = { data, shape: [data.length] };
  const json = JSON.stringify({ version: VERSION, abi: ABI_VERSION, ...withTexts(file, () => []) });
  return encodeSafetensors(tensors, { [KEY]: json });
}

function fail(expected: string, got: string | number): never {
  throw new FormatError(`loadExported: expected ${expected}, got ${got}`);
}

/** @throws FormatError unless something lies within the memory that the file asks for */
function checkPlace(what: string, ptr: number, bytes: number, end: number): void {
  if (!(Number.isInteger(ptr) && ptr >= ARENA_BASE && ptr + bytes <= end))
    fail(`${what} within ${ARENA_BASE}…${end}`, `${ptr} and ${bytes} bytes`);
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;

/** The numbers of each port. */
const sizes = (ports: readonly PortPlace[], steps: number): string =>
  ports.map(({ shape, dtype }) => `${sizeOf(shape) * steps} ${dtype}`).join();

/** @throws FormatError unless a stream has the programs that it runs, whose frames are those of one step */
function checkStream({ batch, block, programs }: ExportedStream): void {
  const names = Object.keys(programs);
  const expected = batch === 1 ? [...new Set(["1", String(block)])] : ["1"];
  if (
    !isCount(batch) ||
    !isCount(block) ||
    names.length !== expected.length ||
    !expected.every((one) => names.includes(one))
  )
    fail(`programs of a stream for ${expected.join(" and ")} steps`, names.join(" and "));
  const [one] = [programs["1"]];
  for (const [steps, { inputs, outputs }] of Object.entries(programs))
    if (
      sizes(inputs, 1) !== sizes(one.inputs, Number(steps)) ||
      sizes(outputs, 1) !== sizes(one.outputs, Number(steps))
    )
      fail(`frames of ${steps} times those of one step`, "others");
}

function checkPlaces(file: ExportFile, contents: Contents): void {
  const { end, stream } = file;
  if (!(Number.isInteger(end) && end >= ARENA_BASE && end <= 2 ** 32)) fail("the bytes of its memory", String(end));
  if (stream) checkStream(stream);
  const ports = programsOf(file).flatMap(([, { inputs, outputs }]): readonly PortPlace[] => [...inputs, ...outputs]);
  for (const { ptr, shape } of [...ports, ...Object.values(stream?.states ?? {})])
    checkPlace("inputs, outputs and states", ptr, sizeOf(shape) * 4, end);
  for (const [at, { length }] of contents) checkPlace("contents", at, length, end);
}

/** Runs code that does not check the file. @throws FormatError for any error that is not one of gatewise's */
export function trusting<R>(run: () => R): R {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof GatewiseError) throw cause;
    throw new FormatError(
      `loadExported: expected a whole file, got one that lacks something: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** @throws FormatError for anything but a whole file that `export` of this version has written */
export function decodeExport(bytes: Uint8Array): { file: ExportFile; contents: Contents } {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata[KEY] === undefined)
    fail(
      "a file that model.export wrote",
      "another; loadModel of gatewise and gatewise/infer reads what model.save wrote",
    );
  return trusting(() => {
    const { version, abi, ...rest } = JSON.parse(metadata[KEY]) as ExportFile & { version: number; abi: number };
    if (version !== VERSION || abi !== ABI_VERSION)
      fail(
        `a file for version ${VERSION} and kernels ${ABI_VERSION}, as this gatewise has them`,
        `version ${version} and kernels ${abi}; export the model again`,
      );
    const odd = rest.kernels.find((name) => !isExportedKernel(name));
    if (odd !== undefined)
      throw new UnsupportedError(
        `loadExported: expected kernels that run models, got a file that needs ${odd}; ` +
          "what needs that only runs in gatewise itself",
      );
    const file = withTexts(rest, (name) => {
      const text = [...(tensors[PROGRAM + name].data as Float64Array)];
      if (!isEncodedCalls(text, rest.kernels.length)) fail(`a program as "${name}"`, "something else");
      return text;
    });
    const contents = new Map(
      Object.entries(tensors).flatMap(([name, { data }]): [number, Uint8Array][] =>
        name.startsWith(MEMORY) ? [[Number(name.slice(MEMORY.length)), data as Uint8Array]] : [],
      ),
    );
    checkPlaces(file, contents);
    return { file, contents };
  });
}
