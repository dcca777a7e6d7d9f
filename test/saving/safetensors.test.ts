import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { GatewiseError } from "../../bindings/base/errors.ts";
import { FormatError } from "../../bindings/base/errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../../bindings/saving/safetensors.ts";
import type { TensorData } from "../../bindings/saving/safetensors.ts";

const test = suite("safetensors");
const SEED = 20260101;

/** A file with any header over zero bytes of data. */
function fileOf(header: unknown, dataBytes = 0, padding = ""): Uint8Array {
  const json = Buffer.from((typeof header === "string" ? header : JSON.stringify(header)) + padding);
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

function failure(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    assert.ok(error instanceof FormatError, String((error as Error).stack));
    assert.is(error.code, "ERR_FORMAT");
    return error.message;
  }
  return "";
}

const one = (entry: object, dataBytes = 8): Uint8Array =>
  fileOf({ a: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...entry } }, dataBytes);

const arrays: Record<string, TensorData> = {
  "gru/kernel": { data: Float32Array.of(1.5, -2, NaN, Infinity, -0, 1e-45), shape: [2, 3] },
  steps: { data: BigInt64Array.of(-1n, 2n ** 62n), shape: [2] },
  seen: { data: BigUint64Array.of(2n ** 64n - 1n), shape: [1] },
  f64: { data: Float64Array.of(Math.PI), shape: [] },
  i32: { data: Int32Array.of(-5), shape: [1] },
  u32: { data: Uint32Array.of(4294967295), shape: [1] },
  i16: { data: Int16Array.of(-1, 2, 3), shape: [3] },
  u16: { data: Uint16Array.of(65535), shape: [1, 1] },
  i8: { data: Int8Array.of(-128), shape: [1] },
  u8: { data: Uint8Array.of(255, 0, 1), shape: [3] },
  none: { data: new Float32Array(0), shape: [4, 0] },
  "Gewichte ü 😀": { data: Float32Array.of(1), shape: [1] },
  __proto__x: { data: Float32Array.of(2), shape: [1] },
};

test("what is written is read again, of every type", () => {
  const file = encodeSafetensors(arrays, { made: "today", "😀": 'ä\n"' });
  const { tensors, metadata } = decodeSafetensors(file);
  assert.equal(metadata, { made: "today", "😀": 'ä\n"' });
  assert.equal(Object.keys(tensors).sort(), Object.keys(arrays).sort());
  for (const [name, { data, shape }] of Object.entries(arrays)) {
    assert.equal(tensors[name].shape, [...shape]);
    assert.is(tensors[name].data.constructor, data.constructor);
    assert.equal(Buffer.from(tensors[name].data.buffer), Buffer.from(data.buffer), name);
  }
});

test("a file is aligned, and does not depend on the order of the keys", () => {
  const file = encodeSafetensors(arrays, { b: "1", a: "2" });
  const backwards = Object.fromEntries(Object.entries(arrays).reverse());
  assert.equal(encodeSafetensors(backwards, { a: "2", b: "1" }), file);
  const header = JSON.parse(Buffer.from(file.subarray(8, 8 + file[0] + 256 * file[1])).toString());
  const start = 8 + file[0] + 256 * file[1];
  assert.is(start % 8, 0);
  for (const [name, { data }] of Object.entries(arrays)) {
    assert.is((start + header[name].data_offsets[0]) % data.BYTES_PER_ELEMENT, 0, name);
  }
});

test("views, names like __proto__ and files at odd offsets", () => {
  const whole = Float32Array.of(0, 1, 2, 3, 4);
  const tensors = Object.fromEntries([["__proto__", { data: whole.subarray(1, 3), shape: [2] }]]);
  const file = encodeSafetensors(tensors);
  const shifted = new Uint8Array(file.length + 3).subarray(3);
  shifted.set(file);
  const read = decodeSafetensors(shifted).tensors;
  assert.equal(Object.keys(read), ["__proto__"]);
  assert.equal(Object.entries(read)[0][1].data, Float32Array.of(1, 2));
});

test("arrays are copies", () => {
  const file = encodeSafetensors({ a: { data: Float32Array.of(1), shape: [1] } });
  const { data } = decodeSafetensors(file).tensors.a;
  file.fill(0, 8 + file[0]);
  assert.is(data[0], 1);
});

