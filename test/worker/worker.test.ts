/** A model in a worker, which runs dist: the same numbers and errors as outside, and no call waits for ever. */
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  NonFiniteError,
  ShapeError,
  layers,
  loadModel,
  optimizers,
  sequential,
  type Model,
  type TrainEvent,
} from "../../bindings/index.ts";
import { connect, serve, type RemoteModel } from "../../bindings/worker/index.ts";
import { refused, rejected } from "../support/refused.ts";

const FILE = new URL("model.js", import.meta.url);
const [ROWS, T] = [40, 10];
const wave = (shift: number): { data: Float32Array; shape: number[] } => ({
  data: Float32Array.from({ length: ROWS * T }, (_, i) => Math.sin(0.5 * i + shift)),
  shape: [ROWS, T, 1],
});
const [x, y] = [wave(0), wave(0.5)];
const long = { epochs: 1e6, batchSize: 1 };

/** What the types would refuse. */
const any = (value: unknown): never => value as never;

const adam = () => optimizers.adam({ learningRate: 0.01 });

/** The model that the worker makes, here. */
function here(): Model {
  const model = sequential([layers.gru({ units: 4, returnSequences: true }), layers.dense({ units: 1 })], {
    inputShape: [null, 1],
    seed: 3,
  });
  model.compile({ optimizer: adam(), loss: "mse" });
  return model;
}

const test = suite("worker");

/** A test with a model of the worker file, freed at its end. */
function remotely(name: string, run: (remote: RemoteModel) => Promise<void>, data?: unknown): void {
  test(name, async () => {
    const remote = await connect(FILE, { data });
    try {
      await run(remote);
    } finally {
      await remote.dispose();
    }
  });
}

remotely("gives what the same model gives here, bit for bit", async (remote) => {
  const model = here();
  const options = {
    epochs: 3,
    validationSplit: 0.25,
    lengths: Int32Array.from({ length: ROWS }, (_, row) => 1 + (row % T)),
  };
  assert.equal(await remote.fit(x, y, options), await model.fit(x, y, options));
  assert.equal(await remote.getWeights(), model.getWeights());
  assert.equal(await remote.predict(x, { batchSize: 16 }), model.predict(x, { batchSize: 16 }));
  assert.equal(await remote.evaluate(x, y), model.evaluate(x, y));
  assert.equal(await remote.trainOnBatch(x, y), model.trainOnBatch(x, y));
  assert.equal(await remote.testOnBatch(x, y), model.testOnBatch(x, y));
  assert.equal(await remote.inspect(x), model.inspect(x));
  assert.is(await remote.summary(), model.summary());
  assert.is(await remote.countParams(), model.countParams());
  assert.equal(await remote.save({ optimizer: true }), model.save({ optimizer: true }));
  await remote.resetStates();
});

remotely("takes weights and files, and gives files that load here", async (remote) => {
  const model = here();
  await model.fit(x, y, { epochs: 1 });
  await remote.setWeights(model.getWeights());
  assert.equal(await remote.predict(x), model.predict(x));
  await model.fit(x, y, { epochs: 1 });
  await remote.load(model.save());
  assert.equal(loadModel(await remote.save()).predict(x), model.predict(x));
});

test("makes the model of what it is given", async () => {
  const model = here();
  model.trainOnBatch(x, y);
  const remote = await connect(FILE, { data: { make: "saved", bytes: model.save({ optimizer: true }) } });
  const restored = loadModel(model.save({ optimizer: true }));
  restored.compile({ optimizer: adam(), loss: "mse" });
  assert.equal(await remote.trainOnBatch(x, y), restored.trainOnBatch(x, y));
  await remote.dispose();
});

