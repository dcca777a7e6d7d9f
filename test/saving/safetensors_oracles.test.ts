import { readFileSync, readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeSafetensors, encodeSafetensors } from "../../bindings/saving/safetensors.ts";
import type { SafetensorsFile, TensorData } from "../../bindings/saving/safetensors.ts";
import { assertOracle } from "../cases/case.ts";
import { eachCase, listCases, loadCase, oraclePath, oracleTest } from "../support/oracles.ts";

const test = suite("safetensors of other producers");

const read = (path: string): SafetensorsFile => decodeSafetensors(readFileSync(oraclePath(path)));

oracleTest(test, "f16, bf16 and f64 files of PyTorch hold the weights of the f32 file", () => {
  const { tensors } = read("torch-models/last_lstm_2.safetensors");
  // relative rounding of each type, and f16's absolute one among its subnormals
  const types = { f16: [2 ** -11, 2 ** -25, "F16"], bf16: [2 ** -8, 0, "BF16"], f64: [0, 0, "F64"] } as const;
  for (const [type, [relative, absolute, dtype]] of Object.entries(types)) {
    const other = read(`torch-models/last_lstm_2.${type}.safetensors`).tensors;
    assert.equal(Object.keys(other).sort(), Object.keys(tensors).sort());
    let rounded = 0;
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      assert.equal(other[name].shape, shape);
      assert.is(other[name].dtype, dtype);
      data.forEach((value: number | bigint, i: number) => {
        const difference = Math.abs(Number(other[name].data[i]) - Number(value));
        if (difference > 0) rounded++;
        assert.ok(difference <= relative * Math.abs(Number(value)) + absolute, `${type} ${name}[${i}]`);
      });
    }
    assert.is(rounded > 0, type !== "f64");
  }
});

oracleTest(test, "every file below the folder is read, and is itself again when written", () => {
  const files = readdirSync(oraclePath("."), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".safetensors"));
  assert.ok(files.length > 500, String(files.length));
  for (const file of files) {
    const { tensors, metadata } = read(file);
    const isWidened = ({ dtype }: { dtype: string }): boolean => dtype.endsWith("F16") || dtype === "BOOL";
    if (Object.values(tensors).some(isWidened)) continue;
    const again = decodeSafetensors(encodeSafetensors(tensors as Record<string, TensorData>, metadata));
    assert.equal(again.metadata, metadata, file);
    assert.equal(Object.keys(again.tensors).sort(), Object.keys(tensors).sort(), file);
    for (const [name, { data, shape, dtype }] of Object.entries(tensors)) {
      const { data: copy, shape: extents, dtype: type } = again.tensors[name];
      assert.equal([extents, type], [shape, dtype], file);
      assert.is(Buffer.compare(Buffer.from(copy.buffer), Buffer.from(data.buffer)), 0, `${file} ${name}`);
    }
  }
});

oracleTest(test, "the comparison with a reference can fail", () => {
  const name = listCases("torch/cell")[0];
  const oracle = loadCase("torch/cell", name);
  const key = Object.keys(oracle.tensors).find((tensor) => tensor.startsWith("output"))!;
  const exact = Array.from(oracle.tensors[key].data);
  assertOracle(oracle, key, exact);
  for (const wrong of [exact.map((value) => value + 1e-3), exact.map(() => NaN), exact.slice(1)]) {
    assert.throws(() => assertOracle(oracle, key, wrong), /expected/);
  }
  assert.throws(() => assertOracle(oracle, "output.none", exact), /expected a reference of that name/);
});

eachCase(test, "torch/cell", ({ json, tensors }) => {
  for (const [name, { shape }] of Object.entries<{ shape: number[] }>(json.tensors))
    assert.equal(tensors[name].shape, shape);
});

test.run();
