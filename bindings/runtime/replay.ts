/** The loop that runs a program: allocates nothing, in JavaScript or in wasm. */

/** A kernel with its arguments, ready to call; or the steps of a loop. */
export interface BoundCall {
  /** The kernel's name; empty for a loop. */
  readonly kernel: string;
  readonly fn: (...args: number[]) => unknown;
  readonly args: readonly number[];
  readonly loop: BoundLoop | undefined;
}

/** Calls to repeat, and what of their arguments moves from step to step. */
export interface BoundLoop {
  readonly count: number;
  readonly calls: readonly BoundCall[];
  readonly strided: readonly StridedArgument[];
}

/** An argument that moves from step to step. */
export interface StridedArgument {
  readonly args: number[];
  readonly index: number;
  readonly by: number;
}

/** Runs the calls of every step and leaves the arguments as they were. @param onStep  called after each step */
export function repeat({ count, calls, strided }: BoundLoop, onStep?: () => void): void {
  for (let t = 0; t < count; t++) {
    replay(calls);
    onStep?.();
    for (let i = 0; i < strided.length; i++) {
      const { args, index, by } = strided[i];
      args[index] += by;
    }
  }
  for (let i = 0; i < strided.length; i++) {
    const { args, index, by } = strided[i];
    args[index] -= by * count;
  }
}

/**
 * Calls every kernel in order. A switch on the number of arguments costs 7 ns a call; spreading them costs 17–21 and
 * garbage where one is a float; generated source is what content policies forbid (measured). Calls with more arguments
 * than any case are few and long.
 */
export function replay(calls: readonly BoundCall[]): void {
  for (let i = 0; i < calls.length; i++) {
    const { fn, args: a, loop } = calls[i];
    if (loop !== undefined) {
      repeat(loop);
      continue;
    }
    // a line for each number of arguments
    // prettier-ignore
    switch (a.length) {
      case 2: fn(a[0], a[1]); break;
      case 3: fn(a[0], a[1], a[2]); break;
      case 4: fn(a[0], a[1], a[2], a[3]); break;
      case 5: fn(a[0], a[1], a[2], a[3], a[4]); break;
      case 6: fn(a[0], a[1], a[2], a[3], a[4], a[5]); break;
      case 7: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6]); break;
      case 8: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]); break;
      case 9: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]); break;
      case 10: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]); break;
      case 11: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]); break;
      case 12: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]); break;
      case 13: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12]); break;
      case 15: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14]); break;
      case 16: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]); break;
      case 17: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14],
        a[15], a[16]); break;
      case 20: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14],
        a[15], a[16], a[17], a[18], a[19]); break;
      case 22: fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14],
        a[15], a[16], a[17], a[18], a[19], a[20], a[21]); break;
      default: fn(...a);
    }
  }
}
