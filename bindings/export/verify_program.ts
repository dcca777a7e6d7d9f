/** Checks programs out of files before they run: what they touch lies in their own memory, and they come to an end. */
import { FormatError } from "../base/errors.ts";
import { ARENA_BASE } from "../abi/memory.ts";
import { KERNEL_EXTENTS, type Extent, type Touched } from "../abi/kernel_extents.ts";
import { decodeStrided, stridedWords } from "../abi/records.ts";
import type { Heap } from "../runtime/heap.ts";
import type { BoundCall, BoundLoop } from "../runtime/replay.ts";

/** The first argument that may be any number, of kernels that take numbers. */
const NUMBERS: Readonly<Record<string, number>> = { f32_fill: 2, f32_vaffine: 3, f32_unary_fwd: 4 };

/** Loops inside each other. */
const DEEPEST = 4;

/** Most axes of a strided copy. */
const MOST_AXES = 8;

/** What a call costs besides its arithmetic, in multiply-adds. */
const CALL = 50;

const fail = (expected: string, got: string): never => {
  throw new FormatError(`loadExported: expected ${expected}, got ${got}`);
};

/** From the first byte to the one after the last. */
type Range = readonly [start: number, end: number];

const overlap = ([a, b]: Range, [c, d]: Range): boolean => a < d && c < b;

/** What a strided copy touches, by the axes that the file holds. */
function copied(heap: Heap, end: number, [spec, x, y]: readonly number[]): Touched {
  const rank = spec >= ARENA_BASE && spec + 4 <= end ? heap.i32(spec, 1)[0] : 0;
  const words = stridedWords(rank);
  if (!(rank >= 1 && rank <= MOST_AXES && spec + 4 * words <= end)) fail("a copy of 1…8 axes", `${rank} at ${spec}`);
  const axes = decodeStrided(heap.i32(spec, words));
  const part = (ptr: number, side: 1 | 2): Extent => {
    let [first, last] = [0, 0];
    for (const axis of axes) {
      const [size, by] = [axis[0], axis[side] * (axis[0] - 1)];
      if (size <= 0) return [ptr, size < 0 ? Infinity : 0];
      if (by < 0) first += by;
      else last += by;
    }
    return [ptr + 4 * first, last - first + 1];
  };
  const work = axes.reduce((product, [size]) => product * size, 1);
  return { extents: [[spec, words], part(x, 1), part(y, 2)], writes: 1, work };
}

export class ProgramVerifier {
  private readonly heap: Heap;
  private readonly end: number;
  private budget: number;
  private readonly written: Range[] = [];
  private readonly specs: Range[] = [];

  /**
   * @param heap    holds what the file says that memory holds
   * @param end     where the file's memory ends
   * @param budget  most multiply-adds of all programs
   */
  constructor(heap: Heap, end: number, budget: number) {
    this.heap = heap;
    this.end = end;
    this.budget = budget;
  }

  /** @throws FormatError for a call that leaves the memory, changes what others go by, or runs for too long */
  verify(calls: readonly BoundCall[]): void {
    this.visit(calls, []);
    if (this.specs.some((spec) => this.written.some((range) => overlap(spec, range))))
      fail("copies whose axes stay", "a program that writes over them");
  }

  private visit(calls: readonly BoundCall[], loops: readonly BoundLoop[]): void {
    if (loops.length > DEEPEST) fail(`at most ${DEEPEST} loops inside each other`, "more");
    for (const call of calls) {
      if (call.loop) this.visit(call.loop.calls, [...loops, call.loop]);
      else this.check(call, loops);
      this.budget -= CALL;
    }
  }

  /** Checks a call in the first and the last step of each loop around it: what lies between moves along a line. */
  private check(call: BoundCall, loops: readonly BoundLoop[]): void {
    const moves = loops.map(({ count, strided }) => ({
      count,
      strided: strided.filter(({ args }) => args === call.args),
    }));
    const steps = moves.reduce((product, { count }) => product * count, 1);
    for (let corner = 0; corner < 1 << loops.length; corner++) {
      const args = [...call.args];
      moves.forEach(({ count, strided }, i) => {
        for (const { index, by } of strided) if (corner & (1 << i)) args[index] += by * Math.max(count - 1, 0);
      });
      const { extents, writes, work = 0 } = this.touched(call, args);
      if (corner === 0) {
        const pointers = extents.map(([ptr]) => ptr);
        for (const { strided } of moves)
          for (const { index } of strided)
            if (!pointers.includes(args[index])) fail(`a pointer to move in ${call.kernel}`, `argument ${index}`);
        const words = extents.reduce((sum, extent) => sum + extent[1], 0);
        this.budget -= steps * (CALL + Math.max(work, words));
      }
      if (!(this.budget >= 0)) fail("programs that a file of this size may need", "one that would run for too long");
      extents.forEach((extent, i) => {
        const range = this.rangeOf(call.kernel, extent);
        if (i >= extents.length - writes) this.written.push(range);
      });
    }
  }

  private touched({ kernel, fn }: BoundCall, args: readonly number[]): Touched {
    const first = Object.hasOwn(NUMBERS, kernel) ? NUMBERS[kernel] : Infinity;
    const odd = args.find((arg, i) => (i < first ? !(Number.isInteger(arg) && arg >= 0) : typeof arg !== "number"));
    if (odd !== undefined || args.length !== fn.length)
      fail(`${fn.length} arguments of ${kernel}, sizes and pointers`, odd === undefined ? `${args.length}` : `${odd}`);
    if (kernel !== "f32_copy_strided") return KERNEL_EXTENTS[kernel](...args);
    const result = copied(this.heap, this.end, args);
    this.specs.push(this.rangeOf(kernel, result.extents[0]));
    return result;
  }

  private rangeOf(kernel: string, [ptr, words]: Extent): Range {
    const range = [ptr, ptr + 4 * words] as const;
    if (words !== 0 && !(words > 0 && ptr >= ARENA_BASE && range[1] <= this.end))
      fail(`${kernel} within ${ARENA_BASE}…${this.end}`, `${words} words at ${ptr}`);
    return range;
  }
}

/** Whether a program of a file may call it. */
export const isExportedKernel = (name: string): boolean =>
  name === "f32_copy_strided" || Object.hasOwn(KERNEL_EXTENTS, name);
