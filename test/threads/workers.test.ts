/** Workers that start, sleep, die and end; and what is computed on one thread after all. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Module,
  backendInfo,
  init,
  layers,
  losses,
  ops,
  optimizers,
  sequential,
  type Tensor,
} from "../../bindings/index.ts";
import { currentBackend } from "../../bindings/runtime/context.ts";
import type { Backend } from "../../bindings/runtime/backend.ts";
import { warnings } from "../support/collect.ts";
import { differ, floats, sameWeights, tokens } from "../support/models.ts";
import { refused, rejected } from "../support/refused.ts";
import { handlesOf, startsDuring, useThreads } from "../support/threads.ts";

const test = suite("workers");
const script = fileURLToPath(new URL("../support/threads_child.ts", import.meta.url));

/** What a scene of the child says. */
function scene(name: string): any {
  const { stdout, stderr, status, error } = spawnSync(
    process.execPath,
    ["--expose-gc", "--import", "tsx", script, name],
    { encoding: "utf8", timeout: 60_000 },
  );
  assert.is(status, 0, `${stderr} ${String(error)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

const [B, T, I] = [32, 20, 8];
const [x, y] = [floats([B, T, I]), floats([B, 1], 1)];
const make = (options = {}) =>
  sequential([layers.lstm({ units: 64, ...options }), layers.dense({ units: 1 })], { inputShape: [null, I], seed: 2 });
const settings = () => ({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: "mse", metrics: ["mae"] });

test("init starts them, backendInfo counts them, and a process with them ends by itself", async () => {
  await useThreads(3);
  assert.is(backendInfo().threads, 3);
  assert.is(backendInfo().memoryBytes, 0);
  const { loss, ...rest } = scene("ends");
  assert.equal(rest, { warnings: [], threads: 3 });
  assert.ok(Math.abs(loss - scene("one").loss) < 1e-6);
});

test("where there are none it says so once, in a sentence, and runs on one thread", () => {
  const { loss } = scene("one");
  const said = (got: string) => ({
    warnings: [`gatewise: expected to run on 2 threads, got ${got}; running on one`],
    loss,
    threads: 1,
  });
  const isolation = "no SharedArrayBuffer, which a page has when it is served with COOP and COEP headers";
  assert.equal(scene("withoutSharedMemory"), said(isolation));
  assert.equal(scene("notIsolated"), said(isolation));
  assert.equal(scene("withoutWorkers"), said("no workers over shared memory: no workers today"));
  const reference = scene("reference");
  assert.equal(reference, { ...said("the reference build, whose memory is not shared"), loss: reference.loss });
});

test("divided steps keep nothing and make little", () => {
  const { calls, made, held, arena } = scene("allocation");
  assert.is(arena, 0);
  assert.ok(held < 400_000, `${held} bytes held`);
  assert.ok(made < 48_000 * calls, `${made} bytes made in ${calls} calls`);
});

test("init again: models that there are keep their workers, and those of none end", async () => {
  const { pool } = await useThreads(2);
  const model = make();
  await init({ build: "simd", threads: 2 });
  const second = currentBackend();
  assert.is.not(second.pool, pool);
  assert.ok((await startsDuring(pool!, () => model.predict(x))) > 0);
  await init({ build: "simd" });
  assert.is(second.pool!.threads, 1, "it held nothing");
  assert.is(pool!.threads, 2);
  assert.is(backendInfo().threads, 1);
  model.dispose();
});

test("memory grows while workers sleep on the former one", async () => {
  await useThreads(2);
  const small = make();
  const before = small.predict(x).data;
  const large = make({ units: 128 });
  const { data } = large.predict(floats([96, 400, I]), { batchSize: 48 });
  assert.ok(data.every(Number.isFinite));
  assert.equal(small.predict(x).data, before);
  small.dispose();
  large.dispose();
  assert.is(backendInfo().memoryBytes, 0);
});

/** Two fresh threads with a model that has been trained on them for a step. */
async function fresh(): Promise<{ backend: Backend; model: ReturnType<typeof make> }> {
  await init({ build: "simd", threads: 2 });
  const backend = currentBackend();
  const model = make({ dropout: 0.2 });
  model.compile(settings());
  assert.ok((await startsDuring(backend.pool!, () => model.trainOnBatch(x, y))) > 0);
  return { backend, model };
}

const failed = (why: string) =>
  new RegExp(
    `^threads: expected every worker to do its part, got one that failed: ${why}; ` +
      "nothing has changed, and everything runs on one thread from now on$",
  );

/** The model is as it was, and goes on by itself. */
async function goesOn(
  backend: Backend,
  model: ReturnType<typeof make>,
  weights: ReturnType<Module["getWeights"]>,
  runs = 1,
): Promise<void> {
  sameWeights(model.getWeights(), weights);
  assert.is(backendInfo().threads, 1);
  const logs = model.trainOnBatch(x, y);
  assert.ok(differ(model.getWeights(), weights));
  await useThreads(1);
  const other = make({ dropout: 0.2 });
  other.compile(settings());
  other.setWeights(weights);
  other.restoreRandom({ seed: 2, runs });
  assert.equal(other.trainOnBatch(x, y), logs, "with the random numbers of the step that failed");
  other.dispose();
  model.dispose();
  for (const handle of handlesOf(backend.pool!)) await handle.end();
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(backend.arena.bytes, 0, "what workers might have written to is free again");
}

test("a worker that has ended: the next step says so, later ones run on one thread", async () => {
  const { backend, model } = await fresh();
  const weights = model.getWeights();
  await handlesOf(backend.pool!)[0].end();
  refused(() => model.trainOnBatch(x, y), "ERR_WORKER", failed("it ended with 1"));
  await goesOn(backend, model, weights);
});

test("a worker that dies within a call is waited for no longer than the timeout says", async () => {
  const { backend, model } = await fresh();
  const weights = model.getWeights();
  backend.pool!.timeout = 300;
  void handlesOf(backend.pool!)[0].end(); // its end is told in a later turn, which a synchronous call does not let come
  const begin = performance.now();
  refused(() => model.trainOnBatch(x, y), "ERR_WORKER", failed("it gave no sign of life"));
  assert.ok(performance.now() - begin < 20_000);
  await goesOn(backend, model, weights);
});

test("a worker that dies while fit runs: fit rejects", async () => {
  const { backend, model } = await fresh();
  backend.pool!.timeout = 300;
  let batches = 0;
  const ending = {
    onBatchEnd: async () => {
      if (++batches === 3) await handlesOf(backend.pool!)[0].end();
    },
  };
  await rejected(
    model.fit(x, y, { batchSize: 16, epochs: 3, callbacks: [ending] }),
    "ERR_WORKER",
    failed("it ended with 1"),
  );
  assert.is(batches, 3);
  assert.is((await model.fit(x, y, { batchSize: 16 })).epoch.length, 1);
  await goesOn(backend, model, model.getWeights(), 1 + 3 + 2);
});

test("a kernel that traps in a worker: its error is told", async () => {
  const { backend, model } = await fresh();
  const { pool, kernels } = backend;
  const program = pool!.loadProgram(0, [
    {
      kernel: "f32_fill",
      fn: kernels.f32_fill as (...args: number[]) => unknown,
      args: [10, 4e9, 1],
      loop: undefined,
    },
  ]);
  pool!.start(0, program);
  refused(() => pool!.wait(0), "ERR_WORKER", failed("RuntimeError: .+"));
  const weights = model.getWeights();
  await goesOn(backend, model, weights);
});

/** Rows minus their mean over the batch. */
class Centred extends Module {
  body = layers.lstm({ units: 64 });
  out = layers.dense({ units: 1 });

  override call(input: Tensor): Tensor {
    const h: Tensor = this.body.call(input);
    return this.out.call(ops.sub(h, ops.mean(h, { axis: 0, keepDims: true })));
  }
}

class Plain extends Centred {
  override call(input: Tensor): Tensor {
    return this.out.call(this.body.call(input));
  }
}

test("rows that depend on each other are computed together, and it is said once", async () => {
  const run = (Class: typeof Centred) => {
    const model = new Class({ seed: 4 });
    model.predict(floats([1, T, I]));
    model.compile(settings());
    const numbers = [model.trainOnBatch(x, y), model.trainOnBatch(x, y), model.evaluate(x, y)].map(({ loss }) => loss);
    numbers.push(...model.predict(x).data);
    model.dispose();
    return numbers;
  };
  await useThreads(1);
  const expected = run(Centred);
  const { pool } = await useThreads(2);
  let numbers: number[] = [];
  const said = await warnings(() => (numbers = run(Centred)));
  assert.equal(numbers, expected, "the same bits, since nothing is divided");
  assert.equal(said, [
    "gatewise: expected rows of a batch to be independent of each other, got a model in which they are not; " +
      "it runs on one thread",
  ]);
  assert.is(await startsDuring(pool!, () => run(Plain)), 4, "a class whose rows are independent is divided");
});

test("work on a whole batch is not divided: stateful layers, losses that are one number, 8 bits", async () => {
  const { pool } = await useThreads(2);
  const stateful = make({ stateful: true });
  stateful.compile(settings());
  const scalar = make();
  scalar.compile({ loss: (t: Tensor, p: Tensor) => ops.mean(ops.square(ops.sub(t, p))) });
  const starts = await startsDuring(pool!, () => {
    stateful.predict(x);
    stateful.trainOnBatch(x, y);
    stateful.evaluate(x, y);
    scalar.trainOnBatch(x, y);
  });
  assert.is(starts, 0);
  stateful.dispose();
  scalar.dispose();

  const quantized = make().quantize();
  assert.is(await startsDuring(pool!, () => quantized.predict(x)), 0, "kernels that were loaded later");
  quantized.dispose();
});

test("small batches, one row and small models are not divided", async () => {
  const { pool } = await useThreads(2);
  const [model, small] = [make(), make({ units: 4 })];
  const starts = await startsDuring(pool!, () => {
    model.predict(floats([1, T, I]));
    model.predict(floats([2, T, I]));
    small.predict(x);
  });
  assert.is(starts, 0);
  model.dispose();
  small.dispose();
});

test("batches that make no update: the errors of one thread, the weights as before", async () => {
  const { pool } = await useThreads(2);
  const text = tokens([B, T], 9);
  const model = sequential(
    [
      layers.embedding({ inputDim: 9, outputDim: 32 }),
      layers.gru({ units: 64, returnSequences: true }),
      layers.dense({ units: 9 }),
    ],
    { inputShape: [null], seed: 2 },
  );
  model.compile({
    optimizer: "sgd",
    loss: losses.sparseCategoricalCrossentropy({ fromLogits: true, ignoreIndex: -1 }),
  });
  const weights = model.getWeights();
  const starts = await startsDuring(pool!, () => {
    refused(
      () => model.trainOnBatch(text, { data: new Int32Array(B * T).fill(-1), shape: [B, T] }),
      "ERR_VALUE",
      /^fit: expected a label that counts, got only ignored ones in epoch 1, batch 1/,
    );
    sameWeights(model.getWeights(), weights);
    const half = { data: Int32Array.from(text.data, (token, i) => (i < (B * T) / 2 ? -1 : token)), shape: [B, T] };
    assert.ok(Number.isFinite(model.trainOnBatch(text, half).loss), "one part without a label");
  });
  assert.is(starts, 2);
  model.dispose();

  const bad = make();
  bad.compile({ ...settings(), optimizer: optimizers.sgd({ learningRate: 1e30 }) });
  bad.trainOnBatch(x, y);
  const before = bad.getWeights();
  refused(
    () => {
      for (let i = 0; i < 5; i++) bad.trainOnBatch(x, y);
    },
    "ERR_NON_FINITE",
    /^fit: expected a finite loss and gradients, got .+ in epoch 1, batch 1/,
  );
  assert.ok(
    Object.values(bad.getWeights()).every(({ data }) => data.every(Number.isFinite)),
    Object.keys(before).join(),
  );
  bad.dispose();
});

test("tokens out of range are found before anything runs", async () => {
  await useThreads(2);
  const text = tokens([B, T], 9);
  text.data[B * T - 1] = 9;
  const model = sequential(
    [layers.embedding({ inputDim: 9, outputDim: 64 }), layers.gru({ units: 64 }), layers.dense({ units: 1 })],
    { inputShape: [null], seed: 2 },
  );
  refused(() => model.predict(text), "ERR_VALUE", /^predict: x: expected .+ of 0…8, got 9 at \[31, 19\]$/);
  model.dispose();
});

test.run();
