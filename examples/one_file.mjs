// A page of one file that contains a model and opens anywhere: it guesses the language of a surname while you type.
// Trains the model on whole names, quantizes its weights to 8 bits and exports its step, which `gatewise/exported`
// runs. A bundler puts that entry, the script of the page and the model into the page.
//
//   npm run example one_file
//   npm run example one_file -- --data DIR   your own lists: LANGUAGE.txt each, one name per line
//     --out FILE     where the page goes     --seed 1     --quick   fewer epochs, as the tests run it
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { layers, losses, optimizers, sequential } from "gatewise";
import { Random, padSequences } from "gatewise/data";
import { characterTokenizer } from "gatewise/text";
import { readNames } from "./support/names.mjs";
import { readOptions } from "./support/options.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { data, out, seed, quick } = readOptions({
  data: "",
  out: here("../build/one_file.html"),
  seed: 1,
  quick: false,
});

const { languages, names } = readNames(data || here("data/names"), 640);
const tokenizer = characterTokenizer({ padding: true }).fit(names.map(({ name }) => name));

const order = Int32Array.from(names.keys());
new Random(seed).shuffle(order);
const cut = Math.floor(names.length * 0.9); // a tenth is held out

/** Some of the names: tokens [n, longest], how many letters each has, and what language it is of. */
function batch(chosen) {
  const { lengths, ...x } = padSequences(
    Array.from(chosen, (i) => tokenizer.encode(names[i].name)),
    { padding: "post" },
  );
  return { x, y: Int32Array.from(chosen, (i) => names[i].language), lengths };
}
const [train, heldOut] = [batch(order.subarray(0, cut)), batch(order.subarray(cut))];

const model = sequential(
  [
    layers.embedding({ inputDim: tokenizer.size, outputDim: 48 }),
    layers.gru({ units: 128 }),
    layers.dense({ units: languages.length, activation: "softmax" }),
  ],
  { inputShape: [null], seed },
);
model.compile({
  optimizer: optimizers.adam({ learningRate: 3e-3, globalClipNorm: 1 }),
  loss: losses.sparseCategoricalCrossentropy(),
  metrics: ["accuracy"],
});
for await (const { type, epoch, logs } of model.train(train.x, train.y, {
  lengths: train.lengths,
  epochs: quick ? 2 : 8,
  batchSize: 64,
})) {
  if (type === "epoch")
    console.log(`epoch ${epoch + 1}  loss ${logs.loss.toFixed(4)}  accuracy ${logs.accuracy.toFixed(4)}`);
}

const small = model.quantize();
const { data: guesses } = small.predict(heldOut.x, { lengths: heldOut.lengths });
const best = (row) => row.indexOf(row.reduce((a, b) => Math.max(a, b)));
const right = heldOut.y.filter(
  (language, i) => best(guesses.subarray(i * languages.length, (i + 1) * languages.length)) === language,
).length;
const counts = languages.map((_, k) => train.y.filter((language) => language === k).length);
const majority = heldOut.y.filter((language) => language === best(counts)).length;
const [accuracy, baseline] = [right, majority].map((count) => (count / heldOut.y.length).toFixed(3));
console.log(`\naccuracy on ${heldOut.y.length} held-out names, in 8 bits: ${accuracy}, majority baseline ${baseline}`);

// The page: its own script with the entry that it imports, and what they need to know as JSON.
const {
  outputFiles: [script],
} = await build({
  entryPoints: [here("one_file/page.js")],
  bundle: true,
  format: "esm",
  minify: true,
  write: false,
  charset: "utf8",
});
const about = { languages, tokenizer, model: Buffer.from(small.export({ stream: { block: 1 } })).toString("base64") };
const page = readFileSync(here("one_file/page.html"), "utf8")
  .replace("{about}", () => JSON.stringify(about).replaceAll("<", "\\u003c"))
  .replace("{script}", () => script.text.replaceAll("</script", "<\\/script"));
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, page);

const kB = (bytes) => `${Math.round(bytes / 1000)} kB`;
const [whole, compressed, code] = [Buffer.byteLength(page), gzipSync(page).length, script.contents.length].map(kB);
console.log(`the page is in ${out}: ${whole}, compressed ${compressed}; ${code} of it are script and kernels\n`);

const stream = small.stream();
console.log("what it will say when a name has been typed:");
for (const i of order.subarray(cut, cut + 5)) {
  const { name, language } = names[i];
  stream.reset();
  let guess = new Float32Array(languages.length);
  for (const token of tokenizer.encode(name)) guess = stream.step([token]);
  console.log(`${name} (${languages[language]}): ${languages[best(guess)]} ${Math.round(100 * Math.max(...guess))} %`);
}
small.dispose();
model.dispose();
