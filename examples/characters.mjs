// Reads a novel character by character for most of a minute, then writes text of its own. Embedding → GRU → Dense,
// trained by truncated back-propagation: updates look TIME characters back, the state goes on from window to window.
//
//   npm start                 the same as: node examples/characters.mjs
//   npm start -- --data FILE  another text
//     --seconds 45   how long to train     --steps N   instead of a time: the same seed then writes the same text
//     --seed 1       of weights and words  --quick     a small model for a few seconds, as the tests run it
import { setImmediate } from "node:timers/promises";
import { SingleBar } from "cli-progress";
import { backendInfo, initSync, layers, losses, ops, optimizers, sequential, trainStep } from "gatewise";
import { split } from "gatewise/data";
import { Random, characterTokenizer, sample } from "gatewise/text";
import { readOptions } from "./support/options.mjs";
import { MOBY_DICK, beginningOf, bigramLoss, readText } from "./support/text.mjs";

const { data, seconds, steps, seed, quick } = readOptions({ data: "", seconds: 45, steps: 0, seed: 1, quick: false });
const BATCH = 16; // places of the text that are read side by side
const TIME = 64; // characters from one update to the next
const UNITS = quick ? 64 : 256;
const limit = { seconds, steps: steps || (quick ? 400 : 0) };

// The text as tokens. Nothing is learnt from its last tenth.
const text = readText(data || MOBY_DICK, 20_000);
const tokenizer = characterTokenizer().fit(text);
const tokens = tokenizer.encode(text);
const {
  train: { data: training },
  validation: { data: heldOut },
} = split(tokens, { validation: 0.1 });
const vocabulary = tokenizer.size;

const makeModel = () =>
  sequential(
    [
      layers.embedding({ inputDim: vocabulary, outputDim: 64 }),
      layers.gru({ units: UNITS, returnSequences: true }),
      layers.dense({ units: vocabulary }),
    ],
    { inputShape: [null], seed },
  );

/** Windows [BATCH, TIME] as BATCH readers meet them, each in a stretch of the text of its own, over and over. */
function* windows(source) {
  const stretch = Math.floor((source.length - 1) / BATCH);
  const cut = (at) => {
    const window = new Int32Array(BATCH * TIME);
    for (let reader = 0; reader < BATCH; reader++) {
      const from = reader * stretch + at;
      window.set(source.subarray(from, from + TIME), reader * TIME);
    }
    return { data: window, shape: [BATCH, TIME] };
  };
  for (;;) {
    for (let at = 0; at + TIME <= stretch; at += TIME) yield { read: cut(at), next: cut(at + 1), first: at === 0 };
  }
}

const zeros = () => ({ data: new Float32Array(BATCH * UNITS), shape: [BATCH, UNITS] });

/** One update as a function of arrays: windows, and the state before them; `aux` is the state after them. */
function makeStep(model, learningRate) {
  const [embedding, gru, dense] = model.layers;
  const loss = losses.sparseCategoricalCrossentropy({ fromLogits: true });
  const optimizer = optimizers.adam({ learningRate, globalClipNorm: 1 });
  return trainStep(model, optimizer, (read, next, state) => {
    const outputs = gru.call(embedding.call(read), { initialState: [state] });
    return [loss(next, dense.call(outputs)), ops.gather(outputs, -1, 1)]; // a GRU's state is its last output
  });
}

const bits = (nats) => (nats / Math.LN2).toFixed(3);
const perSecond = (count, since) => Math.round((count / (performance.now() - since)) * 1000);
const show = (rate) => `${rate.toLocaleString("en-US")} characters/s`;

