// Tells praise from blame in reviews of any length: Embedding → LSTM(128) → LSTM(128) → Dense(1, sigmoid). Shows a word
// tokenizer, padding that layers skip (maskZero), binary cross-entropy, and dropout against overfitting.
//
//   npm run example sentiment
//   npm run example sentiment -- --data FILE   your own: a line per review, its text, a tab, and 1 or 0
//     --epochs 8     --seed 1     --quick   fewer epochs, as the tests run it
import { fileURLToPath } from "node:url";
import { layers, losses, optimizers, sequential } from "gatewise";
import { Random, padSequences } from "gatewise/data";
import { wordTokenizer } from "gatewise/text";
import { fail, readOptions } from "./support/options.mjs";
import { readText } from "./support/text.mjs";

const REVIEWS = fileURLToPath(new URL("data/reviews.txt", import.meta.url));
const { data, epochs: wanted, seed, quick } = readOptions({ data: "", epochs: 8, seed: 1, quick: false });
const epochs = quick ? 2 : wanted;
const LONGEST = 60; // words; of longer reviews the end is read

function readReviews(file) {
  const lines = readText(file, 1000).trimEnd().split("\n");
  return lines.map((line, i) => {
    const [, text, label] =
      /^(.*\S)\s*\t\s*([01])\s*$/.exec(line) ??
      fail(`--data: expected a text, a tab, and 0 or 1 in each line, got another in line ${i + 1} of ${file}`);
    return { text, label: Number(label) };
  });
}

/** In an order that the seed decides: files are often sorted. */
function shuffled(list) {
  const random = new Random(seed);
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

const all = shuffled(readReviews(data || REVIEWS));
const cut = Math.floor(0.8 * all.length);
const [train, validation] = [all.slice(0, cut), all.slice(cut)];

// The vocabulary is that of the training reviews: other words are unknown, as in any new review.
const tokenizer = wordTokenizer({ maxTokens: 2000 }).fit(train.map(({ text }) => text));
const x = (reviews) =>
  padSequences(
    reviews.map(({ text }) => tokenizer.encode(text)),
    { maxlen: LONGEST, padding: "post" },
  ); // [n, 60]
const y = (reviews) => Float32Array.from(reviews, ({ label }) => label);

const model = sequential(
  [
    layers.embedding({ inputDim: tokenizer.size, outputDim: 32, maskZero: true }), // later layers skip token 0, padding
    layers.dropout({ rate: 0.2 }),
    layers.lstm({ units: 128, returnSequences: true }),
    layers.dropout({ rate: 0.2 }),
    layers.lstm({ units: 128 }), // its last state, that of the last word
    layers.dense({ units: 1, activation: "sigmoid" }),
  ],
  { inputShape: [null], seed },
);
model.compile({
  optimizer: optimizers.adam({ learningRate: 3e-3, globalClipNorm: 1 }),
  loss: losses.binaryCrossentropy(),
  metrics: ["accuracy"],
});
console.log(`${model.summary()}\n`);
console.log(`${train.length} reviews to learn from, ${validation.length} to judge by, ${tokenizer.size} words`);

const started = performance.now();
for await (const { type, epoch, logs } of model.train(x(train), y(train), {
  epochs,
  batchSize: 32,
  validationData: [x(validation), y(validation)],
})) {
  if (type !== "epoch") continue;
  const [loss, accuracy, later] = [logs.loss, logs.accuracy, logs.val_accuracy].map((value) => value.toFixed(4));
  console.log(`epoch ${epoch + 1}  loss ${loss}  accuracy ${accuracy}  val_accuracy ${later}`);
}
console.log(`${Math.round(performance.now() - started)} ms`);

const { accuracy } = model.evaluate(x(validation), y(validation));
const praise = train.filter(({ label }) => label === 1).length;
const majority = praise * 2 >= train.length ? 1 : 0; // what most of those to learn from are
const baseline = validation.filter(({ label }) => label === majority).length / validation.length;
console.log(`\nreviews judged rightly: ${accuracy.toFixed(4)}, majority baseline ${baseline.toFixed(4)}\n`);

const shown = validation.slice(0, 8);
const { data: probabilities } = model.predict(x(shown));
console.log("praise?  label  review");
shown.forEach(({ text, label }, i) =>
  console.log(
    `${probabilities[i].toFixed(3).padStart(7)}  ${label}      ${text.length > 90 ? `${text.slice(0, 90)} …` : text}`,
  ),
);
model.dispose();
