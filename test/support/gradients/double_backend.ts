/**
 * A backend with every float a double: the twins over views twice as wide. The same programs run on it, exact enough to
 * hold their gradients to finite differences.
 */
import { kernelsOver } from "../../../bindings/reference/index.ts";
import { Arena } from "../../../bindings/runtime/arena.ts";
import { Heap } from "../../../bindings/runtime/heap.ts";
import type { Backend } from "../../../bindings/runtime/backend.ts";

const BYTES = 1 << 25;

/** Integers as everywhere; floats at twice the offset in a buffer of their own. */
class DoubleHeap extends Heap {
  private readonly integers: ArrayBuffer;
  private readonly doubles = new ArrayBuffer(2 * BYTES);

  constructor() {
    const buffer = new ArrayBuffer(BYTES);
    super({
      buffer,
      grow: () => {
        throw new Error("double backend: full");
      },
    });
    this.integers = buffer;
  }

  override f32(ptr: number, n: number): Float32Array {
    return new Float64Array(this.doubles, ptr * 2, n) as unknown as Float32Array;
  }

  /** What is written as integers may hold floats too, such as the records of activations. */
  override i32(ptr: number, n: number): Int32Array {
    const view = new Int32Array(this.integers, ptr, n);
    const set = (source: ArrayLike<number>, at = 0): void => {
      Int32Array.prototype.set.call(view, source, at);
      this.f32(ptr, n).set(new Float32Array(view.slice().buffer));
    };
    return Object.assign(view, { set });
  }

  override u8(ptr: number, n: number): Uint8Array {
    new Uint8Array(this.integers, ptr, n).fill(0);
    return new Uint8Array(this.doubles, ptr * 2, n * 2);
  }
}

export function doubleBackend(): Backend {
  const heap = new DoubleHeap();
  const kernels = kernelsOver({
    f32: (ptr, n) => heap.f32(ptr, n),
    f64: (ptr, n) => heap.f32(ptr, n) as unknown as Float64Array,
    i32: (ptr, n) => heap.i32(ptr, n),
    u32: (ptr, n) => new Uint32Array(heap.i32(ptr, n).buffer, ptr, n),
    i8: (ptr, n) => new Int8Array(heap.i32(ptr, n).buffer, ptr, n),
  });
  return { build: "reference", kernels, heap, arena: new Arena(heap) };
}
