/** Programs as lists of numbers, which is how they get from one thread to another, and into files. */
import type { BoundCall, StridedArgument } from "./replay.ts";

/** Stands where the number of a kernel would: a loop follows. */
const LOOP = -1;

/**
 * Encodes calls as numbers. A call is the number of its kernel, the number of arguments, and the arguments. A loop is
 * the number of steps, its calls, the number of arguments that move, and for each of them the call (counted over the
 * whole program), the argument and the stride.
 *
 * @param numbers  of the kernels, by name
 */
export function encodeCalls(calls: readonly BoundCall[], numbers: ReadonlyMap<string, number>): number[] {
  const text: number[] = [];
  const places = new Map<readonly number[], number>();
  const visit = (list: readonly BoundCall[]): void => {
    text.push(list.length);
    for (const { kernel, args, loop } of list) {
      if (!loop) {
        places.set(args, places.size);
        text.push(numbers.get(kernel)!, args.length, ...args);
        continue;
      }
      text.push(LOOP, loop.count);
      visit(loop.calls);
      text.push(loop.strided.length);
      for (const { args, index, by } of loop.strided) text.push(places.get(args)!, index, by);
    }
  };
  visit(calls);
  return text;
}

/** True if {@link decodeCalls} can decode these numbers, which may come from anywhere. @param kernels  their number */
export function isEncodedCalls(text: ArrayLike<number>, kernels: number): boolean {
  let at = 0;
  let places = 0;
  const count = (most: number): number => {
    const value = text[at++];
    if (!(Number.isInteger(value) && value >= 0 && value <= most)) throw new RangeError(`${value} at ${at - 1}`);
    return value;
  };
  const visit = (): void => {
    for (let calls = count(text.length - at); calls > 0; calls--) {
      if (text[at] === LOOP) {
        at++;
        count(Infinity);
        visit();
        for (let strided = count(text.length - at); strided > 0; strided--) {
          count(places - 1);
          at += 2;
        }
      } else {
        count(kernels - 1);
        const args = count(text.length - at);
        at += args;
        places++;
      }
    }
  };
  try {
    visit();
    return at === text.length;
  } catch {
    return false;
  }
}

/** Reads what {@link encodeCalls} wrote. @param kernels  with their names, by number */
export function decodeCalls(
  text: ArrayLike<number>,
  kernels: readonly (readonly [name: string, fn: BoundCall["fn"]])[],
): BoundCall[] {
  let at = 0;
  const places: number[][] = [];
  const visit = (): BoundCall[] =>
    Array.from({ length: text[at++] }, (): BoundCall => {
      const number = text[at++];
      if (number !== LOOP) {
        const [kernel, fn] = kernels[number];
        const args = Array.from({ length: text[at++] }, () => text[at++]);
        places.push(args);
        return { kernel, fn, args, loop: undefined };
      }
      const count = text[at++];
      const calls = visit();
      const strided = Array.from({ length: text[at++] }, (): StridedArgument => ({
        args: places[text[at++]],
        index: text[at++],
        by: text[at++],
      }));
      return { kernel: "", fn: () => undefined, args: [], loop: { count, calls, strided } };
    });
  return visit();
}
