/** Blocks of memory by byte offset: a free list, and the arena that keeps one over a heap. */
import { ARENA_BASE, READ_PAST } from "../abi/memory.ts";
import type { Heap } from "./heap.ts";

/** Cache lines: no two blocks share one, and an empty block has one too. */
const ALIGN = 64;
const align = (bytes: number): number => Math.ceil(Math.max(bytes, 1) / ALIGN) * ALIGN;

/** Bytes that no memory has. */
const MOST = 2 ** 32;

/** Best-fit allocation of ranges that lie in [base, end); `end` moves up when nothing fits. */
export class FreeList {
  /** Where the used part ends. */
  end: number;
  /** Free ranges below `end`, by offset, never touching each other. */
  private free: { at: number; size: number }[] = [];

  constructor(base: number) {
    this.end = base;
  }

  /** The offset that `take` would use, without taking it. */
  find(bytes: number): number {
    const best = this.bestFit(align(bytes));
    if (best >= 0) return this.free[best].at;
    const last = this.free.at(-1);
    return last && last.at + last.size === this.end ? last.at : this.end;
  }

  take(bytes: number): number {
    const size = align(bytes);
    const best = this.bestFit(size);
    if (best >= 0) {
      const range = this.free[best];
      const at = range.at;
      range.at += size;
      range.size -= size;
      if (range.size === 0) this.free.splice(best, 1);
      return at;
    }
    const last = this.free.at(-1);
    const at = last && last.at + last.size === this.end ? this.free.pop()!.at : this.end;
    this.end = at + size;
    return at;
  }

  give(at: number, bytes: number): void {
    let size = align(bytes);
    let i = this.free.findIndex((range) => range.at > at);
    if (i < 0) i = this.free.length;
    const before = this.free[i - 1];
    if (before && before.at + before.size === at) {
      at = before.at;
      size += before.size;
      this.free.splice(--i, 1);
    }
    const after = this.free[i];
    if (after && at + size === after.at) {
      size += after.size;
      this.free.splice(i, 1);
    }
    this.free.splice(i, 0, { at, size });
  }

  private bestFit(size: number): number {
    let best = -1;
    for (let i = 0; i < this.free.length; i++) {
      const fits = this.free[i].size >= size;
      if (fits && (best < 0 || this.free[i].size < this.free[best].size)) best = i;
    }
    return best;
  }
}

/** Hands out blocks of a heap: parameters, programs, streams. */
export class Arena {
  private readonly list = new FreeList(ARENA_BASE);
  private readonly sizes = new Map<number, number>();
  private readonly heap: Heap;
  /** What may go to make room, the one used last at the end: programs that would be made again. */
  readonly cached = new Set<{ dispose(): void }>();
  /** Blocks that wait for {@link hold} to end. */
  private held: number[] | undefined;

  constructor(heap: Heap) {
    this.heap = heap;
  }

  /** Bytes handed out now. */
  get bytes(): number {
    let sum = 0;
    for (const size of this.sizes.values()) sum += size;
    return sum;
  }

  /**
   * A zeroed block. Grows the heap first, so that a refusal leaves everything as it was but for what is {@link cached}.
   *
   * @throws MemoryError when the heap cannot grow and nothing is cached any more
   */
  alloc(bytes: number): number {
    const size = align(bytes);
    this.makeRoom(size);
    const ptr = this.list.take(size);
    this.sizes.set(ptr, size);
    this.heap.u8(ptr, size).fill(0);
    return ptr;
  }

  private makeRoom(size: number): void {
    try {
      this.heap.grow(this.list.find(size) + size + READ_PAST);
    } catch (error) {
      const [oldest] = this.cached;
      if (!oldest || this.held || size > MOST) throw error;
      oldest.dispose();
      this.makeRoom(size);
    }
  }

  /** Several blocks, or none at all when one of them does not fit. */
  allocAll(sizes: readonly number[]): number[] {
    const ptrs: number[] = [];
    try {
      for (const bytes of sizes) ptrs.push(this.alloc(bytes));
    } catch (error) {
      for (const ptr of ptrs) this.free(ptr);
      throw error;
    }
    return ptrs;
  }

  free(ptr: number): void {
    const size = this.sizes.get(ptr);
    if (size === undefined) throw new Error(`arena: expected a block's pointer, got ${ptr}`);
    if (this.held) {
      this.held.push(ptr);
      return;
    }
    this.sizes.delete(ptr);
    this.list.give(ptr, size);
  }

  /** Keeps what is freed from being handed out again until the function it returns is called. */
  hold(): () => void {
    this.held ??= [];
    return () => {
      const { held = [] } = this;
      this.held = undefined;
      for (const ptr of held) this.free(ptr);
    };
  }
}
