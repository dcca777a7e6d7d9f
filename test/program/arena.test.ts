/** Blocks of memory: never two in one place, nothing lost. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ARENA_BASE } from "../../bindings/abi/memory.ts";
import { Arena, FreeList } from "../../bindings/runtime/arena.ts";
import { Heap, PlainMemory } from "../../bindings/runtime/heap.ts";
import { MemoryError } from "../../bindings/base/errors.ts";

const LINE = 64;

/** Sizes to take (positive), and which of those held to give back (the others). */
const history = fc.array(fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: -40, max: -1 })), {
  maxLength: 120,
});

/** Plays a history, checking after each step that what is held does not overlap. */
function play(list: FreeList, steps: readonly number[]): { at: number; bytes: number }[] {
  const held: { at: number; bytes: number }[] = [];
  for (const step of steps) {
    if (step >= 0) {
      const found = list.find(step);
      const at = list.take(step);
      assert.is(at, found, "find says where take will be");
      held.push({ at, bytes: step });
    } else if (held.length > 0) {
      const [{ at, bytes }] = held.splice(-step % held.length, 1);
      list.give(at, bytes);
    }
    const sorted = [...held].sort((a, b) => a.at - b.at);
    sorted.forEach(({ at, bytes }, i) => {
      assert.is(at % LINE, 0, "alignment");
      assert.ok(at + bytes <= (sorted[i + 1]?.at ?? list.end), "overlap");
    });
  }
  return held;
}

const lists = suite("FreeList");

lists("holds no two blocks in one place, and gives everything back", () => {
  fc.assert(
    fc.property(history, (steps) => {
      const list = new FreeList(0);
      for (const { at, bytes } of play(list, steps)) list.give(at, bytes);
      // in one piece again: as much as there ever was fits without growing
      const end = Math.max(list.end, LINE);
      assert.is(list.take(end), 0);
      assert.is(list.end, end);
    }),
    { numRuns: 300 },
  );
});

lists("takes the smallest gap that fits, and joins neighbours", () => {
  const list = new FreeList(0);
  const [a, b, c, d, e] = [256, 64, 128, 64, 64].map((bytes) => list.take(bytes));
  list.give(a, 256);
  list.give(c, 128);
  assert.is(list.take(100), c);
  list.give(c, 100);
  list.give(b, 64);
  assert.is(list.take(448), a, "a, b and c are one");
  list.give(a, 448);
  list.give(d, 64);
  list.give(e, 64);
  assert.is(list.take(1000), 0, "a gap at the end grows");
  assert.is(list.end, 1024);
});

lists("gives empty blocks a place of their own", () => {
  const list = new FreeList(0);
  const [empty, full] = [list.take(0), list.take(64)];
  assert.is.not(empty, full);
  list.give(empty, 0);
  list.give(full, 64);
  assert.is(list.take(128), 0);
  assert.is(list.end, 128);
});

lists.run();

const arenas = suite("Arena");

arenas("zeroes what it hands out again, and counts bytes", () => {
  const heap = new Heap(new PlainMemory());
  const arena = new Arena(heap);
  const first = arena.alloc(100);
  assert.is(arena.bytes, 128);
  heap.u8(first, 100).fill(7);
  arena.free(first);
  assert.is(arena.bytes, 0);
  const second = arena.alloc(90);
  assert.is(second, first);
  assert.ok(heap.u8(second, 90).every((byte) => byte === 0));
  assert.ok(second >= ARENA_BASE);
  arena.free(second);
  assert.throws(() => arena.free(second), /expected a block's pointer/);
});

arenas("keeps blocks apart and contents through growth", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 90000 }), { maxLength: 20 }), (sizes) => {
      const heap = new Heap(new PlainMemory());
      const arena = new Arena(heap);
      const blocks = sizes.map((bytes, i) => {
        const ptr = arena.alloc(bytes);
        heap.u8(ptr, bytes).fill(i + 1);
        return { ptr, bytes };
      });
      blocks.forEach(({ ptr, bytes }, i) => assert.ok(heap.u8(ptr, bytes).every((byte) => byte === i + 1)));
      blocks.forEach(({ ptr }) => arena.free(ptr));
      assert.is(arena.bytes, 0);
      assert.ok(sizes.length === 0 || arena.alloc(blocks.reduce((sum, { bytes }) => sum + bytes, 0)) === blocks[0].ptr);
    }),
    { numRuns: 50 },
  );
});

/** Memory that refuses to grow beyond a number of pages. */
class SmallMemory extends PlainMemory {
  private readonly pages: number;

  constructor(pages: number) {
    super();
    this.pages = pages;
  }

  override grow(pages: number): number {
    if (this.buffer.byteLength / 65536 + pages > this.pages) throw new RangeError("refused");
    return super.grow(pages);
  }
}

arenas("says how much was asked and what is left, and stays as it was", () => {
  const heap = new Heap(new SmallMemory(3));
  const arena = new Arena(heap);
  const kept = arena.alloc(1000);
  heap.u8(kept, 1000).fill(9);
  const { generation } = heap;
  let error: MemoryError | undefined;
  try {
    arena.alloc(300000);
  } catch (thrown) {
    error = thrown as MemoryError;
  }
  assert.instance(error, MemoryError);
  assert.is(error!.code, "ERR_MEMORY");
  assert.match(
    error!.message,
    /^memory: expected room for \d+ more bytes, got a refusal at 65536 bytes; use a smaller batch/,
  );
  assert.ok(error!.requested >= 250000 && error!.requested < 320000, String(error!.requested));
  assert.is(error!.available, 2 ** 32 - 65536);
  assert.is(arena.bytes, 1024);
  assert.is(heap.generation, generation);
  assert.ok(heap.u8(kept, 1000).every((byte) => byte === 9));
  const near = arena.alloc(170000 - 20000);
  assert.ok(near > kept, "what fits exactly is granted though half as much again is refused");
});

arenas("hands out several blocks or none", () => {
  const heap = new Heap(new SmallMemory(3));
  const arena = new Arena(heap);
  assert.throws(
    () => arena.allocAll([1000, 2000, 300000]),
    (error: unknown) => error instanceof MemoryError,
  );
  assert.is(arena.bytes, 0);
  const [first, second] = arena.allocAll([1000, 2000]);
  assert.ok(second >= first + 1000);
  assert.is(arena.bytes, 1024 + 2048);
});

arenas("refuses what no address reaches", () => {
  const arena = new Arena(new Heap(new PlainMemory()));
  assert.throws(
    () => arena.alloc(2 ** 33),
    (error: unknown) => error instanceof MemoryError && error.requested > 2 ** 32,
  );
  assert.is(arena.bytes, 0);
});

arenas.run();
