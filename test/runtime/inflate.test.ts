/** The decompressor of the wasm that travels as text, and what comes out of it. */
import { readFileSync } from "node:fs";
import { constants, deflateRawSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packed } from "../../bindings/generated/wasm.ts";
import { packed as packedInfer } from "../../bindings/generated/wasm_infer.ts";
import { Random } from "../../bindings/base/random.ts";
import { inflate } from "../../bindings/runtime/wasm/inflate.ts";
import { carried } from "../../bindings/runtime/wasm/packed.ts";
import { refused } from "../support/refused.ts";

const random = new Random(5);
const bytes = (n: number, value: (i: number) => number): Buffer =>
  Buffer.from(Uint8Array.from({ length: n }, (_, i) => value(i)));

const test = suite("inflate");

const samples: [string, Buffer][] = [
  ["text", readFileSync(new URL("../../package.json", import.meta.url))],
  ["a long run", bytes(100000, (i) => (i < 400 ? i & 31 : 7))],
  ["skewed noise in several blocks", bytes(300000, () => Math.floor(random.uniform() ** 3 * 256))],
  ["repeats from far away", Buffer.concat(Array.from({ length: 5 }, () => bytes(30000, (i) => (i * i) >> 8)))],
  ["too short for codes of its own", Buffer.from("short, short, shorter")],
  ["every byte and distance of the fixed codes", bytes(600, (i) => (i < 256 ? i : (i * 7) & 255))],
  ["every length of match", bytes(70000, (i) => (i % (3 + (i >> 8)) === 0 ? i >> 8 : i & 3))],
];

test("fixed codes for everything", () => {
  for (const [name, data] of samples) {
    if (name.includes("noise")) continue; // zlib stores it as it is
    assert.ok(
      Buffer.compare(inflate(deflateRawSync(data, { strategy: constants.Z_FIXED }), data.length), data) === 0,
      name,
    );
  }
});

for (const [name, data] of samples) {
  test(name, () => assert.ok(Buffer.compare(inflate(deflateRawSync(data, { level: 9 }), data.length), data) === 0));
}

test("blocks of bytes as they are", () => {
  const data = bytes(100000, () => random.below(256));
  assert.ok(Buffer.compare(inflate(deflateRawSync(data, { level: 0 }), data.length), data) === 0);
});

test("another size than expected, and what is no such stream", () => {
  const packed = deflateRawSync(Buffer.from("short"));
  refused(() => inflate(packed, 6), "ERR_FORMAT", /^inflate: expected 6 bytes, got 5$/);
  refused(() => inflate(packed.subarray(0, 2), 5), "ERR_FORMAT", /^inflate: expected /);
  for (let i = 0; i < 100; i++) {
    const noise = bytes(50, () => random.below(256));
    refused(() => inflate(noise, 1000), "ERR_FORMAT", /^inflate: expected /);
  }
});

for (const [name, source] of [
  ["", packed],
  ["-infer", packedInfer],
] as const) {
  test(`the modules${name} are those that were compiled`, () => {
    const { simd, relaxed } = carried(source);
    for (const [build, unpack] of [
      ["simd", simd!],
      ["relaxed", relaxed!],
    ] as const) {
      assert.ok(
        Buffer.compare(unpack(), readFileSync(new URL(`../../build/wasm/${build}${name}.wasm`, import.meta.url))) === 0,
        build,
      );
    }
  });
}

test.run();
