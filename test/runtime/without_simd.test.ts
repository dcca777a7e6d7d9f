/** An engine without SIMD, and one without WebAssembly: the reference takes over, with one warning. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { backendInfo, init, initSync, layers, sequential } from "../../bindings/index.ts";
import { warnings } from "../support/collect.ts";
import { floats } from "../support/models.ts";
import { refused, rejected } from "../support/refused.ts";

const test = suite("without SIMD");

const { WebAssembly: engine } = globalThis;
const without = (replacement: unknown): void =>
  void Object.defineProperty(globalThis, "WebAssembly", { value: replacement, configurable: true, writable: true });
test.after.each(() => without(engine));

const lacking = Object.create(engine, { validate: { value: () => false } }) as unknown;

test("auto falls back to the reference with exactly one warning", async () => {
  without(lacking);
  const given = await warnings(async () => {
    const model = sequential([layers.gru({ units: 2 })], { inputShape: [null, 3] }); // chooses by itself
    assert.is(backendInfo().build, "reference");
    assert.equal(model.predict(floats([1, 4, 3])).shape, [1, 2]);
    model.dispose();
    await init();
    initSync();
  });
  assert.equal(given, [
    "gatewise: this engine has no WebAssembly SIMD; " +
      "running on the plain TypeScript reference, which is many times slower",
  ]);
  assert.equal(backendInfo(), { build: "reference", simd: false, relaxed: false, threads: 1, memoryBytes: 0 });
});

test("the reference by name is not warned of", async () => {
  without(lacking);
  assert.equal(await warnings(() => initSync({ build: "reference" })), []);
});

test("a build that was named throws", async () => {
  without(lacking);
  refused(
    () => initSync({ build: "simd" }),
    "ERR_UNSUPPORTED",
    /^init: expected an engine with simd for build "simd", got one without$/,
  );
  await rejected(
    init({ build: "relaxed" }),
    "ERR_UNSUPPORTED",
    /^init: expected an engine with simd and madd for build "relaxed", got one without$/,
  );
});

test("an engine without WebAssembly at all runs the reference", () => {
  without(undefined);
  initSync();
  assert.is(backendInfo().build, "reference");
  const model = sequential([layers.lstm({ units: 2 })], { inputShape: [null, 3] });
  model.compile({ loss: "mse" });
  assert.ok(Number.isFinite(model.trainOnBatch(floats([2, 4, 3]), floats([2, 2])).loss));
});

test.run();
