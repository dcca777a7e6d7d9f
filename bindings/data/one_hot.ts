/** Labels as rows with a single 1. */
import { ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { indexOf, readArray } from "../base/ndarray.ts";
import type { ArrayInput, NDArray } from "../base/ndarray.ts";
import { checkRoom, describe } from "../base/shape.ts";

/**
 * Turns labels into the targets of a softmax.
 *
 * @param labels   integers of any shape
 * @param classes  how many there are; default: the largest label + 1
 * @returns [… shape of the labels, classes]
 * @throws ValueError for a label that is no integer from 0 to classes − 1, with its place
 * @example
 * oneHot([2, 0]).data;   // 0 0 1, 1 0 0
 */
export function oneHot(labels: ArrayInput, classes?: number): NDArray {
  const { data, shape } = readArray(labels, "oneHot");
  if (classes !== undefined && !(Number.isInteger(classes) && classes >= 1)) {
    throw new ValueError(`oneHot: expected at least one class, got ${shown(classes)}`);
  }
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    const label = data[i];
    if (!(Number.isInteger(label) && label >= 0 && label < (classes ?? Infinity))) {
      const expected = classes === undefined ? "integers from 0" : `integers from 0 to ${classes - 1}`;
      throw new ValueError(`oneHot: expected ${expected}, got ${label} at ${describe(indexOf(i, shape))}`);
    }
    if (label > largest) largest = label;
  }
  const width = classes ?? largest + 1;
  checkRoom("oneHot", [...shape, width]);
  const rows = new Float32Array(data.length * width);
  for (let i = 0; i < data.length; i++) rows[i * width + data[i]] = 1;
  return { data: rows, shape: [...shape, width] };
}
