/** Holds what an exported file says to the form that readers of it trust. Its programs are checked in verify_program.ts. */
import { FormatError } from "../base/errors.ts";
import { sizeOf } from "../base/shape.ts";
import type { ValueRange } from "../graph/ir.ts";
import type { Structure } from "../graph/pytree.ts";
import { ARENA_BASE } from "../abi/memory.ts";
import { isInput } from "../module/config.ts";
import type { PortPlace } from "../program/snapshot.ts";
import {
  programsOf,
  type Contents,
  type ExportFile,
  type ExportedPredict,
  type ExportedStream,
} from "./export_format.ts";

export function fail(expected: string, got: string | number): never {
  throw new FormatError(`loadExported: expected ${expected}, got ${got}`);
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;

/** Lists and records around outputs inside each other, at most. */
const DEEPEST = 100;

/** Whether every leaf is one of so many outputs. */
function isStructure(structure: Structure, outputs: number, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  if (structure.kind === "leaf")
    return Number.isInteger(structure.index) && structure.index >= 0 && structure.index < outputs;
  if (structure.kind === "list") return structure.items.every((item) => isStructure(item, outputs, depth + 1));
  if (structure.kind === "record")
    return structure.items.every(([name, item]) => typeof name === "string" && isStructure(item, outputs, depth + 1));
  return structure.kind === "static";
}

const isRange = ({ below, except, what }: ValueRange): boolean =>
  Number.isInteger(below) && (except === undefined || Number.isInteger(except)) && typeof what === "string";

/** @throws FormatError unless something lies within the memory that the file asks for */
function checkPlace(what: string, ptr: number, bytes: number, end: number): void {
  if (!(Number.isInteger(ptr) && ptr >= ARENA_BASE && ptr + bytes <= end))
    fail(`${what} within ${ARENA_BASE}…${end}`, `${ptr} and ${bytes} bytes`);
}

function checkPort({ ptr, shape, dtype, ranges }: PortPlace, end: number): void {
  if (!shape.every(isCount) || ptr % 4 !== 0 || !["f32", "i32"].includes(dtype) || !ranges.every(isRange))
    fail("inputs and outputs of a shape, a type and ranges", "others");
  checkPlace("inputs, outputs and states", ptr, sizeOf(shape) * 4, end);
}

/** The numbers of each port, times `steps`. */
const sizes = (ports: readonly PortPlace[], steps: number): string =>
  ports.map(({ shape, dtype }) => `${sizeOf(shape) * steps} ${dtype}`).join();

/** @throws FormatError unless a stream has the programs that it runs, whose frames are those of one step */
function checkStream({ batch, block, programs, inputs, structure }: ExportedStream): void {
  const expected = batch === 1 ? [...new Set(["1", String(block)])] : ["1"];
  const names = Object.keys(programs);
  if (
    !isCount(batch) ||
    !isCount(block) ||
    names.length !== expected.length ||
    !expected.every((one) => names.includes(one))
  )
    fail(`programs of a stream for ${expected.join(" and ")} steps`, names.join(" and "));
  const one = programs["1"];
  for (const [steps, program] of Object.entries(programs))
    for (const side of ["inputs", "outputs"] as const)
      if (sizes(program[side], 1) !== sizes(one[side], Number(steps)))
        fail(`frames of ${steps} times those of one step`, "others");
  if (inputs && !(inputs.length === one.inputs.length && inputs.every(isInput)))
    fail("a name for every input", "others");
  if (structure && !isStructure(structure, one.outputs.length)) fail("outputs that a program has", "others");
}

/** @throws FormatError unless there are outputs for all that `predict` gives, and rows to run it on */
function checkPredict({ inputs, outputs, names, structure }: ExportedPredict): void {
  const [rows] = inputs[0].shape;
  if (![...inputs, ...outputs].every(({ shape }) => shape[0] === rows))
    fail(`inputs and outputs of ${rows} rows`, "others");
  if (names && !(names.length === inputs.length && names.every(isInput))) fail("a name for every input", "others");
  if (!isStructure(structure, outputs.length)) fail("outputs that a program has", "others");
}

/** @throws FormatError for a file whose parts do not go together or lie elsewhere than in its memory */
export function checkFile(file: ExportFile, contents: Contents): void {
  const { end, stream, predict } = file;
  if (!(Number.isInteger(end) && end >= ARENA_BASE && end <= 2 ** 32)) fail("the bytes of its memory", String(end));
  for (const [, { inputs, outputs }] of programsOf(file))
    for (const port of [...inputs, ...outputs]) checkPort(port, end);
  for (const { ptr, shape } of Object.values(stream?.states ?? {}))
    checkPort({ ptr, shape, dtype: "f32", ranges: [] }, end);
  if (stream) checkStream(stream);
  if (predict) checkPredict(predict);
  for (const [at, { length }] of contents) checkPlace("contents", at, length, end);
}