/** Trains until the steps or the time are used up. Gives the characters per second. */
async function train(model) {
  const started = performance.now();
  let done = 0;
  let running = Math.log(vocabulary); // nats per character: what knowing nothing costs
  let state = zeros();
  const progress = () =>
    Math.min(1, limit.steps ? done / limit.steps : (performance.now() - started) / 1000 / limit.seconds);
  const step = makeStep(model, () => 4e-3 * (1 - progress()) + 1e-4); // large steps first, small ones at the end
  const bar = new SingleBar({
    format: "training {bar} {percentage}%  {bits} bits per character  {rate}",
    noTTYOutput: true,
    notTTYSchedule: 5000,
  });
  bar.start(100, 0, { bits: bits(running), rate: show(0) });
  for (const { read, next, first } of windows(training)) {
    const { value, aux } = step(read, next, first ? zeros() : state);
    state = aux;
    done++;
    running += (value - running) * Math.max(0.02, 1 / done);
    bar.update(Math.floor(100 * progress()), {
      bits: bits(running),
      rate: show(perSecond(done * BATCH * TIME, started)),
    });
    if (progress() >= 1) break;
    await setImmediate(); // lets the bar draw itself
  }
  bar.stop();
  return perSecond(done * BATCH * TIME, started);
}

/** Nats per character of a text that the model reads from its beginning to its end, and the characters per second. */
function judge(model, source) {
  const stream = model.stream();
  const started = performance.now();
  const logits = stream.process(source.subarray(0, -1));
  const rate = perSecond(source.length - 1, started);
  stream.dispose();
  let surprise = 0;
  for (let t = 1; t < source.length; t++) {
    const row = logits.subarray((t - 1) * vocabulary, t * vocabulary);
    surprise += Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[source[t]];
  }
  return { loss: surprise / (source.length - 1), rate };
}

/** Writes on from a beginning, character by character as they are drawn. */
function* write(model, beginning, length, temperature) {
  const stream = model.stream();
  const random = new Random(seed);
  let logits;
  for (const token of tokenizer.encode(beginning)) logits = stream.step([token]);
  for (let i = 0; i < length; i++) {
    const token = sample(logits, { temperature, random });
    yield tokenizer.decode([token]);
    logits = stream.step([token]);
  }
  stream.dispose();
}

/** Milliseconds of one training step and of one stream step, on the backend chosen last. */
function time({ updates, frames }) {
  const model = makeModel();
  const step = makeStep(model, 1e-3);
  const { read, next } = windows(training).next().value;
  const stream = model.stream();
  const measure = (count, run) => {
    run(); // the first call traces, and the engine compiles
    const started = performance.now();
    for (let i = 0; i < count; i++) run();
    return (performance.now() - started) / count;
  };
  const milliseconds = {
    update: measure(updates, () => step(read, next, zeros())),
    frame: measure(frames, () => stream.step([0])),
  };
  model.dispose();
  return milliseconds;
}

const { build } = backendInfo();
const model = makeModel();
console.log(`${tokens.length.toLocaleString("en-US")} characters, ${vocabulary} different ones; build "${build}"`);
console.log(`\n${model.summary()}\n`);

const trainingRate = await train(model);
const { loss, rate } = judge(model, heldOut);
const bigram = bigramLoss(training, heldOut, vocabulary);
console.log(`\nheld-out text: ${bits(loss)} bits per character, bigram baseline ${bits(bigram)}`);
console.log(`training ${show(trainingRate)}, reading ${show(rate)}`);

const fast = time({ updates: 5, frames: 2000 });
initSync({ build: "reference" });
const slow = time({ updates: 1, frames: 20 });
const speedUp = (work) => `${(slow[work] / fast[work]).toFixed(0)}× faster`;
console.log(
  `${build} against the same kernels in plain TypeScript: ` +
    `training step ${fast.update.toFixed(1)} ms, ${speedUp("update")}; ` +
    `stream step ${(fast.frame * 1000).toFixed(1)} µs, ${speedUp("frame")}\n`,
);

const beginning = beginningOf(heldOut, tokenizer, 40);
process.stdout.write(`${beginning}|`);
for (const character of write(model, beginning, 800, 0.6)) process.stdout.write(character);
console.log();
model.dispose();
