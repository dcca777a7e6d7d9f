/** Extents of arrays, and what they hold. */

/** What a tensor holds. */
export type DType = "f32" | "i32" | "i8";
/** Extent of each axis. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);
export const describe = (shape: Shape): string => `[${shape.join(", ")}]`;
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((extent, i) => extent === b[i]);
