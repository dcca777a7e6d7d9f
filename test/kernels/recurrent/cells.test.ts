/** Cells: gradients against finite differences, every build against its twin. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { type Arrays, type CellCase, type CellName, GATES, packedRows, runCell } from "../../support/cells.ts";
import { Doubles } from "../../support/gradients/doubles.ts";
import { close, real, same } from "../../support/numbers.ts";

const NAMES: CellName[] = ["simple_rnn", "lstm", "gru_reset_after", "gru_reset_before"];

interface Options {
  initial?: boolean;
  drop?: boolean;
  peepholes?: boolean;
  bias?: boolean;
  /** Cotangents: of outputs, of final states. */
  outputs?: boolean;
  final?: boolean;
}

const EVERYTHING: Options = { initial: true, drop: true, peepholes: true, bias: true, outputs: true, final: true };

function arraysOf(spec: CellCase, options: Options, seed = 1): Arrays {
  const { cell, B, H } = spec;
  const G = GATES[cell];
  const N = packedRows(spec);
  let salt = seed * 100;
  const random = (n: number, scale = 1): Float32Array => real(n, salt++, scale);
  const arrays: Arrays = { z: random(N * G * H, 2), u: random(H * G * H, 1.5 / Math.sqrt(H)) };
  if (options.initial) arrays.h0 = random(B * H);
  if (options.drop) arrays.drop = random(B * H).map((x) => (x > 0.5 ? 0 : 4 / 3));
  if (options.outputs) arrays.dh = random(N * H);
  if (options.final) arrays.dhT = random(B * H);
  if (cell === "lstm") {
    if (options.initial) arrays.c0 = random(B * H);
    if (options.final) arrays.dcT = random(B * H);
    if (options.peepholes) Object.assign(arrays, { pi: random(H), pf: random(H), po: random(H) });
  }
  if (cell === "gru_reset_after" && options.bias) arrays.bu = random(G * H);
  return arrays;
}

const ELU = { code: 11, alpha: 0.7, beta: 0 };
const RELU = { code: 3, alpha: 0, beta: 0 };
const SIGMOID = { code: 2, alpha: 0, beta: 0 };
const SOFTSIGN = { code: 14, alpha: 0, beta: 0 };
const TANH = { code: 1, alpha: 0, beta: 0 };
const HARD_SIGMOID = { code: 15, alpha: 0, beta: 0 };

/** Shapes: below a vector, a vector, one and a half blocks, several blocks with each kind of tail; ragged and full. */
const SHAPES: Omit<CellCase, "cell">[] = [
  { T: 1, B: 1, H: 1 },
  { T: 3, B: 1, H: 3 },
  { T: 2, B: 2, H: 4 },
  { T: 4, B: 3, H: 5, active: [3, 2, 2, 1] },
  { T: 3, B: 7, H: 8, active: [5, 5, 1] }, // two rows without any step
  { T: 5, B: 1, H: 12 },
  { T: 4, B: 6, H: 13, active: [6, 3, 1, 0] },
  { T: 2, B: 5, H: 50 },
  { T: 6, B: 1, H: 50 },
  { T: 3, B: 1, H: 101 }, // six panels more than once and some behind them, there and back
  { T: 3, B: 97, H: 20, active: [97, 96, 1] },
  { T: 2, B: 3, H: 6, active: [0, 0] },
  { T: 0, B: 2, H: 4 },
];

const describe = ({ cell, T, B, H, active, acts }: CellCase): string =>
  `${cell} T${T} B${B} H${H}${active ? ` active ${active}` : ""}${acts ? ` acts ${acts.map(({ code }) => code)}` : ""}`;

/** Every cell over every shape with everything, and one shape with things absent or other activations. */
const CASES: { spec: CellCase; options: Options }[] = NAMES.flatMap((cell) => [
  ...SHAPES.map((shape) => ({ spec: { cell, ...shape }, options: EVERYTHING })),
  ...[{}, { initial: true, outputs: true }, { drop: true, final: true }, { peepholes: true, outputs: true }].flatMap(
    (options) => [1, 4].map((B) => ({ spec: { cell, T: 3, B, H: 9 }, options: { final: true, ...options } })),
  ),
  ...[
    [ELU, HARD_SIGMOID],
    [RELU, SIGMOID],
    [SIGMOID, TANH],
    [TANH, SIGMOID],
    [SOFTSIGN, SIGMOID],
    [TANH, HARD_SIGMOID],
  ].flatMap((acts) => [1, 3].map((B) => ({ spec: { cell, T: 3, B, H: 7, acts }, options: EVERYTHING }))),
]);

