/**
 * The safetensors format: named arrays, nothing that runs.
 *
 *   8 bytes        N, little-endian
 *   N bytes        JSON { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { name: text } }
 *   the rest       the arrays, little-endian, one after the other; offsets count from here
 *
 * Written files have N padded and the widest types first, so that every array is aligned. Read files are not trusted:
 * all sizes are checked before anything is allocated, and arrays must fill the data without holes or overlaps.
 */
import { FormatError, ShapeError, ValueError } from "../base/errors.ts";
import { f32FromBf16, f32FromF16 } from "../base/float16.ts";
import { decodeUtf8, encodeUtf8 } from "../base/utf8.ts";

export type TensorArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface TensorData<A extends TensorArray = TensorArray> {
  readonly data: A;
  readonly shape: readonly number[];
}

/** A decoded array. F16 and BF16 are widened to Float32Array, BOOL is a Uint8Array of 0 and 1. */
export interface StoredTensor {
  readonly data: TensorArray;
  readonly shape: number[];
  /** What the file said, such as "BF16". */
  readonly dtype: string;
}

export interface SafetensorsFile {
  readonly tensors: Record<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

const METADATA = "__metadata__";
const PREFIX = 8;
const ALIGN = 8;
/** No header is longer in any implementation. */
const MAX_HEADER = 100_000_000;

const ITEM_BYTES: Record<string, number> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** The array over a buffer of its own. */
const VIEWS: Record<string, (buffer: ArrayBuffer) => TensorArray> = {
  F64: (buffer) => new Float64Array(buffer),
  I64: (buffer) => new BigInt64Array(buffer),
  U64: (buffer) => new BigUint64Array(buffer),
  F32: (buffer) => new Float32Array(buffer),
  I32: (buffer) => new Int32Array(buffer),
  U32: (buffer) => new Uint32Array(buffer),
  F16: (buffer) => f32FromF16(new Uint16Array(buffer)),
  BF16: (buffer) => f32FromBf16(new Uint16Array(buffer)),
  I16: (buffer) => new Int16Array(buffer),
  U16: (buffer) => new Uint16Array(buffer),
  I8: (buffer) => new Int8Array(buffer),
  U8: (buffer) => new Uint8Array(buffer),
  BOOL: (buffer) => new Uint8Array(buffer),
};

const DTYPES: Record<string, string> = {
  Float64Array: "F64",
  BigInt64Array: "I64",
  BigUint64Array: "U64",
  Float32Array: "F32",
  Int32Array: "I32",
  Uint32Array: "U32",
  Int16Array: "I16",
  Uint16Array: "U16",
  Int8Array: "I8",
  Uint8Array: "U8",
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const bytesOf = (data: TensorArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function dtypeOf(name: string, { data, shape }: TensorData): string {
  // by tag, so that a Buffer counts as Uint8Array and arrays of another realm count
  const type = Object.prototype.toString.call(data).slice(8, -1);
  const dtype = DTYPES[type];
  if (dtype === undefined) throw new ValueError(`safetensors "${name}": expected a typed array, got ${type}`);
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count !== data.length) {
    throw new ShapeError(
      `safetensors "${name}": expected ${count} elements for shape [${shape.join(", ")}], got ${data.length}`,
    );
  }
  return dtype;
}

/**
 * Writes arrays and texts as one file. The bytes depend on what is given only, not on the order of the keys.
 *
 * @throws ShapeError when an array's length is not the product of its shape
 * @throws ValueError for an array of another type or a reserved name
 * @example
 * const bytes = encodeSafetensors({ kernel: { data: new Float32Array(6), shape: [2, 3] } }, { made: "today" });
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, TensorData>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  if (Object.hasOwn(tensors, METADATA))
    throw new ValueError(`safetensors: expected names other than "${METADATA}", got it`);
  const rows = Object.entries(tensors)
    .map(([name, tensor]) => ({ name, tensor, dtype: dtypeOf(name, tensor) }))
    .sort((a, b) => ITEM_BYTES[b.dtype] - ITEM_BYTES[a.dtype] || compare(a.name, b.name));
  const fields: [string, object][] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  if (texts.length > 0) fields.push([METADATA, Object.fromEntries(texts)]);
  let end = 0;
  for (const { name, tensor, dtype } of rows) {
    const begin = end;
    end += tensor.data.byteLength;
    fields.push([name, { dtype, shape: tensor.shape, data_offsets: [begin, end] }]);
  }
  const header = encodeUtf8(JSON.stringify(Object.fromEntries(fields)));
  const headerBytes = Math.ceil(header.length / ALIGN) * ALIGN;
  const file = new Uint8Array(PREFIX + headerBytes + end);
  new DataView(file.buffer).setUint32(0, headerBytes, true);
  file.fill(0x20, PREFIX, PREFIX + headerBytes);
  file.set(header, PREFIX);
  let at = PREFIX + headerBytes;
  for (const { tensor } of rows) {
    file.set(bytesOf(tensor.data), at);
    at += tensor.data.byteLength;
  }
  return file;
}

const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** A value of the header for a message: what is nested deeply would overflow the stack of JSON.stringify. */
function show(value: unknown): string {
  if (Array.isArray(value)) return isCounts(value) ? clip(`[${value.join(", ")}]`) : "another list";
  return typeof value === "object" && value !== null ? "an object" : clip(JSON.stringify(value) ?? "none");
}

function fail(expected: string, got: string | number): never {
  throw new FormatError(`safetensors: expected ${expected}, got ${got}`);
}

/** JSON.parse keeps the last of two equal keys and says nothing; another reader might keep the first. */
function rejectTwins(json: string): void {
  const open: Set<string>[] = [];
  // keys, other strings (skipped) and braces; the text is known to be JSON
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "}") open.pop();
    if (json[i] !== '"') continue;
    const start = i;
    while (json[++i] !== '"') if (json[i] === "\\") i++;
    let next = i + 1;
    while (json[next] <= " ") next++;
    if (json[next] !== ":") continue;
    const keys = open[open.length - 1];
    const key = JSON.parse(json.slice(start, i + 1)) as string;
    if (keys.has(key)) fail("every key once", `"${clip(key)}" twice`);
    keys.add(key);
  }
}

