// What TypeScript and AssemblyScript must agree on: bindings/abi against the sources of the kernels and their results.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { GRU_GATES, LSTM_GATES } from "../../bindings/abi/gates.ts";
import * as hyperparameters from "../../bindings/abi/hyperparameters.ts";
import { int8Chunks, int8Offset, int8PackedBytes, int8ScratchBytes } from "../../bindings/abi/int8_panel.ts";
import { gateColumn, panelOffset, panelWidth } from "../../bindings/abi/panel.ts";
import { encodeActivations, encodeStrided, RANDOM_STATE } from "../../bindings/abi/records.ts";
import { ROW_FLAGS } from "../../bindings/abi/row_flags.ts";
import { rowsScratch, transposedScratch } from "../../bindings/abi/scratch.ts";
import { UNARY_CODES } from "../../bindings/abi/unary_codes.ts";
import { eachBuild, type Sandbox } from "../support/builds.ts";
import { close, real, same } from "../support/numbers.ts";

const source = (path: string): string => readFileSync(new URL(`../../assembly/${path}`, import.meta.url), "utf8");
/** A name without its spelling: AS_READ and asRead are one. */
const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();
const pairs = (matches: Iterable<RegExpMatchArray>): Record<string, number> =>
  Object.fromEntries([...matches].map(([, name, value]) => [plain(name!), Number(value)]));

const test = suite("abi");

test("elementwise functions have the same codes", () => {
  const codes = [...source("lib/elementwise/unary_codes.ts").matchAll(/^ {2}(\w+) = (\d+),/gm)];
  assert.equal(Object.fromEntries(codes.map(([, name, code]) => [name!.toLowerCase(), Number(code)])), UNARY_CODES);
});

test("the order of rows has the same flags", () => {
  const flags = pairs(source("kernels/rows/pack_rows.ts").matchAll(/^const (\w+): i32 = (\d+);/gm));
  assert.equal(flags, Object.fromEntries(Object.entries(ROW_FLAGS).map(([name, value]) => [plain(name), value])));
});

test("hyperparameters of optimizers stand in the same order", () => {
  const lists = [
    ...source("kernels/training/optimizer.ts").matchAll(
      /@param hyper +in +\[(\d+)\] +(.+)$[^]*?^export function f32_(\w+)/gm,
    ),
  ];
  const found = lists.map(([, n, fields, kernel]) => {
    const names = fields!.split(", ").map((field) => field.replace(/ = .*/, ""));
    assert.is(Number(n), names.length, kernel);
    return [`${kernel!.toUpperCase()}_HYPER`, names];
  });
  assert.equal(Object.fromEntries(found), { ...hyperparameters });
});

test("the state of dropout has the same words", () => {
  const [, count, fields] = /@param state +in +\[(\d+)\] u32 +(.+)$/m.exec(source("kernels/elementwise/dropout.ts"))!;
  const words = Object.entries(RANDOM_STATE).sort(([, a], [, b]) => a - b);
  assert.is(Number(count), words.length);
  assert.equal(
    fields!.split(", ").map((field) => plain(field.replaceAll(" ", ""))),
    words.map(([name]) => plain(name)),
  );
});

test.run();

const SIZES = [1, 3, 4, 5, 8, 9, 12, 13, 16, 23];

/** Floats of a block, all 0. */
const zeros = (box: Sandbox, n: number) => box.f32(new Float32Array(n));
const counted = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

