/** Modules for shared memory: unlike plain ones they import a memory whose limits have a maximum. */

const IMPORTS = 2;
const MEMORY = 2;
/** Flags of limits: there is a maximum, and the memory is shared. */
const SHARED = 3;
/** 65536 pages as LEB128. */
const MAXIMUM = [0x80, 0x80, 0x04];

/** Reads a module's bytes. */
class Reader {
  at = 8; // behind magic number and version
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  /** LEB128 */
  number(): number {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  skip(length: number): void {
    this.at += length;
  }
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push(128 | (value & 127));
  return [...bytes, value];
}

function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same module with a shared memory. @throws Error if its first import is no memory, or one with a maximum */
export function share(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const reader = new Reader(bytes);
  while (reader.byte() !== IMPORTS) reader.skip(reader.number());
  const head = reader.at; // behind the section's number, before its length
  const length = reader.number();
  const start = reader.at;
  for (let count = reader.number(); count > 0; count--) {
    reader.skip(reader.number());
    reader.skip(reader.number());
    if (reader.byte() !== MEMORY) {
      reader.number(); // a function's type
      continue;
    }
    const flags = reader.at;
    if (reader.byte() !== 0) break;
    reader.number(); // the minimum
    return joined([
      bytes.subarray(0, head),
      leb128(length + MAXIMUM.length),
      bytes.subarray(start, flags),
      [SHARED],
      bytes.subarray(flags + 1, reader.at),
      MAXIMUM,
      bytes.subarray(reader.at),
    ]);
  }
  throw new Error("share: expected a module that imports a memory without a maximum, got another");
}
