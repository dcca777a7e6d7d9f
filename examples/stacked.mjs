// Three stacked recurrent layers, SimpleRNN(2) → LSTM(2) → GRU(2), all sigmoid, learn one short sequence by heart and
// then generate it: the input of each step is the output of the step before. After a 1 comes sometimes a 0, sometimes a
// 1, so the baseline, which knows only the previous bit, cannot be right.
//
//   npm run example stacked
//   npm run example stacked -- --data FILE   your own bits, such as 1 0 1 1 0
//     --seed 1     --quick   changes nothing: it is short
import { readFileSync } from "node:fs";
import { layers, losses, optimizers, sequential } from "gatewise";
import { fail, readOptions } from "./support/options.mjs";

const { data, seed } = readOptions({ data: "", seed: 1, quick: false });
const bits = data ? readBits(data) : [1, 0, 1, 1, 0];

function readBits(file) {
  let words;
  try {
    words = readFileSync(file, "utf8")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
  } catch (error) {
    fail(`--data: expected a file of bits, got ${file}: ${error.message}`);
  }
  const bad = words.find((word) => word !== "0" && word !== "1");
  if (bad !== undefined) fail(`--data: expected 0 and 1, got ${JSON.stringify(bad)} in ${file}`);
  if (words.length < 2 || words.length > 20) fail(`--data: expected 2 to 20 bits, got ${words.length} in ${file}`);
  return words.map(Number);
}

const START = 0.5; // what the first step hears: neither bit
const heard = [START, ...bits.slice(0, -1)];
const x = [heard.map((bit) => [bit])]; // [1, time, 1]
const y = [bits.map((bit) => [bit])];

const units = { units: 2, activation: "sigmoid", returnSequences: true };
const model = sequential(
  [layers.simpleRNN(units), layers.lstm(units), layers.gru(units), layers.dense({ units: 1, activation: "sigmoid" })],
  { inputShape: [null, 1], seed },
);
model.compile({
  optimizer: optimizers.adam({ learningRate: 0.05, globalClipNorm: 1 }),
  loss: losses.binaryCrossentropy(),
});
console.log(`${model.summary()}\n`);

/** Says as many bits as it learned, each from what it said before. */
function say() {
  const stream = model.stream();
  const said = [];
  for (let hears = START; said.length < bits.length; hears = said.at(-1))
    said.push(stream.step([hears])[0] > 0.5 ? 1 : 0);
  stream.dispose();
  return said;
}
const rightOf = (guess) => bits.filter((bit, t) => bit === guess[t]).length;

const EPOCHS = 2000;
for await (const { type, epoch, logs } of model.train(x, y, { epochs: EPOCHS })) {
  if (type !== "epoch" || (epoch + 1) % 200 !== 0) continue;
  console.log(`epoch ${epoch + 1}  loss ${logs.loss.toFixed(5)}  says ${say().join(" ")}`);
  if (logs.loss < 0.01) break;
}

/** For each bit heard, the one that follows it most often. */
const usual = (hears) =>
  2 * bits.filter((bit, t) => heard[t] === hears && bit === 1).length >= heard.filter((bit) => bit === hears).length
    ? 1
    : 0;
console.log(`\nto learn   ${bits.join(" ")}\nit says    ${say().join(" ")}`);
console.log(
  `bits right: ${rightOf(say())}, baseline of the bit before: ${rightOf(heard.map(usual))} of ${bits.length}`,
);
model.dispose();
