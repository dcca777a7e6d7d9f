/** Memory that grows while programs and streams live, and memory that does not suffice. */
import * as assert from "uvu/assert";
import {
  MemoryError,
  backendInfo,
  jit,
  layers,
  loadModel,
  losses,
  ops,
  optimizers,
  sequential,
  trainStep,
} from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { currentBackend } from "../../bindings/runtime/context.ts";
import type { Backend } from "../../bindings/runtime/backend.ts";
import { loadSync } from "../../bindings/runtime/load.ts";
import { eachBackend, use } from "../support/backends.ts";
import { real, same } from "../support/numbers.ts";

const refusedMemory = (run: () => unknown): void => {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  assert.instance(error, MemoryError, String(error));
  assert.is((error as MemoryError).code, "ERR_MEMORY");
  assert.match(
    (error as MemoryError).message,
    /expected room for \d+ more bytes, got a refusal at \d+ bytes; use a smaller batch, shorter sequences or fewer units/,
  );
};

const model = () =>
  sequential([layers.lstm({ units: 8, returnSequences: true }), layers.dense({ units: 2 })], {
    inputShape: [null, 3],
    seed: 1,
  });

/** A model, a function, a training step and a stream, and what they give. */
function everything() {
  const m = model();
  const trained = model();
  const stream = m.stream({ block: 4 });
  const fn = jit(m, (x: Tensor, y: Tensor) => ops.add(m.call(x), y));
  const step = trainStep(trained, optimizers.adam(), (x: Tensor, y: Tensor) =>
    losses.meanSquaredError()(y, trained.call(x)),
  );
  const x = { data: real(2 * 5 * 3, 1), shape: [2, 5, 3] };
  const y = { data: real(2 * 5 * 2, 2), shape: [2, 5, 2] };
  const frames = real(7 * 3, 3);
  return {
    run: (): number[][] => {
      stream.reset();
      return [
        [...m.predict(x).data],
        [...fn(x, 0.5).data],
        [step(x, y).value],
        [...stream.step(frames.subarray(0, 3))],
        [...stream.process(frames)],
      ];
    },
    dispose: (): void => {
      m.dispose();
      trained.dispose();
    },
  };
}

eachBackend("memory that grows", (test, build) => {
  test("moves under living programs, ports and streams, and none of them notices", () => {
    const fresh = (): Backend => loadSync({ build });
    use(fresh());
    const still = everything();
    const expected = [1, 2, 3].map(() => still.run());
    const moving = fresh();
    use(moving);
    const moved = everything();
    const results = expected.map((_, i) => {
      const { generation } = moving.heap;
      moving.heap.grow(moving.heap.byteLength + 65536 * (i + 1));
      assert.is(moving.heap.generation, generation + 1);
      return moved.run();
    });
    assert.equal(results, expected);
    still.dispose();
    moved.dispose();
  });
});

/** A backend whose heap refuses to grow once told so. */
function limited(build: Backend["build"]): { backend: Backend; close(): void; open(): void } {
  const backend = loadSync({ build });
  const { heap } = backend;
  const { grow } = heap;
  return {
    backend,
    close: () => {
      heap.grow = (bytes) => {
        if (bytes > heap.byteLength)
          throw new MemoryError(
            `memory: expected room for ${bytes - heap.byteLength} more bytes, ` +
              `got a refusal at ${heap.byteLength} bytes; ` +
              "use a smaller batch, shorter sequences or fewer units",
            bytes - heap.byteLength,
            0,
          );
      };
    },
    open: () => {
      heap.grow = grow;
    },
  };
}

