/** Reference kernels of packing and of the cells in double precision, to compare gradients with finite differences. */
import { kernelsOver } from "../../../bindings/reference/index.ts";
import type { Views } from "../../../bindings/reference/views.ts";
import type { Kernels } from "../../../bindings/generated/kernels.ts";

const BYTES = 1 << 22;

/** A sandbox whose f32 views are Float64Arrays at twice the offset; integers lie in a buffer of their own. */
export class Doubles {
  readonly buffer = new ArrayBuffer(BYTES);
  readonly kernels: Kernels;
  private readonly doubles = new ArrayBuffer(2 * BYTES);
  private next = 64;

  constructor() {
    const views: Views = {
      f32: (ptr, n) => this.view(ptr, n),
      i32: (ptr, n) => new Int32Array(this.buffer, ptr, n),
      f64: unused,
      u32: unused,
      i8: unused,
    };
    this.kernels = kernelsOver(views);
  }

  private view(ptr: number, n: number): Float32Array {
    return new Float64Array(this.doubles, ptr * 2, n) as unknown as Float32Array;
  }

  private reserve(n: number): number {
    const ptr = this.next;
    this.next = (ptr + 4 * n + 15) & ~15;
    return ptr;
  }

  reset(): void {
    this.next = 64;
  }

  f32(values: number | ArrayLike<number>): { ptr: number; data: Float32Array } {
    const n = typeof values === "number" ? values : values.length;
    const ptr = this.reserve(n);
    const data = this.view(ptr, n);
    if (typeof values === "number") data.fill(NaN);
    else data.set(values);
    return { ptr, data };
  }

  i32(values: ArrayLike<number>): { ptr: number; data: Int32Array } {
    const ptr = this.reserve(values.length);
    const data = new Int32Array(this.buffer, ptr, values.length);
    data.set(values);
    return { ptr, data };
  }
}

function unused(): never {
  throw new Error("doubles: expected a cell or packing, got a kernel of another kind");
}
