/** Training and evaluation on streams of batches: the same numbers as for arrays, and streams that fail. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layers, losses, optimizers, sequential, type BatchItem, type NDArray } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, sameWeights, tokens } from "../support/models.ts";
import { close } from "../support/numbers.ts";
import { refused, rejected } from "../support/refused.ts";

const x = floats([10, 4, 3]);
const y = floats([10, 1], 1);
const CUTS = [
  [0, 4],
  [4, 8],
  [8, 10],
];

function small() {
  const model = sequential([layers.gru({ units: 4 }), layers.dense({ units: 1 })], { seed: 3, inputShape: [null, 3] });
  model.compile({ loss: "mse", metrics: ["mae"], optimizer: optimizers.adam({ learningRate: 0.01 }) });
  return model;
}

const batches = (): BatchItem[] => CUTS.map(([start, end]) => [rows(x, start, end), rows(y, start, end)]);

/** The batches, and how they were asked for. */
function watched(items: readonly unknown[] = batches()): { stream: Iterable<BatchItem>; log: string[] } {
  const log: string[] = [];
  const stream = {
    [Symbol.iterator]() {
      let i = 0;
      log.push("open");
      return {
        next: () =>
          i < items.length
            ? { done: false as const, value: items[i++] as BatchItem }
            : { done: true as const, value: undefined },
        return: () => {
          log.push(`return after ${i}`);
          return { done: true as const, value: undefined };
        },
      };
    },
  };
  return { stream, log };
}

function* forever(log: string[] = []): Generator<BatchItem> {
  try {
    for (let n = 0; ; n++) yield batches()[n % 3];
  } finally {
    log.push("closed");
  }
}

async function* later(): AsyncGenerator<BatchItem> {
  for (const batch of batches()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield batch;
  }
}

eachBackend("streams of batches", (test) => {
  test("of every form train as the same batches of arrays do, bit for bit", async () => {
    const options = { epochs: 2, callbacks: [] };
    const twin = small();
    const expected = await twin.fit(x, y, {
      ...options,
      batchSize: 4,
      shuffle: false,
      validationData: [x, y],
      validationBatchSize: 4,
    });
    const forms = {
      "an iterable": watched().stream,
      "a function of a list": batches,
      *"a function of a generator"() {
        yield* batches();
      },
      "a function of an async generator": later,
    };
    for (const [what, stream] of Object.entries(forms)) {
      const model = small();
      const result = await model.fit(stream, { ...options, validationData: stream });
      assert.equal(result, expected, what);
      sameWeights(model.getWeights(), twin.getWeights(), what);
      assert.equal(await model.evaluate(stream), twin.evaluate(x, y, { batchSize: 4 }), what);
      model.dispose();
    }
    twin.dispose();
  });

  test("a generator goes on from epoch to epoch, stepsPerEpoch batches each, and is closed at the end", async () => {
    const [model, twin] = [small(), small()];
    const log: string[] = [];
    const seen: string[] = [];
    const { history } = await model.fit(forever(log), {
      epochs: 3,
      stepsPerEpoch: 2,
      validationData: forever(),
      validationSteps: 3,
      callbacks: [{ onBatchEnd: ({ epoch, batch, batches: all }) => void seen.push(`${epoch}.${batch}/${all}`) }],
    });
    assert.equal(seen, ["0.1/2", "0.2/2", "1.1/2", "1.2/2", "2.1/2", "2.2/2"]);
    assert.is(history.val_loss.length, 3);
    for (let n = 0; n < 6; n++)
      twin.trainOnBatch(rows(x, ...(CUTS[n % 3] as [number, number])), rows(y, ...(CUTS[n % 3] as [number, number])));
    sameWeights(model.getWeights(), twin.getWeights());
    assert.equal(log, ["closed"]);
    model.dispose();
    twin.dispose();
  });

  test("a batch says its own lengths, mask and weights; class weights are of all", async () => {
    const make = () => {
      const model = sequential([layers.lstm({ units: 3, returnSequences: true }), layers.dense({ units: 5 })], {
        seed: 1,
        inputShape: [null, 3],
      });
      model.compile({ loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }), metrics: ["accuracy"] });
      return model;
    };
    const labels = tokens([10, 4], 5);
    const [model, twin] = [make(), make()];
    const lengths = Int32Array.of(4, 2, 3, 1);
    const sampleWeight = Float32Array.of(1, 2, 0.5, 1);
    const [first, second] = [
      [rows(x, 0, 4), rows(labels, 0, 4)],
      [rows(x, 4, 8), rows(labels, 4, 8)],
    ] as [NDArray, NDArray<Int32Array>][];
    await model.fit(() => [
      [...first, { lengths }],
      [...second, { sampleWeight }],
    ]);
    twin.trainOnBatch(...first, { lengths });
    twin.trainOnBatch(...second, { sampleWeight });
    await model.fit(() => [first], { classWeight: { 1: 3 } });
    twin.trainOnBatch(...first, { classWeight: { 1: 3 } });
    sameWeights(model.getWeights(), twin.getWeights());
    const { loss } = await model.evaluate(() => [[...first, { lengths }]] as BatchItem[]);
    close([loss], [twin.evaluate(...first, { lengths }).loss], 1e-6);
    model.dispose();
    twin.dispose();
  });
});