const gradients = suite("gradients of the cells' twins");

const probe = new Doubles();

/** Σ of outputs times cotangents: the loss whose gradient backward returns. */
function loss(spec: CellCase, arrays: Arrays): number {
  probe.reset();
  const { h, hT, cT } = runCell(probe, spec, arrays, 0);
  let sum = 0;
  for (const [output, cotangent] of [
    [h, arrays.dh],
    [hT, arrays.dhT],
    [cT, arrays.dcT],
  ]) {
    for (let i = 0; output && cotangent && i < output.length; i++) sum += output[i] * cotangent[i];
  }
  return sum;
}

for (const { spec, options } of CASES) {
  if (spec.B * spec.H > 100) continue;
  gradients(`${describe(spec)} ${Object.keys(options)}`, () => {
    const arrays = arraysOf(spec, options);
    const found = runCell(new Doubles(), spec, arrays, 1);
    const step = 1e-5;
    for (const name of ["z", "u", "h0", "c0", "bu", "pi", "pf", "po"].filter((input) => arrays[input])) {
      const values = Float64Array.from(arrays[name]);
      const stride = Math.max(1, Math.floor(values.length / 40));
      for (let i = 0; i < values.length; i += stride) {
        const [above, below] = [1, -1].map((sign) => {
          const moved = values.slice();
          moved[i] += sign * step;
          return loss(spec, { ...arrays, [name]: moved });
        });
        const expected = (above - below) / (2 * step);
        assert.ok(
          Math.abs(found[`d${name}`][i] - expected) <= 1e-7 * (1 + Math.abs(expected)),
          `d${name}[${i}]: expected ${expected}, got ${found[`d${name}`][i]}`,
        );
      }
    }
  });
}
gradients.run();

/** Error against the twin, relative to the largest magnitude: a few dozen roundings. */
const PARITY = 4e-6;