eachBackend("memory that does not suffice", (test, build, shared) => {
  test.after.each(() => use(shared));

  test("for the weights of a model: nothing is left of it", () => {
    const before = backendInfo().memoryBytes;
    refusedMemory(() => sequential([layers.lstm({ units: 60000 })], { inputShape: [null, 10] }));
    assert.is(backendInfo().memoryBytes, before);
    const lazy = sequential([layers.dense({ units: 70000 }), layers.dense({ units: 70000 })]);
    refusedMemory(() => lazy.predict([[1, 2]]));
    assert.not.ok(lazy.built);
    assert.is(backendInfo().memoryBytes, before);
    lazy.dispose();
  });

  test("for the first batch: the model is as new, and fits a smaller one", () => {
    const { backend, close } = limited(build);
    use(backend);
    const make = () => sequential([layers.gru({ units: 8 }), layers.dense({ units: 2 })], { seed: 1 });
    const [m, reference] = [make(), make()];
    const small = { data: real(2 * 5 * 3, 1), shape: [2, 5, 3] };
    const expected = reference.predict(small);
    reference.dispose();
    close();
    refusedMemory(() => m.predict({ data: new Float32Array(32 * 500 * 3), shape: [32, 500, 3] }));
    assert.not.ok(m.built);
    assert.is(m.countParams(), 0);
    assert.is(backendInfo().memoryBytes, 0);
    assert.equal(m.predict(small), expected);
    m.dispose();
    assert.is(backendInfo().memoryBytes, 0);
  });

  test("for a batch: the model predicts and trains on as before", () => {
    const { backend, close, open } = limited(build);
    use(backend);
    const m = model();
    const x = { data: real(2 * 5 * 3, 1), shape: [2, 5, 3] };
    const expected = m.predict(x).data;
    const step = trainStep(m, optimizers.sgd({ learningRate: 0 }), (a: Tensor) => ops.mean(m.call(a)));
    const { value } = step(x);
    const weights = m.getWeights();
    const bytes = backendInfo().memoryBytes;
    const large = { data: new Float32Array(32 * 500 * 3), shape: [32, 500, 3] };
    close();
    refusedMemory(() => m.predict(large));
    refusedMemory(() => step(large));
    refusedMemory(() => m.stream({ batch: 4000 }));
    refusedMemory(() => m.inspect(large));
    assert.ok(backendInfo().memoryBytes < bytes, "programs have made room");
    assert.is(currentBackend().arena.cached.size, 0);
    same(m.predict(x).data, expected);
    assert.is(step(x).value, value);
    for (const [name, { data }] of Object.entries(m.getWeights())) same(data, weights[name].data, name);
    open();
    assert.is(m.predict(large).shape[1], 500);
    m.dispose();
    assert.is(backendInfo().memoryBytes, 0);
  });

  test("for gradients and slots: a later try succeeds, and everything comes back at the end", () => {
    const { backend, close, open } = limited(build);
    use(backend);
    const m = sequential([layers.dense({ units: 256 })], { inputShape: [256], seed: 1 });
    const step = trainStep(m, optimizers.adam(), (a: Tensor) => ops.mean(ops.square(m.call(a))));
    const x = { data: real(256, 1), shape: [1, 256] };
    const weights = m.getWeights();
    close();
    refusedMemory(() => step(x));
    same(m.getWeights()["dense/kernel"].data, weights["dense/kernel"].data);
    open();
    const { value } = step(x);
    const other = sequential([layers.dense({ units: 256 })], { inputShape: [256], seed: 1 });
    assert.is(trainStep(other, optimizers.adam(), (a: Tensor) => ops.mean(ops.square(other.call(a))))(x).value, value);
    assert.equal(other.getWeights(), m.getWeights());
    m.dispose();
    other.dispose();
    assert.is(backendInfo().memoryBytes, 0);
  });

  test("for a block of a stream: nothing of the stream stays, one of single steps goes on", () => {
    const { backend, close } = limited(build);
    use(backend);
    const m = model();
    m.stream().dispose(); // what a stream of single steps needs of the model is there from now on
    close();
    const before = backendInfo().memoryBytes;
    refusedMemory(() => m.stream({ block: 20000 }));
    assert.is(backendInfo().memoryBytes, before);
    const stream = m.stream();
    const frames = real(30 * 3, 1);
    const rest = stream.process(frames).slice();
    stream.reset();
    same(stream.step(frames.subarray(0, 3)), rest.subarray(0, 2));
    m.dispose();
    assert.is(backendInfo().memoryBytes, 0);
  });

  test("but that would do without cached programs: the oldest go, one after the other", () => {
    const { backend, close } = limited(build);
    use(backend);
    const m = model();
    const batch = (rows: number) => ({ data: real(rows * 5 * 3, rows), shape: [rows, 5, 3] });
    const expected = Array.from({ length: 30 }, (_, i) => m.predict(batch(i + 1)).data);
    close();
    const { cached } = backend.arena;
    const kept = cached.size;
    for (let i = 30; i < 60; i++) m.predict(batch(i + 1));
    assert.ok(cached.size > 0 && cached.size < kept + 30, "some have gone, not all of them");
    expected.forEach((data, i) => same(m.predict(batch(i + 1)).data, data, `${i + 1} rows`));
    m.dispose();
    assert.is(backendInfo().memoryBytes, 0);
  });

  /** What must be the same whichever allocation of it is refused. */
  const uses: Record<string, (m: ReturnType<typeof model>) => unknown> = {
    predict: (m) => m.predict({ data: real(3 * 4 * 3, 5), shape: [3, 4, 3] }),
    stream: (m) => m.stream({ block: 4 }).process(real(9 * 3, 4)),
    trainOnBatch: (m) => {
      m.compile({ optimizer: "adam", loss: "mse" });
      return m.trainOnBatch({ data: real(2 * 4 * 3, 6), shape: [2, 4, 3] }, { data: real(16, 7), shape: [2, 4, 2] });
    },
    "save and load": (m) => loadModel(m.save()).getWeights(),
    quantize: (m) => m.quantize().predict({ data: real(12, 8), shape: [1, 4, 3] }),
    export: (m) => m.export({ stream: true, predict: [1, 4, 3] }).length,
  };

  for (const [name, run] of Object.entries(uses)) {
    test(`at the first, the second, … allocation of ${name}: the model is as before, and the next try succeeds`, () => {
      const backend = loadSync({ build });
      use(backend);
      const expected = run(model());
      const { heap } = backend;
      const { grow } = heap;
      for (let refused = 0; ; refused++) {
        const m = model();
        const weights = m.getWeights();
        let allocations = 0;
        heap.grow = (bytes) => {
          if (allocations++ === refused) throw new MemoryError("memory: refused by the test", bytes, 0);
          grow.call(heap, bytes);
        };
        let failed = false;
        try {
          run(m);
        } catch (error) {
          assert.instance(error, MemoryError, String(error));
          failed = true;
        } finally {
          heap.grow = grow;
        }
        if (failed) {
          assert.equal(m.getWeights(), weights, `weights after allocation ${refused}`);
          assert.equal(run(m), expected, `the next try after allocation ${refused}`);
        }
        m.dispose();
        if (allocations <= refused) break;
        assert.ok(refused < 500);
      }
    });
  }
});
