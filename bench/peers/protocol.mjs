// The protocol of a peer, a library in a process of its own: one JSON message per line on standard input, answers on
// descriptor 3, so that a library may print what it likes. Arrays travel as base64. `torch_peer.py` speaks it too.
import { createInterface } from "node:readline";
import { writeSync } from "node:fs";
import { PerformanceObserver, performance } from "node:perf_hooks";

const TYPES = { Float32Array, Int32Array };

/** Replacer for JSON.stringify: arrays as base64. */
export function pack(key, value) {
  const type = Object.keys(TYPES).find((name) => value instanceof TYPES[name]);
  return type ? { [type]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") } : value;
}

/** Reviver for JSON.parse: arrays from base64. */
export function unpack(key, value) {
  const type =
    value !== null && typeof value === "object"
      ? Object.keys(TYPES).find((name) => typeof value[name] === "string")
      : undefined;
  if (!type) return value;
  const bytes = Buffer.from(value[type], "base64");
  return new TYPES[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Writes an answer. */
function answer(message) {
  const bytes = Buffer.from(`${JSON.stringify(message, pack)}\n`);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(3, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error; // the pipe is full: try again
    }
  }
}

const MILLISECONDS = 1000;
const MICROSECONDS = 1e6;

/** Runs a job for `seconds`; resolves to the mean seconds per call, and to those in the fastest run of `calls`. */
async function time({ run, isAsync }, seconds, calls) {
  const start = performance.now();
  const end = start + seconds * MILLISECONDS;
  let [done, fastest, before, now] = [0, Infinity, start, start];
  do {
    if (isAsync) for (let i = 0; i < calls; i++) await run();
    else for (let i = 0; i < calls; i++) run();
    now = performance.now();
    fastest = Math.min(fastest, now - before);
    before = now;
    done += calls;
  } while (now < end);
  return { seconds: (now - start) / done / MILLISECONDS, fastest: fastest / calls / MILLISECONDS };
}

/** Times single calls: fills `into` with microseconds. */
function timeEachNow(run, into) {
  let before = performance.now();
  for (let i = 0; i < into.length; i++) {
    run();
    const now = performance.now();
    into[i] = (now - before) * (MICROSECONDS / MILLISECONDS);
    before = now;
  }
}

async function timeEachAwaited(run, into) {
  let before = performance.now();
  for (let i = 0; i < into.length; i++) {
    await run();
    const now = performance.now();
    into[i] = (now - before) * (MICROSECONDS / MILLISECONDS);
    before = now;
  }
}

/** Counts garbage collections in `steps` calls. No clock is read between calls, since that makes garbage, too. */
async function collections({ run, isAsync }, steps) {
  globalThis.gc?.(); // garbage from before does not count
  const pauses = [];
  const observer = new PerformanceObserver((list) => pauses.push(...list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  const start = performance.now();
  if (isAsync) for (let i = 0; i < steps; i++) await run();
  else for (let i = 0; i < steps; i++) run();
  const end = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 20)); // entries arrive with a delay
  observer.disconnect();
  const during = pauses.filter(({ startTime }) => startTime >= start && startTime <= end);
  return { collections: during.length, longest: Math.max(0, ...during.map(({ duration }) => duration)) };
}

/**
 * Serves a peer.
 *
 * @param peer     `{ name, init?(options), prepare(job) }`; `prepare` returns `{ run, isAsync?, outputs(), release? }`,
 *                 or `{ measure() }` if the peer measures itself; it throws a `Refusal` if it cannot do the job
 * @param options  words of the command line, for `init`
 */
export function serve(peer, options) {
  let job;
  let calls = 1;
  const handlers = {
    async init() {
      await peer.init?.(options);
      return { name: peer.name() };
    },
    async prepare(message) {
      await job?.release?.();
      job = undefined;
      job = await peer.prepare(message);
      return { outputs: await job.outputs?.() };
    },
    // engines optimize after about a thousand calls; afterwards the clock is read about once per millisecond
    async warmUp({ seconds }) {
      if (job.measure) return job.measure();
      await time(job, seconds, 1);
      const { seconds: once } = await time(job, seconds / 4, 1);
      calls = Math.max(1, Math.round(1e-3 / once));
      return { seconds: once };
    },
    async time({ seconds }) {
      return job.measure ? job.measure() : time(job, seconds, calls);
    },
    async latencies({ steps }) {
      const microseconds = new Float32Array(steps);
      await (job.isAsync ? timeEachAwaited : timeEachNow)(job.run, microseconds);
      return { microseconds };
    },
    collections: ({ steps }) => collections(job, steps),
  };
  let queue = Promise.resolve();
  createInterface({ input: process.stdin, crlfDelay: Infinity })
    .on("line", (line) => {
      const { op, ...message } = JSON.parse(line, unpack);
      queue = queue
        .then(() => handlers[op](message))
        .then(answer, (error) => {
          answer(error instanceof Refusal ? { refused: error.message } : { error: String(error?.stack ?? error) });
        });
    })
    .on("close", () => process.exit(0));
}

/** Thrown by a peer that cannot do a job. */
export class Refusal extends Error {}