const test = suite("streams that go wrong");

/** Runs fit on a stream that goes wrong, and holds that the weights are those after `good` batches. */
async function wrong(
  stream: Parameters<ReturnType<typeof small>["fit"]>[0],
  options: object,
  code: string,
  message: RegExp,
  good = 0,
): Promise<void> {
  const [model, twin] = [small(), small()];
  await rejected(model.fit(stream as never, options), code, message);
  for (const [a, b] of batches().slice(0, good)) twin.trainOnBatch(a, b);
  sameWeights(model.getWeights(), twin.getWeights());
  assert.equal(model.predict(x), twin.predict(x));
  assert.is((await model.fit(x, y)).epoch.length, 1, "trains on");
  model.dispose();
  twin.dispose();
}

test("an iterator that ends early", async () => {
  await wrong(
    watched().stream,
    { stepsPerEpoch: 5 },
    "ERR_VALUE",
    /^fit: expected 5 batches in epoch 1, got 3 before the iterator ended$/,
    3,
  );
  await wrong(
    (function* () {
      yield* batches().slice(0, 2);
    })(),
    { stepsPerEpoch: 1, epochs: 3 },
    "ERR_VALUE",
    /^fit: expected 1 batch in epoch 3, got none before the iterator ended$/,
    2,
  );
  await wrong(
    () => [],
    {},
    "ERR_VALUE",
    /^fit: expected at least one batch in epoch 1, got none before the iterator ended$/,
  );
  await wrong(
    batches,
    { validationData: () => batches().slice(0, 1), validationSteps: 2 },
    "ERR_VALUE",
    /^fit: validationData: expected 2 batches in epoch 1, got 1 before the iterator ended$/,
    3,
  );
});

test("an iterator that throws: its own error, and it is not asked again", async () => {
  const mine = new RangeError("disk");
  let asked = 0;
  let closed = 0;
  const stream = () => ({
    [Symbol.iterator]: () => ({
      next: (): IteratorResult<BatchItem> => {
        if (asked++ === 1) throw mine;
        return { done: false, value: batches()[0] };
      },
      return: () => {
        closed++;
        return { done: true as const, value: undefined };
      },
    }),
  });
  const [model, twin] = [small(), small()];
  assert.is(await model.fit(stream).catch((error: unknown) => error), mine);
  twin.trainOnBatch(...(batches()[0] as [NDArray, NDArray]));
  sameWeights(model.getWeights(), twin.getWeights());
  assert.equal([asked, closed], [2, 0]);
  async function* async(): AsyncGenerator<BatchItem> {
    yield batches()[1];
    throw mine;
  }
  assert.is(await model.fit(async()).catch((error: unknown) => error), mine);
  twin.trainOnBatch(...(batches()[1] as [NDArray, NDArray]));
  sameWeights(model.getWeights(), twin.getWeights());
  assert.is(await model.evaluate(async()).catch((error: unknown) => error), mine);
  await model.fit(x, y);
  model.dispose();
  twin.dispose();
});

test("malformed batches are named, and the iterator is closed", async () => {
  const first = batches()[0];
  const items: [unknown, string, RegExp][] = [
    [{ x, y }, "ERR_VALUE", /^fit: batch 2 of epoch 1: expected \[x, y\] or \[x, y, options\], got object$/],
    [[x], "ERR_VALUE", /^fit: batch 2 of epoch 1: expected \[x, y\] or \[x, y, options\], got a list of 1$/],
    [null, "ERR_VALUE", /^fit: batch 2 of epoch 1: .*got null$/],
    [
      [x, rows(y, 0, 3)],
      "ERR_SHAPE",
      /^fit: batch 2 of epoch 1: expected y with 10 rows as x \[10, 4, 3\], got \[3, 1\]$/,
    ],
    [
      [floats([2, 4, 5]), rows(y, 0, 2)],
      "ERR_SHAPE",
      /^gru "gru": expected input \[batch, time, 3\], got \[2, 4, 5\]$/,
    ],
    [
      [[[[1, 2, NaN]]], [1]],
      "ERR_VALUE",
      /^fit: batch 2 of epoch 1: x: expected finite numbers, got NaN at \[0, 0, 2\]$/,
    ],
    [
      [x, y, { length: [1] }],
      "ERR_OPTION",
      /^fit: batch 2 of epoch 1: expected one of the options .*, got "length", did you mean "lengths"\?$/,
    ],
    [
      [x, y, { lengths: [9, 1, 1, 1, 1, 1, 1, 1, 1, 1] }],
      "ERR_VALUE",
      /^fit: batch 2 of epoch 1: expected lengths of 0…4, got 9 for row 0$/,
    ],
  ];
  for (const [item, code, message] of items) {
    const { stream, log } = watched([first, item]);
    await wrong(stream, {}, code, message, 1);
    assert.equal(log, ["open", "return after 2"]);
  }
});

