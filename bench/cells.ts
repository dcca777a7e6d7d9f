/**
 * The recurrent kernels against what the machine allows.
 *
 *   node --import tsx bench/cells.ts [--builds simd,relaxed] [--json]
 *
 * `ceiling` is the share of the pace that multiply-adds have between registers; `bound` allows for the gates too: the
 * time of the multiply-adds at that pace plus the time of the transcendentals at the pace of an array, over the time
 * taken. Both ceilings take turns with every case.
 */
import { parseArgs } from "node:util";
import { panelWidth } from "../bindings/reference/panel.ts";
import { GATES, type CellName } from "../test/support/cells.ts";
import { real } from "../test/support/numbers.ts";
import { Sandbox, wasmBuilds, type BuildName } from "../test/support/builds.ts";
import { fastest, multiplyAdds, transcendentals, type Probe } from "./ceiling.ts";

interface Shape {
  cell: CellName;
  H: number;
  T: number;
  B: number;
}

const SHAPES: Shape[] = [
  { cell: "lstm", H: 64, T: 1, B: 1 },
  { cell: "lstm", H: 128, T: 100, B: 1 },
  { cell: "lstm", H: 128, T: 20, B: 32 },
  { cell: "lstm", H: 50, T: 10, B: 32 },
  { cell: "gru_reset_after", H: 64, T: 1, B: 1 },
  { cell: "gru_reset_after", H: 128, T: 100, B: 1 },
  { cell: "gru_reset_after", H: 128, T: 20, B: 32 },
  { cell: "gru_reset_before", H: 128, T: 100, B: 1 },
  { cell: "gru_reset_before", H: 128, T: 20, B: 32 },
  { cell: "simple_rnn", H: 128, T: 100, B: 1 },
];

/** Transcendentals per unit, forward and backward. */
const CURVES = { simple_rnn: [1, 0], lstm: [5, 1], gru_reset_after: [3, 0], gru_reset_before: [3, 0] };

interface Run {
  /** Puts x·W + b back where the gates were. */
  restore(): void;
  /** Puts the gates and running gradients back. */
  restoreGates(): void;
  forward(keep: number): void;
  backward(): void;
}

/** A cell with its arrays in place. */
function prepare(box: Sandbox, { cell, H, T, B }: Shape): Run {
  const k = box.kernels;
  const [G, Hp, N] = [GATES[cell], panelWidth(H), T * B];
  const width = G * Hp;
  const w = box.f32(real(H * G * H, 1, 1 / Math.sqrt(H))).ptr;
  const packed = (gates: number, first: number): [number, number] => {
    const [u, ut] = [box.f32(H * gates * Hp).ptr, box.f32(gates * Hp * Hp).ptr];
    k.f32_pack_gates_nn(H, gates, H, w + first * H * 4, G * H, u);
    k.f32_pack_gates_nt(gates, H, H, w + first * H * 4, G * H, ut);
    return [u, ut];
  };
  const zeros = (n: number): number => box.f32(new Float32Array(n)).ptr;
  const [z, gates, kept] = [box.f32(real(N * width, 2)).ptr, zeros(N * width), zeros(N * width)];
  const [h0, c0, dhs] = [real(B * H, 3), real(B * H, 4), real(N * H, 5)].map((x) => box.f32(x).ptr);
  const [h, c, hT, cT, dh, dc] = [zeros(N * H), zeros(N * H), zeros(B * H), zeros(B * H), zeros(B * H), zeros(B * H)];
  const [hn, rh, dr, dn, scratch] = [zeros(N * Hp), zeros(N * H), zeros(N * width), zeros(N * Hp), zeros(B * 7 * Hp)];
  const [u, ut] = packed(G, 0);
  const [uZr, utZr] = cell === "gru_reset_before" ? packed(2, 0) : [0, 0];
  const [uN, utN] = cell === "gru_reset_before" ? packed(1, 2) : [0, 0];
  const forward = {
    simple_rnn: () => k.f32_simple_rnn_seq_fwd(T, B, H, 0, u, h0, 0, gates, h, hT, scratch, 0),
    lstm: (keep: number) => k.f32_lstm_seq_fwd(T, B, H, 0, u, h0, c0, 0, 0, 0, 0, gates, 0, h, c, hT, cT, scratch, keep, 0),
    gru_reset_after: (keep: number) => k.f32_gru_reset_after_seq_fwd(T, B, H, 0, u, 0, h0, 0, gates, 0, hn, h, hT, scratch, keep, 0),
    gru_reset_before: (keep: number) => k.f32_gru_reset_before_seq_fwd(T, B, H, 0, uZr, uN, h0, 0, gates, 0, rh, h, hT, scratch, keep, 0),
  }[cell];
  const backward = {
    simple_rnn: () => k.f32_simple_rnn_seq_bwd(T, B, H, 0, ut, 0, h, dhs, gates, dh, 0),
    lstm: () => k.f32_lstm_seq_bwd(T, B, H, 0, ut, c0, 0, 0, 0, 0, 0, c, dhs, gates, dh, dc, 0, 0, 0, scratch, 0),
    gru_reset_after: () => k.f32_gru_reset_after_seq_bwd(T, B, H, 0, ut, h0, 0, 0, hn, h, dhs, gates, dr, dh, scratch, 0),
    gru_reset_before: () => k.f32_gru_reset_before_seq_bwd(T, B, H, 0, utZr, utN, h0, 0, 0, h, dhs, gates, dr, dn, dh, scratch, 0),
  }[cell];
  k.f32_copy(N * width, z, gates);
  forward(1);
  k.f32_copy(N * width, gates, kept);
  return {
    restore: () => k.f32_copy(N * width, z, gates),
    restoreGates() {
      k.f32_copy(N * width, kept, gates);
      k.f32_fill(B * H, dh, 0);
      k.f32_fill(B * H, dc, 0);
    },
    forward,
    backward,
  };
}

