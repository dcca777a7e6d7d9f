/** Where temporaries lie: dead calls go, values that meet are apart, those that do not share. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layOut, liveCalls } from "../../bindings/program/layout.ts";
import { Storage, type Loop, type Operand, type Call, type KernelName, type Repeat } from "../../bindings/graph/ir.ts";

const test = suite("layout");

/** Random call lists over a few storages: the first are kept, the last lie in the heap for good. */
const STORAGES = 12;
const calls = fc.array(
  fc.array(fc.record({ storage: fc.nat(STORAGES - 1), reads: fc.boolean(), writes: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  }),
  { maxLength: 40 },
);
const programs = fc.record({
  calls,
  sizes: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: STORAGES, maxLength: STORAGES }),
  kept: fc.nat(3),
});

function build({
  calls,
  sizes,
  kept,
}: {
  calls: { storage: number; reads: boolean; writes: boolean }[][];
  sizes: number[];
  kept: number;
}): { list: Call[]; storages: Storage[]; keep: Set<Storage> } {
  const storages = sizes.map((bytes, i) => new Storage(bytes, i === STORAGES - 1 ? { ptr: 4096 } : {}));
  const list = calls.map((operands) => ({
    kernel: "f32_copy" as KernelName,
    scope: "",
    args: operands.map(({ storage, reads, writes }): Operand => ({
      storage: storages[storage],
      offset: 0,
      reads,
      writes,
    })),
  }));
  return { list, storages, keep: new Set(storages.slice(0, kept)) };
}

const operandsOf = (call: Call): Operand[] => call.args as Operand[];

test("keeps exactly the calls that something kept depends on", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const { list, keep } = build(program);
      const live = new Set(liveCalls(list, keep));
      list.forEach((call, i) => {
        const later = list.slice(i + 1).filter((other) => live.has(other));
        const needed = operandsOf(call).some(
          ({ storage, writes }) =>
            writes &&
            (storage.ptr !== undefined ||
              keep.has(storage) ||
              later.some((other) => operandsOf(other).some((operand) => operand.reads && operand.storage === storage))),
        );
        assert.is(live.has(call), needed, `call ${i}`);
      });
      assert.equal(
        [...live],
        list.filter((call) => live.has(call)),
        "in their order",
      );
    }),
    { numRuns: 300 },
  );
});

/** First and last call that names a storage. */
function lifetime(list: readonly Call[], storage: Storage): [number, number] {
  const uses = [...list.keys()].filter((i) => operandsOf(list[i]).some((operand) => operand.storage === storage));
  return [uses[0], uses.at(-1)!];
}