remotely("streams", async (remote) => {
  const [there, stream] = [await remote.stream({ block: 16 }), here().stream({ block: 16 })];
  assert.equal([there.batch, there.block, there.inputSize, there.outputSize], [1, 16, 1, 1]);
  const first = await there.step(Float32Array.of(0.5));
  assert.equal(first, stream.step([0.5]).slice());
  const part = x.data.subarray(3, 103);
  assert.equal(await there.process(part), stream.process(part));
  assert.equal(first, here().stream().step([0.5]), "a step's result is not written again by later ones");
  const state = await there.getState();
  assert.equal(state, stream.getState());
  await there.reset();
  assert.equal(await there.step([0.5]), first);
  await there.setState(state);
  assert.equal(await there.step([1]), stream.step([1]));
  await rejected(there.step([1, 2]), "ERR_SHAPE", /^step: expected a frame of 1 numbers, got 2$/);
  await there.dispose();
  await rejected(there.step([1]), "ERR_DISPOSED", /^stream: expected a live stream/);
});

remotely("tells of batches and epochs, answers in between, and ends what is aborted", async (remote) => {
  const events: TrainEvent[] = [];
  await remote.fit(x, y, { epochs: 2, batchSize: 20, onEvent: (event) => events.push(event) });
  assert.equal(
    events.map(({ type, epoch, batch, batches }) => [type, epoch, batch, batches]),
    [0, 1].flatMap((epoch) => [
      ["batch", epoch, 1, 2],
      ["batch", epoch, 2, 2],
      ["epoch", epoch, 2, 2],
    ]),
  );

  const controller = new AbortController();
  const reason = { any: "object" };
  let predicted: Promise<unknown> | undefined;
  const training = remote.fit(x, y, {
    ...long,
    signal: controller.signal,
    onEvent: () => void (predicted ??= remote.predict(x).then(() => controller.abort(reason))),
  });
  await rejected(remote.fit(x, y), "ERR_STATE", /^fit: this model is already training/);
  assert.is(await training.catch((error: unknown) => error), reason, "the signal's own reason");
  await remote.fit(x, y);
  assert.is(await remote.fit(x, y, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error), reason);
});

remotely("a listener that throws ends the training with its error", async (remote) => {
  const error = new Error("seen enough");
  const onEvent = (): never => {
    throw error;
  };
  assert.is(await remote.fit(x, y, { ...long, onEvent }).catch((caught: unknown) => caught), error);
  let [tries, ended] = [0, false];
  while (!ended && ++tries < 1000)
    ended = await remote.fit(x, y).then(
      () => true,
      () => false,
    );
  assert.ok(ended, "the training has ended there too");
});

remotely("callbacks of serve run in the worker", async (remote) => {
  const { epoch } = await remote.fit(x, y, { epochs: 1e6, batchSize: ROWS });
  assert.is(epoch.at(-1), 500, "the worker's own callback stops it");
});

remotely("leaves the caller's arrays alone, unless they are handed over", async (remote) => {
  const given = { data: x.data.slice(), shape: x.shape };
  const expected = await remote.predict(given);
  assert.is(given.data.length, ROWS * T);
  const whole = new Float32Array(ROWS * T + 5);
  whole.set(x.data, 5);
  assert.equal(await remote.predict({ data: whole.subarray(5), shape: x.shape }, { transfer: true }), expected);
  assert.is(whole.length, ROWS * T + 5, "a view of a part is copied");
  assert.equal(await remote.predict(given, { transfer: true }), expected);
  assert.is(given.data.length, 0);
  const nested = Array.from({ length: ROWS }, (_, row) =>
    Array.from(x.data.subarray(row * T, (row + 1) * T), (value) => [value]),
  );
  assert.equal(await remote.predict(nested), expected);
  const shared = new Float32Array(new SharedArrayBuffer(ROWS * T * 4));
  shared.set(x.data);
  assert.equal(await remote.predict({ data: shared, shape: x.shape }, { transfer: true }), expected);
});

