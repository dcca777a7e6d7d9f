/** Programs as lists of numbers, which is how they get from one thread to another, and into files. */
import type { Bound, Moving } from "./replay.ts";

/** Stands where the number of a kernel would: a loop follows. */
const LOOP = -1;

/**
 * A call is the number of its kernel, that of its arguments, and these. A loop is its number of steps, its calls, how many
 * of their arguments move, and for each of these the call (counting all calls of the program), the argument and the way.
 *
 * @param numbers  of the kernels, by name
 */
export function write(calls: readonly Bound[], numbers: ReadonlyMap<string, number>): number[] {
  const text: number[] = [];
  const places = new Map<readonly number[], number>();
  const visit = (list: readonly Bound[]): void => {
    text.push(list.length);
    for (const { kernel, args, steps } of list) {
      if (!steps) {
        places.set(args, places.size);
        text.push(numbers.get(kernel)!, args.length, ...args);
        continue;
      }
      text.push(LOOP, steps.count);
      visit(steps.calls);
      text.push(steps.moving.length);
      for (const { args, index, by } of steps.moving) text.push(places.get(args)!, index, by);
    }
  };
  visit(calls);
  return text;
}

/** Whether {@link read} may be given some numbers, from wherever they come. @param kernels  how many there are */
export function isText(text: ArrayLike<number>, kernels: number): boolean {
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
        for (let moving = count(text.length - at); moving > 0; moving--) {
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

/** Reads what {@link write} wrote. @param kernels  with their names, by number */
export function read(text: ArrayLike<number>, kernels: readonly (readonly [name: string, fn: Bound["fn"]])[]): Bound[] {
  let at = 0;
  const places: number[][] = [];
  const visit = (): Bound[] =>
    Array.from({ length: text[at++] }, (): Bound => {
      const number = text[at++];
      if (number !== LOOP) {
        const [kernel, fn] = kernels[number];
        const args = Array.from({ length: text[at++] }, () => text[at++]);
        places.push(args);
        return { kernel, fn, args, steps: undefined };
      }
      const count = text[at++];
      const calls = visit();
      const moving = Array.from({ length: text[at++] }, (): Moving => ({
        args: places[text[at++]],
        index: text[at++],
        by: text[at++],
      }));
      return { kernel: "", fn: () => undefined, args: [], steps: { count, calls, moving } };
    });
  return visit();
}