test("half floats are widened exactly", () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8001, 0x8000, 0x7c00, 0xfc00, 0x3555);
  const file = fileOf(
    {
      h: { dtype: "F16", shape: [10], data_offsets: [0, 20] },
      b: { dtype: "BF16", shape: [4], data_offsets: [20, 28] },
    },
    28,
  );
  file.set(new Uint8Array(halves.buffer), file.length - 28);
  file.set(new Uint8Array(Uint16Array.of(0x3f80, 0xc049, 0x0001, 0x7f80).buffer), file.length - 8);
  const { h, b } = decodeSafetensors(file).tensors;
  const expected = [1, -2, 65504, 2 ** -14, 2 ** -24, -(2 ** -24), -0, Infinity, -Infinity, 0.333251953125];
  assert.ok(
    expected.every((value, i) => Object.is(h.data[i], value)),
    String(h.data),
  );
  assert.equal([...b.data], [1, -3.140625, 2 ** -133, Infinity]);
  assert.is(h.dtype, "F16");
});

/** An array of three bytes and one of two floats. */
const two = (offsets: number[], bytes: number): Uint8Array =>
  fileOf(
    { a: { dtype: "U8", shape: [3], data_offsets: [0, 3] }, b: { dtype: "F32", shape: [2], data_offsets: offsets } },
    bytes,
  );

test("zeros that align arrays are passed over", () => {
  for (const [begin, bytes] of [
    [3, 11],
    [3, 16],
    [4, 12],
    [8, 16],
  ]) {
    assert.equal(decodeSafetensors(two([begin, begin + 8], bytes)).tensors.b.data, new Float32Array(2), String(begin));
  }
});

test("every kind of damage is named", () => {
  const rows: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /at least 8 bytes, got 0/],
    ["header beyond the file", fileOf("{}").subarray(0, 9), /header within/],
    ["header of 2^63 bytes", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 128, 1, 1), /header within/],
    ["no JSON", fileOf("{"), /header of JSON/],
    ["no UTF-8", Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff, 0x22), /UTF-8/],
    ["an array", fileOf([]), /an object, got/],
    ["null", fileOf("null"), /an object, got null/],
    ["a number as entry", fileOf({ a: 1 }), /an object for "a", got 1/],
    ["unknown dtype", one({ dtype: "F31" }), /dtype of "a".*got "F31"/],
    ["inherited dtype", one({ dtype: "constructor" }), /dtype of "a"/],
    ["no dtype", one({ dtype: undefined }), /dtype of "a".*got none/],
    ["fraction in shape", one({ shape: [0.5] }), /shape of "a"/],
    ["negative shape", one({ shape: [-2] }), /shape of "a"/],
    ["shape overflow", one({ shape: [2 ** 40, 2 ** 40] }), /span/],
    ["overflow times zero", one({ shape: [1e15, 1e15, ...new Array<number>(30).fill(1e15), 0] }), /span/],
    ["wrong size", one({ dtype: "F64" }), /span 16 bytes.*got 8/],
    ["one offset", one({ data_offsets: [0] }), /data_offsets of "a"/],
    ["offsets backwards", one({ data_offsets: [8, 0] }), /within 8 bytes/],
    ["offsets beyond", one({ data_offsets: [4, 12] }), /within 8 bytes/],
    ["trailing bytes", one({}, 9), /8 bytes of data.*got 9/],
    ["a hole", one({ data_offsets: [4, 12] }, 12), /begin at 0.*got 4/],
    ["a hole that is no alignment", two([9, 17], 17), /"b" to begin at 3.*got 9/],
    [
      "alignment that is not zero",
      two([8, 16], 16).map((byte, i, all) => (i === all.length - 12 ? 1 : byte)),
      /"b" to begin at 3.*got 8/,
    ],
    ["a whole word of zeros behind the last array", two([3, 11], 19), /11 bytes of data.*got 19/],
    [
      "overlap",
      fileOf(
        {
          a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
          b: { dtype: "F32", shape: [2], data_offsets: [4, 12] },
        },
        12,
      ),
      /"b" to begin at 8/,
    ],
    [
      "a name twice",
      fileOf(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      ),
      /"a" twice/,
    ],
    ["a field twice", fileOf('{"a":{"dtype":"U8","shape":[0],"shape" : [1],"data_offsets":[0,0]}}', 1), /./],
    ["metadata that is no text", fileOf({ __metadata__: { a: 1 } }), /text for metadata "a", got 1/],
    ["metadata that is no object", fileOf({ __metadata__: [] }), /object of texts/],
    ["deep nesting", fileOf(`{"a":{"dtype":${"[".repeat(50000)}${"]".repeat(50000)}}}`), /dtype of "a"|JSON/],
  ];
  for (const [name, bytes, message] of rows) assert.match(failure(bytes), message, name);
  assert.is(failure(fileOf('{"__metadata__":{"a":"{\\"b\\":1,\\"b\\":2}"}}')), "", "braces and colons inside texts");
});