test("a callback that throws, stopTraining, an abort and a break close the iterator", async () => {
  const model = small();
  const ends: ((stream: Iterable<BatchItem>) => Promise<unknown>)[] = [
    (stream) =>
      model.fit(stream, {
        callbacks: [
          {
            onBatchEnd: () => {
              throw new Error("mine");
            },
          },
        ],
      }),
    (stream) => model.fit(stream, { callbacks: [{ onBatchEnd: (_event, m) => void (m.stopTraining = true) }] }),
    (stream) => {
      const controller = new AbortController();
      return model.fit(stream, {
        signal: controller.signal,
        callbacks: [{ onBatchEnd: () => controller.abort("stop") }],
      });
    },
    async (stream) => {
      for await (const { batch } of model.train(stream)) if (batch === 1) break;
    },
  ];
  for (const [i, end] of ends.entries()) {
    const { stream, log } = watched();
    await end(stream).catch(() => undefined);
    assert.equal(log.slice(0, 1), ["open"]);
    assert.match(log[1], /^return after [12]$/, `end ${i}`);
    model.compile({ loss: "mse" }); // refused while a training runs
  }
  model.dispose();
});

test("options that a stream leaves no room for, and streams that are none", async () => {
  const model = small();
  const before = model.getWeights();
  for (const [name, value] of Object.entries({
    batchSize: 2,
    shuffle: true,
    validationSplit: 0.5,
    lengths: [1],
    mask: [[1]],
    sampleWeight: [1],
  })) {
    await rejected(
      model.fit(batches, { [name]: value }),
      "ERR_OPTION",
      new RegExp(`^fit: expected ${name} with arrays only, got it with a stream; every batch`),
    );
  }
  refused(
    () => model.evaluate(batches, { batchSize: 2 }),
    "ERR_OPTION",
    /^evaluate: expected batchSize with arrays only, got it with a stream/,
  );
  await rejected(
    (async () => model.fit(batches as never, y, {}))(),
    "ERR_OPTION",
    /^fit: expected a stream of batches \[x, y\] and options, got a y beside them$/,
  );
  await rejected(
    model.fit(forever(), { epochs: 2 }),
    "ERR_OPTION",
    /^fit: expected stepsPerEpoch, or a function that gives the batches anew, for 2 epochs of an iterator that ends once, got neither$/,
  );
  await rejected(
    model.fit(batches, { epochs: 2, validationData: forever() }),
    "ERR_OPTION",
    /^fit: validationData: expected validationSteps, or a function/,
  );
  await rejected(
    model.fit((() => 3) as never),
    "ERR_OPTION",
    /^fit: expected a function that gives something to iterate over, got one that gives number$/,
  );
  await rejected(model.fit((async () => batches()) as never), "ERR_OPTION", /got one that gives a promise$/);
  await rejected(
    model.fit(batches, { stepsPerEpoch: 0 }),
    "ERR_OPTION",
    /^fit: expected stepsPerEpoch to be a positive integer, got 0$/,
  );
  await rejected(
    model.fit(x, y, { batchSize: 5, stepsPerEpoch: 3 }),
    "ERR_OPTION",
    /^fit: expected stepsPerEpoch of at most 2 as there are batches, got 3$/,
  );
  await rejected(
    model.fit(x, y, { validationSteps: 3 }),
    "ERR_OPTION",
    /^fit: expected validationData with validationSteps, got validationSteps 3 alone$/,
  );
  sameWeights(model.getWeights(), before);
  model.dispose();
});

test("steps of arrays: the first of each epoch's order", async () => {
  const [model, twin] = [small(), small()];
  const { history } = await model.fit(x, y, {
    batchSize: 4,
    shuffle: false,
    stepsPerEpoch: 2,
    validationSplit: 0.2,
    validationSteps: 1,
    validationBatchSize: 1,
  });
  for (const [a, b] of batches().slice(0, 2)) twin.trainOnBatch(a, b);
  sameWeights(model.getWeights(), twin.getWeights());
  close(history.val_loss, [twin.evaluate(rows(x, 8, 9), rows(y, 8, 9)).loss], 1e-6);
  close(
    [model.evaluate(x, y, { batchSize: 4, steps: 1 }).loss],
    [twin.evaluate(rows(x, 0, 4), rows(y, 0, 4)).loss],
    1e-6,
  );
  model.dispose();
  twin.dispose();
});

test.run();
