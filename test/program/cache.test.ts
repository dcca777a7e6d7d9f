/** The cache of programs: it keeps the 64 used last; an evicted one frees its memory and is traced again. */
import * as assert from "uvu/assert";
import { backendInfo, jit, layers, ops, sequential } from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { currentBackend } from "../../bindings/runtime/context.ts";
import { eachBackend } from "../support/backends.ts";
import { same } from "../support/numbers.ts";

const KEPT = 64;

eachBackend("programs", (test) => {
  test.before.each(() => {
    for (const program of currentBackend().arena.cached) program.dispose();
  });

  /** A function of vectors, and the lengths it was traced for. */
  function tracing(): { run: (n: number) => void; traced: number[] } {
    const traced: number[] = [];
    const fn = jit(null, (x: Tensor) => {
      traced.push(x.size);
      return ops.add(x, 1);
    });
    return { traced, run: (n) => same(fn(new Float32Array(n).fill(n)).data, new Float32Array(n).fill(n + 1)) };
  }

  test("are kept up to 64, the one used longest ago goes first", () => {
    const { run, traced } = tracing();
    for (let n = 1; n <= KEPT; n++) run(n);
    for (let n = 1; n <= KEPT; n++) run(n);
    assert.is(traced.length, KEPT);
    run(1);
    run(KEPT + 1);
    assert.is(currentBackend().arena.cached.size, KEPT);
    run(1);
    assert.is(traced.length, KEPT + 1, "1 was used, so 2 went");
    run(2);
    assert.equal(traced.slice(KEPT), [KEPT + 1, 2]);
    run(3);
    assert.equal(traced.slice(KEPT), [KEPT + 1, 2, 3]);
  });

  test("give their memory back when they go", () => {
    const start = backendInfo().memoryBytes;
    const { run } = tracing();
    for (let n = 1; n <= KEPT; n++) run(n);
    const full = backendInfo().memoryBytes;
    assert.ok(full > start);
    for (let n = KEPT; n > 0; n--) run(n);
    for (let i = 0; i < 1000; i++) run(1 + ((i * 37) % (2 * KEPT)));
    assert.is(currentBackend().arena.cached.size, KEPT);
    for (let n = 1; n <= KEPT; n++) run(n);
    assert.is(backendInfo().memoryBytes, full);
    for (const program of currentBackend().arena.cached) program.dispose();
    assert.is(backendInfo().memoryBytes, start);
  });

  test("are forgotten by their function when they go", () => {
    const { run } = tracing();
    for (let n = 1; n <= 4 * KEPT; n++) run(n);
    assert.is(currentBackend().arena.cached.size, KEPT);
  });

  test("of a model go with it, streams keep theirs", () => {
    const model = sequential([layers.gru({ units: 4 })], { inputShape: [null, 3], seed: 1 });
    const before = backendInfo().memoryBytes;
    const stream = model.stream();
    const frame = Float32Array.of(1, 2, 3);
    const first = stream.step(frame).slice();
    const { run } = tracing();
    model.predict([[[1, 2, 3]]]);
    for (let n = 1; n <= 2 * KEPT; n++) run(n);
    stream.reset();
    same(stream.step(frame), first);
    same(model.predict([[[1, 2, 3]]]).data, first);
    stream.dispose();
    for (const program of currentBackend().arena.cached) program.dispose();
    // panels belong to the model and stay with it
    assert.ok(backendInfo().memoryBytes >= before);
    model.dispose();
    const other = sequential([layers.gru({ units: 4 })], { inputShape: [null, 3], seed: 1 });
    other.dispose();
    assert.is(currentBackend().arena.cached.size, 0);
  });

  test("of one model do not push out that of another that is used between", () => {
    const model = sequential([layers.dense({ units: 2 })], { inputShape: [3], seed: 1 });
    let traces = 0;
    const fn = jit(model, (x: Tensor) => {
      traces++;
      return model.call(x);
    });
    const { run } = tracing();
    for (let n = 1; n <= 3 * KEPT; n++) {
      run(n);
      fn([[1, 2, 3]]);
    }
    assert.is(traces, 1);
    model.dispose();
  });
});