remotely("errors come with their class, code, sentence and properties", async (remote) => {
  const error: unknown = await remote.predict([[[1, 2]]]).catch((caught: unknown) => caught);
  assert.instance(error, ShapeError);
  refused(
    () => {
      throw error as Error;
    },
    "ERR_SHAPE",
    /^gru "gru": expected input \[batch, time, 1\], got \[1, 1, 2\]$/,
  );
  assert.match((error as Error).stack!, /dist.index\.js/, "it has the stack of where it happened");
  await rejected(remote.fit(x, y, any({ epoch: 1 })), "ERR_OPTION", /"epoch", did you mean "epochs"\? There are /);
  await rejected(remote.fit(x, y, any(null)), "ERR_OPTION", /^fit: expected an object of options, got null$/);
  await rejected(remote.fit(x, y, any({ callbacks: [] })), "ERR_OPTION", /^fit: expected callbacks where the model is/);
  await rejected(
    remote.fit(x, y, any({ onEvent: 1 })),
    "ERR_OPTION",
    /^fit: expected onEvent to be a function, got number$/,
  );
  await rejected(
    remote.fit(x, y, any({ signal: {} })),
    "ERR_OPTION",
    /^fit: expected signal to be an AbortSignal, got object$/,
  );
  await rejected(
    remote.fit(
      any(() => x),
      y,
    ),
    "ERR_VALUE",
    /^fit: expected arguments that can be sent to a worker/,
  );
  await remote.predict(x);
});

remotely(
  "a training that explodes says where",
  async (remote) => {
    const error = await remote.fit(x, y, { epochs: 9 }).then(
      () => undefined,
      (caught: unknown) => caught as NonFiniteError,
    );
    assert.instance(error, NonFiniteError);
    assert.is(error!.code, "ERR_NON_FINITE");
    assert.type(error!.epoch, "number");
    assert.match(error!.message, new RegExp(`in epoch ${error!.epoch + 1}, batch ${error!.batch + 1}`));
  },
  { make: "explodes" },
);

remotely(
  "a model that lacks a method says so",
  async (remote) => {
    assert.equal((await remote.predict(x)).shape, [ROWS, 3]);
    await rejected(
      remote.stream(),
      "ERR_UNSUPPORTED",
      /^stream: expected a served model that has it, got Last without$/,
    );
    await rejected(remote.fit(x, y), "ERR_STATE", /compile/);
  },
  { make: "last" },
);

test("a model that cannot be made rejects connect with the reason", async () => {
  await rejected(
    connect(FILE, { data: { make: "none" } }),
    "ERR_OPTION",
    /^serve: expected a function that makes a model, got undefined from it$/,
  );
  await rejected(
    connect(FILE, { data: { make: "unknownOption" } }),
    "ERR_OPTION",
    /"unit", did you mean "units"\? There are /,
  );
  const error = await connect(FILE, { data: { make: "broken" } }).catch((caught: unknown) => caught as Error);
  assert.instance(error, RangeError);
  assert.equal([(error as Error).message, (error as Error).cause], ["no model today", "weather"]);
});

test("a worker that does not start, or dies, rejects what waits and what comes", async () => {
  await rejected(
    connect(new URL("nowhere.js", import.meta.url)),
    "ERR_WORKER",
    /^connect: expected a worker that runs, got one that failed: Cannot find module/,
  );
  await rejected(connect("nowhere"), "ERR_WORKER", /^connect: expected a module to start a worker with, got nowhere/);
  await rejected(connect(FILE, { data: { make: "ends" } }), "ERR_WORKER", /got one that ended with code 3$/);
  await rejected(connect(FILE, { data: { make: "throws" } }), "ERR_WORKER", /got one that failed: nobody caught this$/);
  const remote = await connect(FILE, { data: { make: "endsInTraining" } });
  const training = remote.fit(x, y);
  await rejected(training, "ERR_WORKER", /got one that ended with code 4$/);
  await rejected(remote.predict(x), "ERR_WORKER", /code 4$/);
  await remote.dispose();
});

