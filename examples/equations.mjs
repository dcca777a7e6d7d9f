// The equations of SimpleRNN, LSTM with peepholes and GRU, step by step in plain JavaScript, each state beside that of
// the library. Two units, all weights and biases 1, sigmoid everywhere, so that you can follow with a calculator: for
// inputs [1, 0] both units of the RNN have the sum 1·1 + 0·1 + 0·1 + 0·1 + 1 = 2 and the output h = σ(2) = 0.8808.
//
//   npm run example equations
//   npm run example equations -- --data FILE   your own inputs: two numbers a line, with a comma between them
//     --quick   changes nothing: it is short
import { layers, sequential } from "gatewise";
import { readOptions } from "./support/options.mjs";
import { readTable } from "./support/table.mjs";

const { data } = readOptions({ data: "", quick: false });
const INPUTS = data
  ? readInputs(data)
  : [
      [1, 0],
      [0, 1],
      [1, 1],
      [1, 0],
    ];
const UNITS = 2;

function readInputs(file) {
  const {
    data: numbers,
    shape: [steps],
  } = readTable(file, { header: false, columns: ["0", "1"] });
  return Array.from({ length: steps }, (_, t) => [...numbers.subarray(2 * t, 2 * t + 2)]);
}

const sigmoid = (v) => 1 / (1 + Math.exp(-v));
/** A function of every unit j. */
const each = (f) => Array.from({ length: UNITS }, (_, j) => f(j));
/** (v·W)_j for a matrix of ones. */
const times = (v) => v.reduce((sum, value) => sum + 1 * value, 0);
const p = 1; // every peephole weight
const b = 1; // every bias

// Each cell takes the input x [2] and the states before the step, and gives all that the step computes.
const cells = {
  // h = σ(x·W + h₋·U + b)
  simple_rnn(x, { h }) {
    return { h: each(() => sigmoid(times(x) + times(h) + b)) };
  },
  // i = σ(x·Wi + h₋·Ui + pi ⊙ c₋ + bi)      how much of the new is written
  // f = σ(x·Wf + h₋·Uf + pf ⊙ c₋ + bf)      how much of the old is kept
  // g = σ(x·Wg + h₋·Ug + bg)                the new; elsewhere mostly tanh
  // c = f ⊙ c₋ + i ⊙ g
  // o = σ(x·Wo + h₋·Uo + po ⊙ c + bo)       how much is shown; its peephole sees the new c
  // h = o ⊙ σ(c)
  lstm(x, { h, c: before }) {
    const i = each((j) => sigmoid(times(x) + times(h) + p * before[j] + b));
    const f = each((j) => sigmoid(times(x) + times(h) + p * before[j] + b));
    const g = each(() => sigmoid(times(x) + times(h) + b));
    const c = each((j) => f[j] * before[j] + i[j] * g[j]);
    const o = each((j) => sigmoid(times(x) + times(h) + p * c[j] + b));
    return { i, f, g, c, o, h: each((j) => o[j] * sigmoid(c[j])) };
  },
  // z = σ(x·Wz + h₋·Uz + bz)                how much of the old is kept
  // r = σ(x·Wr + h₋·Ur + br)                how much of the old the new may see
  // n = σ(x·Wn + (r ⊙ h₋)·Un + bn)          the new
  // h = z ⊙ h₋ + (1 − z) ⊙ n
  gru(x, { h: before }) {
    const z = each(() => sigmoid(times(x) + times(before) + b));
    const r = each(() => sigmoid(times(x) + times(before) + b));
    const n = each(() => sigmoid(times(x) + times(each((j) => r[j] * before[j])) + b));
    return { z, r, n, h: each((j) => z[j] * before[j] + (1 - z[j]) * n[j]) };
  },
  // The same with the reset after the product, as Keras and PyTorch have it by default, and with a second bias b′:
  // z = σ(x·Wz + h₋·Uz + bz + b′z)   r = σ(x·Wr + h₋·Ur + br + b′r)   n = σ(x·Wn + bn + r ⊙ (h₋·Un + b′n))
  gru_reset_after(x, { h: before }) {
    const z = each(() => sigmoid(times(x) + times(before) + b + b));
    const r = each(() => sigmoid(times(x) + times(before) + b + b));
    const n = each((j) => sigmoid(times(x) + b + r[j] * (times(before) + b)));
    return { z, r, n, h: each((j) => z[j] * before[j] + (1 - z[j]) * n[j]) };
  },
};
// y = σ(h·V + b)
const output = (h) => [sigmoid(times(h) + b)];

const ones = { kernelInitializer: "ones", biasInitializer: "ones" };
const recurrent = { ...ones, units: UNITS, activation: "sigmoid", recurrentInitializer: "ones", returnSequences: true };
const made = {
  simple_rnn: layers.simpleRNN({ ...recurrent, name: "simple_rnn" }),
  lstm: layers.lstm({ ...recurrent, name: "lstm", peepholes: true, unitForgetBias: false }), // no 1 is added
  gru: layers.gru({ ...recurrent, name: "gru", resetAfter: false }),
  gru_reset_after: layers.gru({ ...recurrent, name: "gru_reset_after" }),
};

let largest = 0;
const line = (name, values, others) => {
  values.forEach((value, j) => (largest = Math.max(largest, Math.abs(value - others[j]))));
  const numbers = (list) => [...list].map((value) => value.toFixed(4)).join("  ");
  console.log(`  ${name}   ${numbers(values).padEnd(14)}    ${numbers(others)}`);
};

for (const [name, cell] of Object.entries(cells)) {
  const model = sequential([made[name], layers.dense({ units: 1, activation: "sigmoid", ...ones })], {
    inputShape: [null, 2],
  });
  const inside = model.inspect([INPUTS]); // "lstm/f": [1, time, units] and so on, of the whole sequence
  const stream = model.stream(); // the same one step after the other
  let states = { h: [0, 0], c: [0, 0] };
  console.log(`${name}\n      equations         library`);
  INPUTS.forEach((x, t) => {
    console.log(`step ${t + 1}, x = [${x.join(", ")}]`);
    states = cell(x, states);
    for (const [state, values] of Object.entries(states))
      line(state, values, inside[`${name}/${state}`].data.subarray(UNITS * t, UNITS * (t + 1)));
    line("y", output(states.h), stream.step(x));
  });
  console.log();
  model.dispose();
}
console.log(`largest difference: ${largest.toExponential(1)} (32-bit floats around 1 are 1.2e-7 apart)`);
