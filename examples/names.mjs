// Reads a surname letter by letter and tells its language. The cell is written by hand, two dense layers, and a loop of
// your own runs its steps, as `layers.rnn` does.
//
//   npm run example names
//   npm run example names -- --data DIR   your own lists: LANGUAGE.txt each, one name per line
//     --seed 1     --quick   fewer epochs, as the tests run it
import { fileURLToPath } from "node:url";
import { Module, jit, layers, ops, optimizers, trainStep } from "gatewise";
import { Random, padSequences } from "gatewise/data";
import { characterTokenizer } from "gatewise/text";
import { readNames } from "./support/names.mjs";
import { readOptions } from "./support/options.mjs";

const { data, seed, quick } = readOptions({ data: "", seed: 1, quick: false });
const HIDDEN = 128;
const BATCH = 64;

const { languages, names } = readNames(data || fileURLToPath(new URL("data/names", import.meta.url)), 10 * BATCH);
const tokenizer = characterTokenizer({ padding: true }).fit(names.map(({ name }) => name));

/** A letter [batch, vocabulary] and a memory [batch, HIDDEN] to a guess [batch, languages] and the memory after it. */
class Listener extends Module {
  memory = layers.dense({ units: HIDDEN });
  guess = layers.dense({ units: languages.length });

  call(letter, h) {
    const both = ops.concat([letter, h], 1);
    return [ops.logSoftmax(this.guess.call(both)), ops.tanh(this.memory.call(both))];
  }
}

/** The guesses [batch, languages] at the ends of names, padded to one length: tokens [batch, time], lengths [batch]. */
function listen(listener, tokens, lengths) {
  const [batch, time] = tokens.shape;
  const letters = ops.oneHot(tokens, tokenizer.size);
  const ends = ops.reshape(lengths, [batch, 1]);
  let h = ops.zeros([batch, HIDDEN]);
  let guess = ops.zeros([batch, languages.length]);
  for (let t = 0; t < time; t++) {
    // runs once, to be recorded: an `if` could not see where a name ends
    const [said, after] = listener.call(ops.gather(letters, t, 1), h);
    const speaking = ops.greater(ends, t);
    guess = ops.where(speaking, said, guess);
    h = ops.where(speaking, after, h);
  }
  return guess;
}

// A tenth of the names is held out.
const order = Int32Array.from(names.keys());
new Random(seed).shuffle(order);
const cut = Math.floor(names.length * 0.9);
const [training, heldOut] = [order.slice(0, cut), order.slice(cut)];

/** Some of the names as arguments of the functions below: tokens padded to the longest, lengths, languages. */
function batch(chosen) {
  const { lengths, ...tokens } = padSequences(
    Array.from(chosen, (i) => tokenizer.encode(names[i].name)),
    { padding: "post" },
  );
  return [tokens, lengths, Int32Array.from(chosen, (i) => names[i].language)];
}

const listener = new Listener({ seed });
const optimizer = optimizers.adam({ learningRate: 3e-3, globalClipNorm: 1 });
const step = trainStep(listener, optimizer, (tokens, lengths, language) => {
  const right = ops.mul(ops.oneHot(language, languages.length), listen(listener, tokens, lengths));
  return ops.neg(ops.div(ops.sum(right), BATCH)); // mean −log probability of the right language
});

const random = new Random(seed).fork("batches");
for (let epoch = 1; epoch <= (quick ? 2 : 16); epoch++) {
  random.shuffle(training);
  let sum = 0;
  let batches = 0;
  for (let at = 0; at + BATCH <= training.length; at += BATCH, batches++)
    sum += step(...batch(training.subarray(at, at + BATCH))).value;
  console.log(`epoch ${epoch}  loss ${(sum / batches).toFixed(4)}`);
}

const guesses = jit(listener, (tokens, lengths) => ops.argmax(listen(listener, tokens, lengths)));
const [tokens, lengths, truth] = batch(heldOut);
const guessed = guesses(tokens, lengths).data;

const count = languages.map((_, k) => training.filter((i) => names[i].language === k).length);
const majority = count.indexOf(Math.max(...count));
const share = (right) => truth.filter((language, i) => right(i) === language).length / truth.length;
const [accuracy, baseline] = [share((i) => guessed[i]), share(() => majority)].map((value) => value.toFixed(3));
console.log(`\naccuracy on ${truth.length} held-out names: ${accuracy}, majority baseline ${baseline}\n`);

const width = Math.max(...languages.map((language) => language.length));
console.log("rows: the language it is; columns: the language heard");
console.log(" ".repeat(width + 1) + languages.map((language) => language.slice(0, 4).padStart(5)).join(""));
languages.forEach((language, k) => {
  const heard = languages.map((_, j) => truth.filter((is, i) => is === k && guessed[i] === j).length);
  console.log(language.padEnd(width + 1) + heard.map((n) => String(n || "·").padStart(5)).join(""));
});

// The same cell once more, now one letter per call, with the memory in your own hands.
const hear = jit(listener, (letter, h) => listener.call(ops.oneHot(letter, tokenizer.size), h));
console.log("\nwhat it thinks after each letter, of names it got wrong:");
for (const i of heldOut.filter((_, k) => guessed[k] !== truth[k]).slice(0, 5)) {
  const { name, language } = names[i];
  let h = { data: new Float32Array(HIDDEN), shape: [1, HIDDEN] };
  const thoughts = [...name].map((letter) => {
    const [guess, after] = hear(tokenizer.encode(letter), h);
    h = after;
    return `${letter} ${languages[guess.data.indexOf(Math.max(...guess.data))]}`;
  });
  console.log(`${name} (${languages[language]}): ${thoughts.join(", ")}`);
}
listener.dispose();
