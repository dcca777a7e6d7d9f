/** Extents of arrays, and what they hold. */
import { ShapeError } from "./errors.ts";
import { shown } from "./formatting.ts";

/** What a tensor holds. */
export type DType = "f32" | "i32" | "i8";
/** Extent of each axis. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);
export const describe = (shape: Shape): string => `[${shape.map(shown).join(", ")}]`;
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, i) => extent === b[i]);

/** Numbers of four bytes that a memory of 4 GiB has room for. */
const MOST = 2 ** 30;

/** @throws ShapeError for an array that no engine has room for */
export function checkRoom(subject: string, shape: Shape): void {
  if (sizeOf(shape) > MOST)
    throw new ShapeError(`${subject}: expected at most ${MOST} numbers, got ${describe(shape)}`);
}
