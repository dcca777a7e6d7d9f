/** Views of the memory that reference kernels compute in: same byte offsets as the wasm kernels. */
export interface Memory {
  readonly buffer: ArrayBuffer;
}

export interface Views {
  f32(ptr: number, n: number): Float32Array;
  f64(ptr: number, n: number): Float64Array;
  i32(ptr: number, n: number): Int32Array;
  u32(ptr: number, n: number): Uint32Array;
}

/** Fresh views at every call: the buffer may have been replaced by a larger one since the last. */
export function viewsOf(memory: Memory): Views {
  return {
    f32: (ptr, n) => new Float32Array(memory.buffer, ptr, n),
    f64: (ptr, n) => new Float64Array(memory.buffer, ptr, n),
    i32: (ptr, n) => new Int32Array(memory.buffer, ptr, n),
    u32: (ptr, n) => new Uint32Array(memory.buffer, ptr, n),
  };
}