test("puts no two values alive at one time in one place", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const { list, storages, keep } = build(program);
      const { offsets, bytes } = layOut(list, keep, true);
      const placed = storages.filter((storage) => offsets.has(storage));
      for (const storage of storages) {
        const used = list.some((call) => operandsOf(call).some((operand) => operand.storage === storage));
        assert.is(offsets.has(storage), storage.ptr === undefined && (used || keep.has(storage)));
      }
      for (const a of placed) {
        assert.ok(offsets.get(a)! % 16 === 0 && offsets.get(a)! + a.bytes <= bytes);
        for (const b of placed) {
          if (a === b || a.bytes === 0 || b.bytes === 0) continue;
          const [[firstA, lastA], [firstB, lastB]] = [a, b].map((storage) =>
            keep.has(storage) ? [-1, Infinity] : lifetime(list, storage),
          );
          const meet = firstA <= lastB && firstB <= lastA;
          const [at, other] = [offsets.get(a)!, offsets.get(b)!];
          assert.ok(!meet || at + a.bytes <= other || other + b.bytes <= at, "two values alive at once overlap");
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("shares nothing where everything is to be looked at", () => {
  fc.assert(
    fc.property(programs, (program) => {
      const { list, storages, keep } = build(program);
      const { offsets } = layOut(list, keep, false);
      const placed = storages
        .filter((storage) => offsets.has(storage) && storage.bytes > 0)
        .sort((a, b) => offsets.get(a)! - offsets.get(b)!);
      placed
        .slice(1)
        .forEach((storage, i) => assert.ok(offsets.get(placed[i])! + placed[i].bytes <= offsets.get(storage)!));
    }),
  );
});

test("a chain needs two places, however long", () => {
  const storages = Array.from({ length: 50 }, () => new Storage(1000));
  const list = storages.slice(1).map((storage, i): Call => ({
    kernel: "f32_copy",
    scope: "",
    args: [
      { storage: storages[i], offset: 0, reads: true, writes: false },
      { storage, offset: 0, reads: false, writes: true },
    ],
  }));
  assert.is(layOut(list, new Set(), true).bytes, 2 * 1024);
  assert.is(layOut(list, new Set(), false).bytes, 50 * 1024);
});

const reading = (storage: Storage): Operand => ({ storage, offset: 0, reads: true, writes: false });
const writing = (storage: Storage): Operand => ({ storage, offset: 0, reads: false, writes: true });
const copy = (from: Storage, to: Storage): Call => ({
  kernel: "f32_copy",
  scope: "",
  args: [reading(from), writing(to)],
});

test("a step keeps what the next one reads", () => {
  const [kept, carried, dead] = [new Storage(64), new Storage(64), new Storage(64)];
  const loop: Loop = { count: 3, outer: undefined, depth: 0 };
  const made = new Storage(64, { loop });
  const calls = [copy(carried, kept), copy(made, carried), copy(kept, made), copy(kept, dead)];
  const [{ calls: live }] = liveCalls([{ loop, reversed: false, calls }], new Set([kept])) as Repeat[];
  assert.equal(live, calls.slice(0, 3), "the second is read by the next step, the third by the second");
  assert.equal(liveCalls([{ loop, reversed: false, calls: [copy(carried, dead)] }], new Set([kept])), []);
});

test("what a step makes has a place for each step only where something else wants it", () => {
  const outer: Loop = { count: 5, outer: undefined, depth: 0 };
  const inner: Loop = { count: 3, outer, depth: 1 };
  const source = new Storage(64);
  const [own, passed, shown, every] = Array.from({ length: 4 }, () => new Storage(64, { loop: inner }));
  const [after, sum] = [new Storage(64, { loop: outer }), new Storage(64)];
  const steps = {
    loop: inner,
    reversed: false,
    calls: [copy(source, own), copy(own, passed), copy(own, shown), copy(own, every)],
  };
  const back = { loop: inner, reversed: true, calls: [copy(passed, sum)] };
  const calls = [
    copy(sum, source),
    { loop: outer, reversed: false, calls: [steps, back, copy(shown, after)] },
    copy(every, sum),
    copy(after, sum),
  ];
  const { offsets, bytes, stride } = layOut(calls, new Set([sum]), true);
  const strides = (storage: Storage): number[] => [stride(storage, inner), stride(storage, outer)];
  assert.equal([own, passed, shown, every, after, source, sum].map(strides), [
    [0, 0],
    [64, 0],
    [64, 0],
    [64, 192],
    [0, 64],
    [0, 0],
    [0, 0],
  ]);
  const sizes = new Map([
    [own, 64],
    [passed, 192],
    [shown, 192],
    [every, 960],
    [after, 320],
    [source, 64],
  ]);
  const placed = [...sizes]
    .map(([storage, size]) => [offsets.get(storage)!, offsets.get(storage)! + size])
    .sort(([a], [b]) => a - b);
  assert.ok(placed.every(([, end]) => end <= bytes));
  // all but `own` and what is read after it are needed in every step: nothing lies on them
  for (const storage of [passed, shown, every, after, source]) {
    const [from, to] = [offsets.get(storage)!, offsets.get(storage)! + sizes.get(storage)!];
    for (const [other, size] of sizes)
      assert.ok(other === storage || offsets.get(other)! >= to || offsets.get(other)! + size <= from);
  }
});

test.run();
