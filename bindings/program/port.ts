/** Frames, batches and scalars in and out of a program: the only kept views of the heap. */
import { ValueError } from "../base/errors.ts";
import type { Backend } from "../runtime/backend.ts";
import { checkAttached, indexOf } from "../base/ndarray.ts";
import { describe, sizeOf, type DType, type Shape } from "../base/shape.ts";
import type { ValueRange } from "../graph/ir.ts";

/** Up to here a loop is as fast as a view of the source, and no garbage. */
const SHORT = 256;

function copyRun(
  source: Float32Array | Int32Array,
  from: number,
  target: Float32Array | Int32Array,
  to: number,
  length: number,
): void {
  if (length > SHORT) target.set(source.subarray(from, from + length), to);
  else for (let k = 0; k < length; k++) target[to + k] = source[from + k];
}

/** A place in memory that the outside writes or reads. Its view is taken again when the heap's generation has changed. */
export class Port {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly size: number;
  private readonly backend: Pick<Backend, "heap" | "kernels">;
  private readonly ptr: number;
  private readonly ranges: readonly ValueRange[];
  private generation = -1;
  private kept!: Float32Array | Int32Array;

  constructor(
    backend: Pick<Backend, "heap" | "kernels">,
    ptr: number,
    shape: Shape,
    dtype: DType,
    ranges: readonly ValueRange[] = [],
  ) {
    this.backend = backend;
    this.ptr = ptr;
    this.shape = shape;
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.ranges = ranges;
  }

  /** The memory behind the port; valid until the next call into gatewise. */
  get view(): Float32Array | Int32Array {
    const { heap } = this.backend;
    if (this.generation !== heap.generation) {
      this.kept = this.dtype === "i32" ? heap.i32(this.ptr, this.size) : heap.f32(this.ptr, this.size);
      this.generation = heap.generation;
    }
    return this.kept;
  }

  /**
   * Copies values in, checking those that kernels use as indices.
   *
   * @throws ValueError naming the first value out of range
   */
  write(source: ArrayLike<number>, subject: string): void {
    this.check(source, subject);
    this.set(source);
  }

  /** {@link write} @throws ValueError naming the first value that is NaN or infinite, too */
  writeFinite(source: ArrayLike<number>, subject: string): void {
    this.check(source, subject);
    const odd = this.set(source);
    if (odd >= 0) throw new ValueError(`${subject}: expected finite numbers, got ${source[odd]} at ${odd}`);
  }

  /**
   * Copies values in that have been checked; floats below 1e-30 become 0.
   *
   * @returns the first float that is NaN or infinite, -1 if there is none
   */
  set(source: ArrayLike<number>): number {
    this.view.set(source);
    return this.flush();
  }

  private flush(): number {
    return this.dtype === "i32" ? -1 : this.backend.kernels.f32_flush(this.size, this.ptr);
  }

  /**
   * Holds values to what kernels trust, without copying them.
   *
   * @param source  an array of this port's shape, or of more rows
   * @param shape   of the array, but for its rows; this port's when absent
   * @throws ValueError naming the first value out of range
   */
  check(source: ArrayLike<number>, subject: string, shape: Shape = this.shape): void {
    for (let r = 0; r < this.ranges.length; r++) this.checkRange(source, this.ranges[r], subject, shape);
  }

  /** @throws ValueError naming the first value that is NaN or infinite */
  checkFinite(source: ArrayLike<number>, subject: string): void {
    if (this.dtype === "i32") return;
    for (let i = 0; i < source.length; i++) {
      if (!Number.isFinite(source[i]))
        throw new ValueError(`${subject}: expected finite numbers, got ${source[i]} at ${i}`);
    }
  }

  /**
   * Copies the given rows of a larger array in: row i of the port is row `rows[i]` of the source.
   *
   * @throws ValueError for a value out of range, and for an array whose buffer has been transferred meanwhile
   */
  writeRows(source: Float32Array | Int32Array, rows: Int32Array, subject: string): void {
    checkAttached(source, subject);
    const width = this.size / rows.length;
    const { view } = this;
    for (let first = 0; first < rows.length;) {
      let end = first + 1;
      while (end < rows.length && rows[end] === rows[end - 1] + 1) end++;
      copyRun(source, rows[first] * width, view, first * width, (end - first) * width);
      first = end;
    }
    this.check(view, subject);
    this.flush();
  }

  writeScalar(value: number): void {
    this.view[0] = value;
  }

  /** A copy, made by the constructor: it does not fill with zeros first, as `slice` does. */
  read(): Float32Array | Int32Array {
    const { view } = this;
    return new (view.constructor as new (source: typeof view) => typeof view)(view);
  }

  private checkRange(
    source: ArrayLike<number>,
    { below, what, except }: ValueRange,
    subject: string,
    shape: Shape,
  ): void {
    for (let i = 0; i < source.length; i++) {
      const value = source[i];
      if ((value >= 0 && value < below && Number.isInteger(value)) || value === except) continue;
      const place = describe(indexOf(i, [source.length, ...shape.slice(1)]));
      throw new ValueError(`${subject}: expected ${what} of 0…${below - 1}, got ${value} at ${place}`);
    }
  }
}