test("a worker of the caller's: several models, its own messages, and it lives on", async () => {
  const worker = new Worker(FILE);
  const [one, two] = await Promise.all([connect(worker), connect(worker)]);
  await one.fit(x, y, { epochs: 1 });
  assert.is.not(JSON.stringify(await one.getWeights()), JSON.stringify(await two.getWeights()));
  await one.dispose();
  const listening = (): number =>
    ["message", "error", "exit", "close"].reduce((sum, type) => sum + worker.listenerCount(type), 0);
  assert.equal((await two.predict(x)).shape, [ROWS, T, 1]);
  await two.dispose();
  assert.is(listening(), 0, "nothing of a disposed connection is left on it");
  const three = await connect(worker);
  const waiting = three.fit(x, y, long);
  await Promise.all([rejected(waiting, "ERR_WORKER", /ended/), worker.terminate()]);
  await three.dispose();
});

test("dispose rejects what waits and what comes, and may be called again", async () => {
  const remote = await connect(FILE);
  const training = rejected(
    remote.fit(x, y, long),
    "ERR_DISPOSED",
    /^fit: expected a live remote model, got one that was disposed of$/,
  );
  await Promise.all([remote.dispose(), remote.dispose(), training]);
  await rejected(remote.predict(x), "ERR_DISPOSED", /^predict: expected a live remote model/);
  await remote.dispose();
});

test("refuses what is no worker, and what cannot be sent", async () => {
  await rejected(connect(any({})), "ERR_OPTION", /^connect: expected a worker or its URL, got object$/);
  await rejected(connect(any(null)), "ERR_OPTION", /got null$/);
  await rejected(
    connect(FILE, any({ given: 1 })),
    "ERR_OPTION",
    /^connect: expected one of the options data, timeout, got "given"/,
  );
  await rejected(connect(FILE, { data: () => 1 }), "ERR_VALUE", /^connect: expected data that can be sent to a worker/);
  refused(() => serve(() => here()), "ERR_STATE", /^serve: expected to run in a worker/);
  refused(() => serve(any(1)), "ERR_OPTION", /^serve: expected a function that makes a model, got number$/);
  refused(
    () => serve(() => here(), any({ callbacks: 1 })),
    "ERR_OPTION",
    /^serve: expected a list of callbacks, got number$/,
  );
});

remotely("an array that was handed over is refused the second time, by name", async (remote) => {
  const data = x.data.slice();
  await remote.predict({ data, shape: x.shape }, { transfer: true } as never);
  assert.is(data.length, 0);
  await rejected(
    remote.predict({ data, shape: x.shape }),
    "ERR_VALUE",
    /^predict: expected numbers, got an array whose buffer was transferred$/,
  );
  await remote.predict(x);
});

test("junk on the port is left alone", async () => {
  const worker = new Worker(FILE);
  const port = await new Promise<MessagePort>((resolve) => {
    const hello = (): void => worker.postMessage({ gatewise: "hello", version: 1, id: "a", data: undefined });
    worker.on("message", (message) => (message.gatewise === "port" ? resolve(message.port) : hello()));
    hello();
  });
  for (const junk of [null, 7, "x", {}, { id: 1 }, { id: "a", abort: true }, { id: 2, target: 0, method: 3, args: [] }])
    port.postMessage(junk);
  const answer = new Promise<any>((resolve) => {
    port.onmessage = ({ data }) => void (data.id === 5 && resolve(data));
  });
  port.postMessage({ id: 5, target: 0, method: "predict", args: [x], events: false });
  assert.is((await answer).result.data.length, ROWS * T);
  port.close();
  await worker.terminate();
});

test("a worker that never serves has a time limit", async () => {
  const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
  const start = performance.now();
  await rejected(connect(worker, { timeout: 200 }), "ERR_WORKER", /calls serve, got no answer in 200 ms; give more/);
  assert.ok(performance.now() - start < 5000);
  await worker.terminate();
  await rejected(connect(FILE, { timeout: 0 }), "ERR_OPTION", /timeout in milliseconds, got 0/);
});

test.run();
