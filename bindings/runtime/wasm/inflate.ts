/** Unpacks by the module of assembly/inflate.ts: DecompressionStream is asynchronous, and missing in worklets. */
import { decodeBase64 } from "../../base/base64.ts";
import { FormatError } from "../../base/errors.ts";
import { wasm } from "../../generated/inflate.ts";
import { Heap } from "../heap.ts";

/** The module's own data end below this address. */
const BASE = 4096;

/**
 * What DEFLATE has compressed.
 *
 * @param size  how many bytes that is
 * @throws FormatError when it is not
 */
export function inflate(source: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const heap = new Heap(memory);
  const to = BASE + source.length;
  heap.grow(to + size);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(decodeBase64(wasm)), { env: { memory } });
  heap.u8(BASE, source.length).set(source);
  let found: unknown;
  try {
    found = (exports.inflate as (from: number, to: number) => number)(BASE, to);
  } catch (cause) {
    throw new FormatError("inflate: expected compressed bytes, got others", { cause });
  }
  if (found !== size) throw new FormatError(`inflate: expected ${size} bytes, got ${String(found)}`);
  return heap.u8(to, size) as Uint8Array<ArrayBuffer>;
}
