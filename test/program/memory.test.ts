/** Memory that grows while programs and streams live, and memory that does not suffice. */
import * as assert from "uvu/assert";
import {
  MemoryError,
  backendInfo,
  jit,
  layers,
  losses,
  ops,
  optimizers,
  sequential,
  trainStep,
} from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { state } from "../../bindings/runtime/context.ts";
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
    const programs = state.programs.size;
    const large = { data: new Float32Array(32 * 500 * 3), shape: [32, 500, 3] };
    close();
    refusedMemory(() => m.predict(large));
    refusedMemory(() => step(large));
    refusedMemory(() => m.stream({ batch: 4000 }));
    refusedMemory(() => m.inspect(large));
    assert.is(backendInfo().memoryBytes, bytes);
    assert.is(state.programs.size, programs);
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
});