interface Row {
  name: string;
  /** Microseconds. */
  time: number;
  /** Billions of multiply-adds per second. */
  rate: number;
  ceiling: number;
  bound: number;
}

function measure(build: BuildName, shape: Shape, madds: Probe): Row[] {
  const box = new Sandbox(build);
  const curves = transcendentals(box);
  const run = prepare(box, shape);
  const { cell, H, T, B } = shape;
  const units = T * B * H;
  const passes = [["step", 0], ["forward", 0], ["forward, kept", 0], ["backward", 1]] as const;
  const chosen = passes.filter(([pass]) => (T === 1) === (pass === "step") && !(cell === "simple_rnn" && pass === "forward, kept"));
  return chosen.map(([pass, direction]) => {
    const restore = direction ? run.restoreGates : run.restore;
    const work = direction ? run.backward : () => run.forward(pass === "forward, kept" ? 1 : 0);
    const [whole, copy, madd, curve] = fastest([() => { restore(); work(); }, restore, madds.run, curves.run]);
    const time = whole - copy;
    const products = units * GATES[cell] * H * madd / madds.work;
    const gates = units * CURVES[cell][direction] * curve / curves.work;
    return {
      name: `${cell} ${H}, T ${T}, B ${B}, ${pass}`, time: time * 1e6, rate: units * GATES[cell] * H / time / 1e9,
      ceiling: products / time, bound: (products + gates) / time,
    };
  });
}

const { values } = parseArgs({
  options: { builds: { type: "string", default: wasmBuilds.filter((build) => build !== "check").join() }, json: { type: "boolean", default: false } },
});
const percent = (share: number): string => `${Math.round(share * 100)} %`;

for (const build of values.builds.split(",") as BuildName[]) {
  const madds = multiplyAdds(build);
  const rows = SHAPES.flatMap((shape) => measure(build, shape, madds));
  if (values.json) {
    console.log(JSON.stringify({ engine: process.version, build, rows }));
    continue;
  }
  console.log(`${process.version} ${build}\n| case | µs | G/s | of the ceiling | of the bound |\n|---|---|---|---|---|`);
  for (const { name, time, rate, ceiling, bound } of rows) {
    console.log(`| ${name} | ${time.toFixed(2)} | ${rate.toFixed(1)} | ${percent(ceiling)} | ${percent(bound)} |`);
  }
}
