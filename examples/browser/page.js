// Trains, streams, saves and loads a model, here or in a Worker: both have the same methods, and `await` does for both.
import { connect } from "../../dist/worker.js";
import { lossChart, waveChart } from "./charts.js";
import { makeModel, pieces, wave } from "./model.js";

const EPOCHS = 240;
const [HEARD, WRITTEN] = [100, 200]; // steps of the wave that the model hears, and steps that it goes on alone

const element = (id) => document.getElementById(id);
const [train, generate, save, load, file, worker, status] = [
  "train",
  "generate",
  "save",
  "load",
  "file",
  "worker",
  "status",
].map(element);
const losses = lossChart(element("loss"), EPOCHS);
const waves = waveChart(element("wave"), [-HEARD, WRITTEN]);
const say = (text, kind = "") => {
  status.textContent = text;
  status.className = kind;
};

/** The model of this page with the interface of one in a worker: events instead of callbacks. */
function local(bytes) {
  const model = makeModel(bytes);
  const fit = model.fit.bind(model);
  return Object.assign(model, {
    fit: (x, y, { onEvent, ...options }) => fit(x, y, { ...options, callbacks: [{ onEpochEnd: onEvent }] }),
  });
}

const make = (bytes) =>
  worker.checked ? connect(new URL("model.worker.js", import.meta.url), { data: bytes }) : local(bytes);
const where = () => (worker.checked ? "in a worker" : "on the page's own thread");

let model = await make();
let stop; // ends what runs

/** Runs one of the jobs below: others wait, errors are shown, and `stop` ends it. */
async function job(run, button) {
  const controller = new AbortController();
  stop = () => controller.abort();
  const label = button?.textContent;
  for (const control of [train, generate, save, load, worker]) control.disabled = control !== button;
  if (button) button.textContent = "Stop";
  try {
    await run(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) say("Stopped. The model keeps what it has learnt.");
    else say(`${error.name}: ${error.message}`, "error");
  }
  if (button) button.textContent = label;
  for (const control of [train, generate, save, load, worker]) control.disabled = false;
  stop = undefined;
}

async function learn(signal) {
  const { x, y } = pieces();
  const seen = [[], []];
  say(`Training ${where()} …`);
  await model.fit(x, y, {
    epochs: EPOCHS,
    batchSize: 32,
    signal,
    onEvent({ type, epoch, logs }) {
      if (type !== "epoch") return;
      seen[0].push(epoch + 1);
      seen[1].push(logs.loss);
      losses.setData(seen);
      say(`Training ${where()}: epoch ${epoch + 1} of ${EPOCHS}, loss ${logs.loss.toExponential(2)}`);
    },
  });
  say(`Trained ${where()}: loss ${seen[1].at(-1).toExponential(2)}. Now let it write.`);
}

const nextFrame = () => new Promise(requestAnimationFrame);

/** Hears the wave, then takes each of its own outputs for the next input. */
async function write(signal) {
  const times = Array.from({ length: HEARD + WRITTEN }, (_, i) => i - HEARD);
  const truth = times.map(wave);
  const written = new Array(times.length).fill(null);
  const stream = await model.stream();
  try {
    let next = (await stream.process(Float32Array.from(truth.slice(0, HEARD)))).at(-1);
    for (let t = 0; t < WRITTEN; t++) {
      signal.throwIfAborted();
      written[HEARD + t] = next;
      [next] = await stream.step([next]);
      if (t % 2 === 0) continue;
      waves.setData([times, truth, written]);
      say(`Writing ${where()}: step ${t + 1} of ${WRITTEN}`);
      await nextFrame();
    }
  } finally {
    await stream.dispose();
  }
  const distance = (guess) =>
    Math.sqrt(guess.reduce((sum, value, t) => sum + (value - wave(t)) ** 2, 0) / WRITTEN).toFixed(2);
  const [own, silence] = [written.slice(HEARD), new Array(WRITTEN).fill(0)].map(distance);
  say(`It wrote ${WRITTEN} steps, off by ${own} (root mean square); silence is off by ${silence}.`);
}

async function download() {
  const bytes = await model.save({ optimizer: true });
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(new Blob([bytes])),
    download: "wave.safetensors",
  });
  link.click();
  URL.revokeObjectURL(link.href);
  say(`Saved ${bytes.length} bytes: weights, configuration, and what the optimizer remembers.`);
}

/** Makes a model of bytes and lets go of the one before; when it cannot be made, the one before stays. */
async function replace(bytes) {
  const before = model;
  model = await make(bytes);
  await before.dispose();
}

train.onclick = () => (stop ? stop() : void job(learn, train));
generate.onclick = () => (stop ? stop() : void job(write, generate));
save.onclick = () => void job(download);
load.onclick = () => file.click();
file.onchange = () =>
  void job(async () => {
    const [chosen] = file.files;
    file.value = "";
    await replace(new Uint8Array(await chosen.arrayBuffer()));
    say(`Loaded ${chosen.name}.`);
  });
worker.onchange = () =>
  void job(async () => {
    try {
      await replace(await model.save({ optimizer: true }));
    } catch (error) {
      worker.checked = !worker.checked;
      throw error;
    }
    say(`The model moved, with all it has learnt: it now runs ${where()}.`);
  });

for (const control of [train, generate, save, load, worker]) control.disabled = false;
say("Ready. Train the model, then let it write.");
