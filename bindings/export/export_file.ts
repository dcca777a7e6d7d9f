/** The file that `export` writes and `gatewise/exported` reads: programs as numbers, and their initial memory. */
import { FormatError, GatewiseError, UnsupportedError } from "../base/errors.ts";
import { ABI_VERSION } from "../abi/version.ts";
import { isEncodedCalls } from "../runtime/encoding.ts";
import { decodeSafetensors, encodeSafetensors, type TensorData } from "../saving/safetensors.ts";
import { checkFile, fail } from "./check_file.ts";
import { programsOf, type Contents, type ExportFile } from "./export_format.ts";
import { isExportedKernel } from "./verify_program.ts";

/** Raised when files of this version can no longer be read by former ones. */
const VERSION = 1;

/** Key of the JSON text in the file's metadata. */
const KEY = "gatewise/exported";

const PROGRAM = "program/";
const MEMORY = "memory/";

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
    checkFile(file, contents);
    return { file, contents };
  });
}