function parseHeader(bytes: Uint8Array): { header: object; dataStart: number } {
  if (bytes.length < PREFIX) fail(`at least ${PREFIX} bytes`, bytes.length);
  const prefix = new DataView(bytes.buffer, bytes.byteOffset, PREFIX);
  const length = prefix.getUint32(0, true) + prefix.getUint32(4, true) * 2 ** 32;
  if (length > Math.min(MAX_HEADER, bytes.length - PREFIX)) {
    fail(`a header within the file's ${bytes.length} bytes and at most ${MAX_HEADER}`, `${length} bytes`);
  }
  const dataStart = PREFIX + length;
  const json = decodeUtf8(bytes.subarray(PREFIX, dataStart));
  let header: unknown;
  try {
    header = JSON.parse(json);
  } catch (cause) {
    throw new FormatError(`safetensors: expected a header of JSON, got ${(cause as Error).message}`, { cause });
  }
  if (!isRecord(header)) fail("a header that is an object", show(header));
  rejectTwins(json);
  return { header, dataStart };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

function parseEntry(name: string, value: unknown, dataBytes: number): Entry {
  const what = (field: string): string => `${field} of "${clip(name)}"`;
  if (!isRecord(value)) fail(`an object for "${clip(name)}"`, show(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(ITEM_BYTES, dtype)) {
    fail(`${what("dtype")} to be one of ${Object.keys(ITEM_BYTES).join(", ")}`, show(dtype));
  }
  if (!isCounts(shape)) fail(`${what("shape")} to be a list of counts`, show(shape));
  if (!isCounts(offsets) || offsets.length !== 2) {
    fail(`${what("data_offsets")} to be two counts`, show(offsets));
  }
  const [begin, end] = offsets;
  if (begin > end || end > dataBytes)
    fail(`${what("data_offsets")} within ${dataBytes} bytes of data`, `[${begin}, ${end}]`);
  // a product beyond 2⁵³ is not exact, but too large for any file all the same
  const size = shape.reduce((product, extent) => product * extent, ITEM_BYTES[dtype]);
  if (size !== end - begin)
    fail(`${what("data_offsets")} to span ${size} bytes, as ${dtype} ${show(shape)} needs`, end - begin);
  return { name, dtype, shape, begin, end };
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) fail(`an object of texts for "${METADATA}"`, show(value));
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") fail(`a text for metadata "${clip(name)}"`, show(text));
  }
  return value as Record<string, string>;
}

/**
 * Checks that the arrays cover the data without gaps. Some writers align arrays: up to 7 zeros may follow one, up to
 * the next multiple of 8.
 */
function checkCoverage(entries: readonly Entry[], data: Uint8Array): void {
  let end = 0;
  const reaches = (next: number): boolean =>
    next === end ||
    (next > end && next <= Math.ceil(end / ALIGN) * ALIGN && data.subarray(end, next).every((byte) => byte === 0));
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (!reaches(entry.begin))
      fail(`"${clip(entry.name)}" to begin at ${end}, where the array before it ends`, entry.begin);
    end = entry.end;
  }
  if (!reaches(data.length)) fail(`${end} bytes of data, as its header says`, data.length);
}

/**
 * Reads a file from anywhere. Arrays are copies, whatever the alignment.
 *
 * @throws FormatError that names what is wrong, for any bytes that are not a complete file of the format
 * @example
 * const { tensors, metadata } = decodeSafetensors(bytes);
 * tensors["gru/kernel"].data;
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, dataStart } = parseHeader(bytes);
  const dataBytes = bytes.length - dataStart;
  const fields = Object.entries(header);
  const metadata = parseMetadata(fields.find(([name]) => name === METADATA)?.[1]);
  const entries = fields
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => parseEntry(name, value, dataBytes));
  checkCoverage(entries, bytes.subarray(dataStart));
  const read = ({ name, dtype, shape, begin, end }: Entry): [string, StoredTensor] => {
    const own = new Uint8Array(end - begin);
    own.set(bytes.subarray(dataStart + begin, dataStart + end));
    return [name, { data: VIEWS[dtype](own.buffer), shape, dtype }];
  };
  // fromEntries defines its keys: "__proto__" is a name like any other
  return { tensors: Object.fromEntries(entries.map(read)), metadata };
}