eachBuild(
  "cells",
  (test, sandbox) => {
    const twin = new Sandbox("reference");
    for (const { spec, options } of CASES) {
      test(`${describe(spec)} ${Object.keys(options)}`, () => {
        twin.reset();
        const arrays = arraysOf(spec, options, 7);
        const expected = runCell(twin, spec, arrays, 1);
        const actual = runCell(sandbox, spec, arrays, 1);
        assert.equal(Object.keys(actual).sort(), Object.keys(expected).sort());
        for (const name of Object.keys(expected)) close(actual[name], expected[name], PARITY, name);
      });

      test(`${describe(spec)} ${Object.keys(options)}, without the gradient of the initial state`, () => {
        const arrays = arraysOf(spec, options, 7);
        const { dh0: _, ...expected } = runCell(sandbox, spec, arrays, 1);
        const actual = runCell(sandbox, { ...spec, wanted: false }, arrays, 1);
        for (const name of Object.keys(expected)) same(actual[name], expected[name], name);
      });

      test(`${describe(spec)} ${Object.keys(options)}, nothing kept`, () => {
        twin.reset();
        const arrays = arraysOf(spec, options, 11);
        const expected = runCell(twin, spec, arrays, 1);
        const actual = runCell(sandbox, spec, arrays, 0);
        for (const name of Object.keys(actual)) close(actual[name], expected[name], PARITY, name);
      });
    }

    for (const cell of NAMES) {
      test(`${cell}: final states over the initial ones`, () => {
        const spec = { cell, T: 3, B: 4, H: 11, active: [3, 2, 1] };
        const arrays = arraysOf(spec, EVERYTHING);
        const expected = runCell(sandbox, spec, arrays, 0);
        const actual = runCell(sandbox, { ...spec, inPlace: true }, arrays, 0);
        for (const name of Object.keys(expected)) assert.equal(actual[name], expected[name], name);
      });

      for (const [B, H] of [
        [1, 64],
        [3, 13],
      ]) {
        test(`${cell}: a sequence is its steps, B${B} H${H}`, () => {
          const spec = { cell, T: 5, B, H };
          const arrays = arraysOf(spec, EVERYTHING);
          const whole = runCell(sandbox, spec, arrays, 1);
          const row = B * GATES[cell] * H;
          let state: Arrays = { h0: arrays.h0, c0: arrays.c0 };
          for (let t = 0; t < spec.T; t++) {
            const z = (arrays.z as Float32Array).slice(t * row, (t + 1) * row);
            const { h, hT, cT } = runCell(sandbox, { ...spec, T: 1, inPlace: true }, { ...arrays, ...state, z }, 0);
            assert.equal(h, whole.h.slice(t * B * H, (t + 1) * B * H), `step ${t}`);
            state = { h0: hT.slice(), c0: cT?.slice() };
          }
          assert.equal(state.h0, whole.hT);
        });
      }

      test(`${cell}: what is not finite stays in its row`, () => {
        const spec = { cell, T: 2, B: 3, H: 7 };
        const arrays = arraysOf(spec, EVERYTHING);
        const clean = runCell(sandbox, spec, arrays, 1);
        for (const value of [NaN, Infinity]) {
          const z = Float32Array.from(arrays.z);
          const row = GATES[cell] * spec.H;
          z.fill(value, row, 2 * row); // row 1 of step 0
          const { h, hT, dh0, dz } = runCell(sandbox, spec, { ...arrays, z }, 1); // checks that the padding is 0, too
          for (const [found, expected, width] of [
            [h, clean.h, 7],
            [hT, clean.hT, 7],
            [dh0, clean.dh0, 7],
            [dz, clean.dz, row],
          ] as const) {
            for (let i = 0; i < found.length; i++) {
              if (Math.floor(i / width) % 3 !== 1) assert.is(found[i], expected[i]);
            }
          }
          if (Number.isNaN(value))
            assert.ok(Number.isNaN(h[7]) && Number.isNaN(dh0[7]), "NaN comes out of the row it went into");
        }
      });

      test(`${cell}: saturated gates`, () => {
        const spec = { cell, T: 2, B: 2, H: 5 };
        const z = arraysOf(spec, {}).z as Float32Array;
        const arrays = { ...arraysOf(spec, EVERYTHING), z: z.map((x) => x * 1e4) };
        twin.reset();
        const expected = runCell(twin, spec, arrays, 1);
        const actual = runCell(sandbox, spec, arrays, 1);
        for (const name of Object.keys(expected)) close(actual[name], expected[name], PARITY, name);
      });

      test(`${cell}: vanished gradients are 0, never denormal`, () => {
        const spec = { cell, T: 2, B: 1, H: 9 };
        const arrays = arraysOf(spec, { initial: true, outputs: true, bias: true });
        const small = { ...arrays, dh: (arrays.dh as Float32Array).map((x) => x * 1e-29) };
        const { dz } = runCell(sandbox, spec, small, 1);
        assert.ok(dz.some((d) => d === 0) && dz.some((d) => d !== 0));
        for (const d of dz) assert.ok(d === 0 || Math.abs(d) >= 1e-30, `got ${d}`);
      });
    }

    test("simple_rnn is exact where its numbers are", () => {
      const spec: CellCase = { cell: "simple_rnn", T: 3, B: 5, H: 21, acts: [RELU] };
      let salt = 0;
      const whole = (n: number): Float32Array => real(n, salt++, 2).map(Math.round);
      const arrays: Arrays = {
        z: whole(15 * 21),
        u: whole(21 * 21),
        h0: whole(5 * 21),
        dh: whole(15 * 21),
        dhT: whole(5 * 21),
      };
      twin.reset();
      const expected = runCell(twin, spec, arrays, 1);
      const actual = runCell(sandbox, spec, arrays, 1);
      for (const name of Object.keys(expected)) assert.equal(actual[name], expected[name], name);
    });
  },
  "wasm",
);