eachBuild("abi", (test, sandbox) => {
  const k = sandbox.kernels;

  test("a packed weight lies where panelOffset says", () => {
    for (const N of SIZES) {
      const K = 3;
      const [w, panels] = [sandbox.f32(counted(K * N)), sandbox.f32(K * panelWidth(N))];
      k.f32_pack_nn(K, N, w.ptr, N, panels.ptr);
      const expected = new Float32Array(K * panelWidth(N));
      w.data.forEach((value, i) => (expected[panelOffset(K, N, Math.floor(i / N), i % N)] = value));
      same(panels.data, expected, `N ${N}`);
    }
  });

  test("a gate stands where gateColumn says", () => {
    for (const H of SIZES) {
      for (const G of [1, 2, 3, 4]) {
        const width = G * panelWidth(H);
        const [x, y] = [sandbox.f32(counted(G * H)), sandbox.f32(width)];
        k.f32_permute_gates(1, G, H, x.ptr, G * H, y.ptr, width);
        const expected = new Float32Array(width);
        x.data.forEach((value, i) => (expected[gateColumn(G, H, Math.floor(i / H), i % H)] = value));
        same(y.data, expected, `G ${G} H ${H}`);
      }
    }
  });

  test("an int8 weight lies where int8Offset says, the sums and scales of its column before it", () => {
    for (const [K, N] of [...SIZES.map((N) => [6, N]), [2050, 5]]) {
      const w = sandbox.i8(Array.from({ length: K * N }, (_, i) => ((i * 37) % 255) - 127));
      const bytes = int8PackedBytes(K, N);
      const [scales, panels] = [sandbox.f32(counted(N)), sandbox.bytes(bytes)];
      k.q8_pack_gates_nn(K, 1, N, w.ptr, N, scales.ptr, panels);
      const expected = new Uint8Array(bytes);
      new Float32Array(expected.buffer, 0, N).set(scales.data);
      for (const { first, rows, sums, panels: at } of int8Chunks(K, N)) {
        for (let n = 0; n < N; n++) {
          for (let row = 0; row < rows; row++) {
            const value = w.data[(first + row) * N + n]!;
            expected[at + int8Offset(rows, N, row, n)] = value;
            new Int32Array(expected.buffer, sums, N)[n]! -= value;
          }
        }
      }
      same(new Uint8Array(sandbox.buffer, panels, bytes), expected, `K ${K} N ${N}`);
    }
  });

  test("gates of an LSTM stand in the order of LSTM_GATES", () => {
    const z = { i: 0.3, f: -0.7, g: 0.9, o: 1.1 };
    const [c0, gates, h, c] = [sandbox.f32([0.5]), zeros(sandbox, 4 * panelWidth(1)), sandbox.f32(1), sandbox.f32(1)];
    LSTM_GATES.forEach((name, g) => (gates.data[gateColumn(4, 1, g, 0)] = z[name]));
    k.f32_lstm_step(1, 1, c0.ptr, 0, 0, 0, gates.ptr, 0, h.ptr, c.ptr, 0, 0);
    const cell = sigmoid(z.f) * 0.5 + sigmoid(z.i) * Math.tanh(z.g);
    close([c.data[0]!, h.data[0]!], [cell, sigmoid(z.o) * Math.tanh(cell)], 1e-6);
  });

  test("gates of a GRU stand in the order of GRU_GATES", () => {
    const [x, u] = [
      { z: 0.3, r: -0.7, n: 0.9 },
      { z: 0.2, r: 0.4, n: -0.6 },
    ];
    const width = 3 * panelWidth(1);
    const [h0, a, gates, h] = [sandbox.f32([0.5]), zeros(sandbox, width), zeros(sandbox, width), sandbox.f32(1)];
    GRU_GATES.forEach((name, g) => {
      a.data[gateColumn(3, 1, g, 0)] = u[name];
      gates.data[gateColumn(3, 1, g, 0)] = x[name];
    });
    k.f32_gru_reset_after_step(1, 1, h0.ptr, a.ptr, gates.ptr, 0, 0, h.ptr, 0, 0);
    const z = sigmoid(x.z + u.z);
    const n = Math.tanh(x.n + sigmoid(x.r + u.r) * u.n);
    close(h.data, [z * 0.5 + (1 - z) * n], 1e-6);
  });

  test("a cell takes its activation from what encodeActivations wrote", () => {
    const [alpha, beta] = [0.3, 0.4];
    const x = real(4, 1, 3);
    for (const code of [UNARY_CODES.clipped_affine, UNARY_CODES.scaled_tanh, UNARY_CODES.relu]) {
      const [z, h, y] = [sandbox.f32(x), sandbox.f32(4), sandbox.f32(4)];
      k.f32_simple_rnn_step(1, 4, z.ptr, h.ptr, sandbox.i32(encodeActivations([{ code, alpha, beta }])).ptr);
      k.f32_unary_fwd(4, z.ptr, y.ptr, code, alpha, beta);
      close(h.data, y.data, 1e-6, `code ${code}`);
    }
    const [usual, named] = [undefined, [UNARY_CODES.tanh, UNARY_CODES.sigmoid]].map((codes) => {
      const acts = codes ? sandbox.i32(encodeActivations(codes.map((code) => ({ code, alpha: 0, beta: 0 })))).ptr : 0;
      const [c0, gates, h, c] = [sandbox.f32(real(4)), sandbox.f32(real(16, 1)), sandbox.f32(4), sandbox.f32(4)];
      k.f32_lstm_step(1, 4, c0.ptr, 0, 0, 0, gates.ptr, 0, h.ptr, c.ptr, 0, acts);
      return h.data;
    });
    same(named!, usual!, "the second record is the recurrent activation");
  });

  test("a strided copy reads the axes that encodeStrided wrote", () => {
    const [x, y] = [sandbox.f32(counted(2 * 3 * 4)), sandbox.f32(2 * 3 * 4)];
    const spec = encodeStrided([
      [2, 12, 4],
      [3, 4, 8],
      [4, 1, 1],
    ]);
    k.f32_copy_strided(sandbox.i32(spec).ptr, x.ptr, y.ptr);
    const swapped = [0, 1, 2].flatMap((b) => [0, 1].flatMap((a) => [0, 1, 2, 3].map((c) => a * 12 + b * 4 + c + 1)));
    same(y.data, swapped);
  });

  test("dropout counts on from the first row of its state", () => {
    const [rows, width] = [5, 6];
    const drop = (firstRow: number, n: number): Float32Array => {
      const state = new Int32Array(3);
      state.set([7], RANDOM_STATE.seed);
      state.set([11], RANDOM_STATE.counter);
      state.set([firstRow], RANDOM_STATE.firstRow);
      const y = sandbox.f32(n * width);
      k.f32_dropout_mask(n * width, sandbox.i32(state).ptr, y.ptr, 0, width, 0.5);
      return y.data;
    };
    same(drop(2, rows - 2), drop(0, rows).subarray(2 * width));
  });

  test("kernels do with the scratch that bindings give them", () => {
    for (const lda of [100, 128]) {
      for (const N of SIZES) {
        const [M, K] = [256, 100];
        const [a, d, c] = [sandbox.f32(real(M * lda)), sandbox.f32(real(M * N, 1)), zeros(sandbox, K * N)];
        const scratch = sandbox.f32(transposedScratch(N)).ptr;
        k.f32_gemm_tn_acc(M, 0, K, N, a.ptr, lda, d.ptr, N, c.ptr, N, scratch);
        sandbox.checkGuards();
        sandbox.reset();
      }
    }
    for (const [M, K] of [
      [1, 1],
      [3, 17],
      [97, 2050],
    ]) {
      const N = 9;
      const [a, c, scratch] = [sandbox.f32(real(M * K)), sandbox.f32(M * N), sandbox.bytes(int8ScratchBytes(M, K))];
      const [w, scales, panels] = [
        sandbox.i8(new Int8Array(K * N)),
        sandbox.f32(N),
        sandbox.bytes(int8PackedBytes(K, N)),
      ];
      k.q8_pack_gates_nn(K, 1, N, w.ptr, N, scales.ptr, panels);
      k.q8_gemm_nn(M, 0, N, K, a.ptr, K, panels, 0, 0, c.ptr, N, scratch, 14);
    }
    const [B, T] = [3, 5];
    const out = [B, B, T, 1, B * T, B * T, rowsScratch(B, T)].map((n) => sandbox.i32(n).ptr);
    const [order, rank, active, count, from, place, scratch] = out;
    k.i32_pack_rows(B, T, 0, 0, order!, rank!, active!, count!, from!, place!, scratch!, ROW_FLAGS.backwards);
  });
});

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
