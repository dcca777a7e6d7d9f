// A character model as a class of your own, with two training steps: one written by hand, in which you can look at loss
// and gradients before the update, and `trainStep`, the same as one program. Then text at several temperatures.
//
//   npm run example text_generation
//   npm run example text_generation -- --data FILE   another text
//     --steps 600     --seed 1     --quick   fewer steps, as the tests run it
import { Module, jit, layers, losses, optimizers, trainStep, valueAndGrad } from "gatewise";
import { Random, split } from "gatewise/data";
import { characterTokenizer, sample } from "gatewise/text";
import { readOptions } from "./support/options.mjs";
import { MOBY_DICK, beginningOf, bigramLoss, readText } from "./support/text.mjs";

const { data, steps: wanted, seed, quick } = readOptions({ data: "", steps: 600, seed: 1, quick: false });
const steps = quick ? 200 : wanted;
const BATCH = 32;
const TIME = 48;

const text = readText(data || MOBY_DICK, 20_000);
const tokenizer = characterTokenizer().fit(text);
const {
  train: { data: training },
  validation: { data: heldOut },
} = split(tokenizer.encode(text), { validation: 0.1 });

/** Maps tokens [batch, time] and an optional state to logits [batch, time, vocabulary] and the state after them. */
class Writer extends Module {
  embedding = layers.embedding({ inputDim: tokenizer.size, outputDim: 48 });
  gru = layers.gru({ units: 128, returnSequences: true, returnState: true });
  dense = layers.dense({ units: tokenizer.size });

  call(tokens, state) {
    const [outputs, after] = this.gru.call(this.embedding.call(tokens), { initialState: state && [state] });
    return [this.dense.call(outputs), after];
  }
}

const crossEntropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });
const lossOf = (model) => (read, next) => crossEntropy(next, model.call(read)[0]);

/** Windows [BATCH, TIME] from anywhere in a text, and what comes next at each of their places. */
function draw(tokens, random) {
  const starts = Array.from({ length: BATCH }, () => random.below(tokens.length - TIME));
  const windows = (shift) => ({
    data: Int32Array.from(starts.flatMap((at) => [...tokens.subarray(at + shift, at + shift + TIME)])),
    shape: [BATCH, TIME],
  });
  return [windows(0), windows(1)];
}

/** Loss and gradients, then the update. In between they are arrays: look at them, add up batches, send them away. */
function stepByHand(model, optimizer) {
  const gradients = valueAndGrad(model, lossOf(model));
  return (read, next) => {
    const { value, grads } = gradients(read, next);
    const norm = Math.sqrt(
      Object.values(grads).reduce((sum, { data }) => data.reduce((partial, g) => partial + g * g, sum), 0),
    );
    optimizer.apply(model, grads);
    return { value, norm };
  };
}

/** The same as one program: nothing but the loss crosses into JavaScript. */
const stepAtOnce = (model, optimizer) => trainStep(model, optimizer, lossOf(model));

/** Runs steps on batches that the seed decides. Gives the milliseconds of a step. */
function run(makeStep, model, steps, report) {
  const random = new Random(seed);
  const step = makeStep(model, optimizers.adam({ learningRate: 3e-3, globalClipNorm: 1 }));
  const started = performance.now();
  for (let i = 1; i <= steps; i++) {
    const { value, norm } = step(...draw(training, random));
    if (i % report === 0)
      console.log(
        `  step ${i}  loss ${value.toFixed(4)}${norm === undefined ? "" : `  gradient norm ${norm.toFixed(3)}`}`,
      );
  }
  return (performance.now() - started) / steps;
}

for (const makeStep of [stepByHand, stepAtOnce]) {
  // the losses are the same
  console.log(`${makeStep.name}:`);
  const model = new Writer({ seed });
  console.log(`  ${run(makeStep, model, 20, 5).toFixed(1)} ms a step\n`);
  model.dispose();
}
console.log("stepAtOnce, on and on:");
const model = new Writer({ seed });
console.log(`  ${run(stepAtOnce, model, steps, 100).toFixed(1)} ms a step`);

const judge = jit(model, lossOf(model));
const random = new Random(seed).fork("held out");
const judged = Array.from({ length: 20 }, () => judge(...draw(heldOut, random)));
const bits = (nats) => (nats / Math.LN2).toFixed(3);
console.log(
  `\nheld-out text: ${bits(judged.reduce((a, b) => a + b) / judged.length)} bits per character, ` +
    `bigram baseline ${bits(bigramLoss(training, heldOut, tokenizer.size))}`,
);

/** Writes on, token by token, the state going out of each call and into the next. */
function write(beginning, length, options) {
  const next = jit(model, (token, state) => model.call(token, state));
  const random = new Random(seed);
  const read = tokenizer.encode(beginning);
  let [logits, state] = next({ data: read, shape: [1, read.length] });
  const written = [];
  for (let i = 0; i < length; i++) {
    const token = sample(logits.data.subarray(-tokenizer.size), { ...options, random });
    written.push(token);
    [logits, state] = next([[token]], state);
  }
  return beginning + tokenizer.decode(written);
}

const beginning = beginningOf(heldOut, tokenizer, 30);
for (const options of [
  { temperature: 0.3 },
  { temperature: 0.7 },
  { temperature: 1.2 },
  { temperature: 1.2, topK: 5 },
  { temperature: 1, topP: 0.8 },
]) {
  console.log(`\n${JSON.stringify(options)}\n${write(beginning, 200, options)}`);
}
model.dispose();
