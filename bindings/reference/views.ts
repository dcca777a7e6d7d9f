/** Views of the memory that reference kernels compute in: same byte offsets as the wasm kernels. */
export interface Memory {
  /** Where pointers lead, in bytes; read anew at every call. */
  readonly buffer: ArrayBuffer;
}

export interface Views {
  f32(ptr: number, n: number): Float32Array;
  f64(ptr: number, n: number): Float64Array;
  i32(ptr: number, n: number): Int32Array;
  u32(ptr: number, n: number): Uint32Array;
  i8(ptr: number, n: number): Int8Array;
}

/** Fresh views at every call: the buffer may have been replaced by a larger one since the last. */
export function viewsOf(memory: Memory): Views {
  return {
    f32: (ptr, n) => new Float32Array(memory.buffer, ptr, n),
    f64: (ptr, n) => new Float64Array(memory.buffer, ptr, n),
    i32: (ptr, n) => new Int32Array(memory.buffer, ptr, n),
    u32: (ptr, n) => new Uint32Array(memory.buffer, ptr, n),
    i8: (ptr, n) => new Int8Array(memory.buffer, ptr, n),
  };
}

/** View of a row-major matrix whose rows are ld elements apart: element (m, n) at m·ld + n. */
export function matrix(views: Views, ptr: number, rows: number, columns: number, ld: number): Float32Array {
  return views.f32(ptr, rows === 0 ? 0 : (rows - 1) * ld + columns);
}

/** How many of M rows count: what `live` points to, all when it is 0. */
export function liveRows(views: Views, live: number, M: number): number {
  return live === 0 ? M : Math.min(M, views.i32(live, 1)[0]);
}
