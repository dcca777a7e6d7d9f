// Forecasts tomorrow's price from the last ten days, LSTM(50) → LSTM(50) → Dense(1), and draws forecasts and prices.
// Shows how to read a CSV file, scale it by its training part alone, cut it into windows, and give errors in prices.
//
//   npm run example price_forecast
//   npm run example price_forecast -- --data FILE   your own table: a column "date" and one of prices, oldest row first
//     --column price   which column; default: close or price, else the last one of numbers
//     --plot build/price_forecast.svg   where the picture goes
//     --epochs 30     --seed 1     --quick   fewer epochs, as the tests run it
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { layers, losses, optimizers, sequential } from "gatewise";
import { minMaxScaler, split, windows } from "gatewise/data";
import { drawForecast } from "./support/chart.mjs";
import { fail, readOptions } from "./support/options.mjs";
import { readTable } from "./support/table.mjs";

const PRICES = fileURLToPath(new URL("data/power_prices.csv", import.meta.url));
const PICTURE = fileURLToPath(new URL("../build/price_forecast.svg", import.meta.url));
const given = readOptions({ data: "", column: "", plot: PICTURE, epochs: 30, seed: 1, quick: false });
const { data, column, plot, seed, quick } = given;
const epochs = quick ? 16 : given.epochs;
const DAYS = 10; // what the model sees
const LEAST = 5 * DAYS;

/** The prices of a file, the name of their column, and their dates where it has some. */
function readPrices(file) {
  const { columns, names } = readTable(file, { missing: "skip" });
  const usual = columns.find((name) => /^(close|price)$/i.test(name)) ?? columns.at(-1);
  const date = names.find((name) => /date|time|month|day/i.test(name) && !columns.includes(name));
  const {
    data: prices,
    columns: [name],
    texts,
  } = readTable(file, { columns: [column || usual], texts: date ? [date] : [], missing: "skip" });
  if (prices.length < LEAST) fail(`--data: expected at least ${LEAST} prices, got ${prices.length} in ${file}`);
  const times = texts[date]?.map((text) => Date.parse(/^[\d-]+$/.test(text) ? text : `${text} UTC`)) ?? [NaN];
  if (times.some(Number.isNaN)) return { prices, name, times: prices.map((_, row) => row + 1) };
  const back = times.findIndex((time, row) => time < times[row - 1]);
  if (back > 0)
    fail(
      `--data: expected one series, oldest first, got ${texts[date][back]} after ${texts[date][back - 1]} in ${file}`,
    );
  return { prices, name, times: times.map((time) => new Date(time)) };
}

// In order of time: the scaler and the model learn from the first four fifths and know nothing of the last one.
const { prices, name, times } = readPrices(data || PRICES);
const { train, validation } = split(prices, { validation: 0.2 });
const scaler = minMaxScaler().fit(train);
const cut = (series) => windows(scaler.transform(series), { length: DAYS }); // x [n, 10, 1], y [n, 1]
const { x, y } = cut(train);
// what is seen before the first price to judge is the end of the training part
const before = prices.subarray(prices.length - validation.data.length - DAYS);
const { x: seen, y: next } = cut(before);

const model = sequential(
  [layers.lstm({ units: 50, returnSequences: true }), layers.lstm({ units: 50 }), layers.dense({ units: 1 })],
  { inputShape: [DAYS, 1], seed },
);
model.compile({ optimizer: optimizers.adam({ learningRate: 5e-3 }), loss: losses.meanSquaredError() });
console.log(`${model.summary()}\n\n${y.shape[0]} windows to learn from, ${next.shape[0]} to judge by`);

const { history } = await model.fit(x, y, { epochs, batchSize: 32, validationData: [seen, next] });
history.loss.forEach((loss, epoch) =>
  console.log(`epoch ${epoch + 1}  loss ${loss.toFixed(5)}  val_loss ${history.val_loss[epoch].toFixed(5)}`),
);

const truth = validation.data;
const predicted = scaler.inverse(model.predict(seen)).data;
const rmse = (guess) => Math.sqrt(truth.reduce((sum, price, i) => sum + (price - guess(i)) ** 2, 0) / truth.length);
const error = rmse((i) => predicted[i]);
const lastPrice = rmse((i) => before[DAYS + i - 1]);
console.log(`\nroot mean squared error of ${name}: ${error.toFixed(3)}, last-price baseline ${lastPrice.toFixed(3)}`);
console.log(`that of the price seven rows before: ${rmse((i) => before[DAYS + i - 7]).toFixed(3)}`);
if (error >= lastPrice) {
  console.log(
    "The model is no better than the last price: these prices are a random walk, or unlike those it was trained on.",
  );
}

const first = prices.length - truth.length;
await drawForecast(
  plot,
  {
    title: `Predicted one step ahead, the last fifth of ${data ? basename(data) : "the invented power prices"}`,
    unit: data ? name : "price, € per MWh",
    points: Array.from(truth, (actual, i) => ({ time: times[first + i], actual, predicted: predicted[i] })),
  },
  history,
);
console.log(`\nthe picture is in ${plot}`);
model.dispose();
