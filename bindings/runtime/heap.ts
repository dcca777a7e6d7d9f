/** The memory of a backend: the only file that touches `memory.buffer`. */
import { MemoryError } from "../base/errors.ts";
import type { WasmMemory } from "./wasm/types.ts";

/** What a heap grows: a WebAssembly.Memory, or the reference's stand-in for one. */
export interface GrowableMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PAGE = 65536;
const MAX_BYTES = 65536 * PAGE;

/** @throws RangeError where the engine keeps no room for one */
export function sharedMemory(): WasmMemory {
  for (let maximum = MAX_BYTES / PAGE; ; maximum /= 4) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared: true });
    } catch (error) {
      if (maximum <= 4096) throw error; // a quarter of a gigabyte
    }
  }
}

/** Plain JavaScript memory with the interface of a WebAssembly.Memory. */
export class PlainMemory implements GrowableMemory {
  buffer = new ArrayBuffer(PAGE);

  grow(pages: number): number {
    const former = this.buffer.byteLength / PAGE;
    const larger = new ArrayBuffer(this.buffer.byteLength + pages * PAGE);
    new Uint8Array(larger).set(new Uint8Array(this.buffer));
    this.buffer = larger;
    return former;
  }
}

/**
 * Views and growth of one memory. A view lives for a statement, since growth replaces the buffer;
 * whoever keeps one compares `generation` before using it.
 */
export class Heap {
  /** Counts the buffers this memory has had. */
  generation = 0;
  /** What modules are instantiated over. */
  readonly memory: GrowableMemory;

  constructor(memory: GrowableMemory) {
    this.memory = memory;
  }

  /** Bytes there are. */
  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /**
   * Makes the memory at least `bytes` long, half as much again as it was when that is more, so that growth stays rare.
   *
   * @throws MemoryError when the engine refuses; nothing has changed then
   */
  grow(bytes: number): void {
    const have = this.byteLength;
    if (bytes <= have) return;
    const roomy = Math.max(bytes, Math.min(MAX_BYTES, Math.ceil(have * 1.5)));
    if (!this.tryGrow(roomy) && !this.tryGrow(bytes)) {
      throw new MemoryError(
        `memory: expected room for ${bytes - have} more bytes, got a refusal at ${have} bytes; ` +
          "use a smaller batch, shorter sequences or fewer units, or dispose of models that are no longer used",
        bytes - have,
        MAX_BYTES - have,
      );
    }
    this.generation++;
  }

  private tryGrow(bytes: number): boolean {
    if (bytes > MAX_BYTES) return false;
    try {
      this.memory.grow(Math.ceil((bytes - this.byteLength) / PAGE));
      return true;
    } catch {
      return false;
    }
  }

  f32(ptr: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, ptr, length);
  }

  i32(ptr: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, ptr, length);
  }

  i8(ptr: number, length: number): Int8Array {
    return new Int8Array(this.memory.buffer, ptr, length);
  }

  f64(ptr: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, ptr, length);
  }

  u8(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, ptr, length);
  }
}