test("encode refuses what it could not read back", () => {
  const data = new Float32Array(4);
  const refused = (run: () => void, code: string): void => assert.throws(run, (e: GatewiseError) => e.code === code);
  refused(() => encodeSafetensors({ a: { data, shape: [3] } }), "ERR_SHAPE");
  refused(() => encodeSafetensors({ __metadata__: { data, shape: [4] } }), "ERR_VALUE");
  refused(() => encodeSafetensors({ a: { data: [1, 2] as unknown as Float32Array, shape: [2] } }), "ERR_VALUE");
});

test("cut at every length it is a FormatError", () => {
  const file = encodeSafetensors(arrays, { made: "today" });
  for (let length = 0; length < file.length; length++)
    assert.is.not(failure(file.subarray(0, length)), "", String(length));
});

/** Decoding damaged bytes: a FormatError, or a result that is sound in itself. */
function isSound(bytes: Uint8Array): void {
  try {
    for (const { data, shape, dtype } of Object.values(decodeSafetensors(bytes).tensors)) {
      assert.is(
        data.length,
        shape.reduce((a, b) => a * b, 1),
        dtype,
      );
    }
  } catch (error) {
    assert.ok(error instanceof FormatError, String((error as Error).stack));
  }
}

test("every byte of the header changed in any way", () => {
  const file = encodeSafetensors(arrays, { made: "today" });
  const headerEnd = 8 + file[0] + 256 * file[1];
  for (let at = 0; at < headerEnd; at++) {
    const kept = file[at];
    for (let flip = 1; flip < 256; flip += at < 8 ? 1 : 7) {
      file[at] = kept ^ flip;
      isSound(file);
    }
    file[at] = kept;
  }
});

test("random damage, inserted pieces and random files", () => {
  const file = encodeSafetensors(arrays, { made: "today" });
  const edit = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 8 }), (edits) => {
      const damaged = file.slice();
      for (const [at, value] of edits) damaged[at] = value;
      isSound(damaged);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.json(), fc.nat(64), (json, n) => isSound(fileOf(json, n))),
    { seed: SEED, numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => isSound(bytes)),
    { seed: SEED, numRuns: 1000 },
  );
});

test("any arrays and texts make the round trip", () => {
  const tensor = fc
    .oneof(
      fc.float32Array({ maxLength: 9 }),
      fc.int32Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      fc.float64Array({ maxLength: 9 }),
    )
    .map((data): TensorData => ({ data, shape: [data.length] }));
  const name = fc.string({ unit: "grapheme" }).filter((text) => text !== "__metadata__");
  fc.assert(
    fc.property(fc.dictionary(name, tensor), fc.dictionary(name, fc.string()), (tensors, texts) => {
      const read = decodeSafetensors(encodeSafetensors(tensors, texts));
      assert.equal({ ...read.metadata }, { ...texts });
      assert.equal(Object.keys(read.tensors).sort(), Object.keys(tensors).sort());
      for (const [key, { data }] of Object.entries(tensors)) {
        assert.equal(
          Buffer.from(read.tensors[key].data.buffer),
          Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        );
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("nothing that a worklet lacks", () => {
  const globals = globalThis as Record<string, unknown>;
  const names = ["TextDecoder", "TextEncoder", "Buffer", "atob"];
  const kept = names.map((name) => Object.getOwnPropertyDescriptor(globals, name)!);
  try {
    for (const name of names) Object.defineProperty(globals, name, { value: undefined, configurable: true });
    const file = encodeSafetensors(arrays, { "😀": "ä" });
    assert.is(decodeSafetensors(file).metadata["😀"], "ä");
  } finally {
    names.forEach((name, i) => Object.defineProperty(globals, name, kept[i]));
  }
});

test.run();
