// Predicts the next value of a series from the last three with a very small model, SimpleRNN(50) → Dense(1). Shows
// windows, a split in time, a scaler, compile, fit and predict; the baseline is "tomorrow is like today".
//
//   npm run example next_value
//   npm run example next_value -- --data FILE   your own numbers, one per line
//     --seed 1     --quick   fewer epochs, as the tests run it
import { readFileSync } from "node:fs";
import { layers, losses, optimizers, sequential } from "gatewise";
import { Random, split, standardScaler, windows } from "gatewise/data";
import { fail, readOptions } from "./support/options.mjs";

const { data, seed, quick } = readOptions({ data: "", seed: 1, quick: false });

/** Water at a harbour wall, one number every two hours: two tides of different periods, and weather. */
function tides() {
  const random = new Random(seed);
  let weather = 0;
  return Float32Array.from({ length: 2000 }, (_, t) => {
    weather = 0.9 * weather + 0.05 * random.normal();
    return 3 + Math.sin((2 * Math.PI * t) / 6.21) + 0.3 * Math.sin((2 * Math.PI * t) / 12.91) + weather;
  });
}

function readNumbers(file) {
  let lines;
  try {
    lines = readFileSync(file, "utf8")
      .split(/\s+/)
      .filter((line) => line !== "");
  } catch (error) {
    fail(`--data: expected a file of numbers, got ${file}: ${error.message}`);
  }
  const bad = lines.findIndex((line) => !Number.isFinite(Number(line)));
  if (bad >= 0) fail(`--data: expected numbers, got ${JSON.stringify(lines[bad])} in ${file}`);
  if (lines.length < 100) fail(`--data: expected at least 100 numbers, got ${lines.length} in ${file}`);
  return Float32Array.from(lines, Number);
}

// x [n, 3, 1] are three values in a row, y [n, 1] is the one after them; the last fifth of time is for the judgement.
const series = data ? readNumbers(data) : tides();
const { train, validation } = split(windows(series, { length: 3 }), { gap: 3 });
const scaler = standardScaler().fit(train.y);
const scaled = ({ x, y }) => [scaler.transform(x), scaler.transform(y)];

const model = sequential([layers.simpleRNN({ units: 50 }), layers.dense({ units: 1 })], { inputShape: [3, 1], seed });
model.compile({ optimizer: optimizers.rmsprop({ learningRate: 1e-3 }), loss: losses.meanSquaredError() });
console.log(`${model.summary()}\n`);

const [x, y] = scaled(train);
const { history } = await model.fit(x, y, {
  epochs: quick ? 3 : 20,
  batchSize: 16,
  validationData: scaled(validation),
});
history.loss.forEach((loss, epoch) =>
  console.log(`epoch ${epoch + 1}  loss ${loss.toFixed(4)}  val_loss ${history.val_loss[epoch].toFixed(4)}`),
);

const predicted = scaler.inverse(model.predict(scaler.transform(validation.x)));
const truth = validation.y.data;
const meanSquared = (guess) => truth.reduce((sum, value, i) => sum + (value - guess(i)) ** 2, 0) / truth.length;
const error = meanSquared((i) => predicted.data[i]);
const lastValue = meanSquared((i) => validation.x.data[3 * i + 2]);
console.log(
  `\nmean squared error on the last fifth: ${error.toFixed(4)}, last-value baseline ${lastValue.toFixed(4)}\n`,
);

console.log("three values            next   predicted");
for (let i = 0; i < 5; i++) {
  const seen = [...validation.x.data.subarray(3 * i, 3 * i + 3)].map((value) => value.toFixed(3)).join("  ");
  console.log(`${seen}  →  ${truth[i].toFixed(3)}  ${predicted.data[i].toFixed(3)}`);
}
model.dispose();
