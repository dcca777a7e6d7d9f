/** Where the temporaries of a program lie: calls nobody needs are dropped, and bytes are shared by values that never meet. */
import { FreeList } from "../runtime/arena.ts";
import type { Operand, Storage } from "./tensor.ts";
import type { Call } from "./trace.ts";

const operands = (call: Call): Operand[] => call.args.filter((arg): arg is Operand => typeof arg !== "number");

const temporary = (storage: Storage): boolean => !storage.pinned && storage.ptr === undefined;

/**
 * The calls that lead to something kept: they write a storage of `kept` or one that outlives the program, or a later live
 * call reads what they write.
 */
export function liveCalls(calls: readonly Call[], kept: ReadonlySet<Storage>): Call[] {
  const wanted = new Set<Storage>(kept);
  const live: Call[] = [];
  for (let i = calls.length - 1; i >= 0; i--) {
    const call = calls[i];
    const all = operands(call);
    if (!all.some(({ writes, storage }) => writes && (!temporary(storage) || wanted.has(storage)))) continue;
    live.push(call);
    for (const { storage, reads } of all) if (reads) wanted.add(storage);
  }
  return live.reverse();
}

/** Offsets of the storages of a program relative to the start of its block. */
export interface Layout {
  readonly offsets: Map<Storage, number>;
  readonly bytes: number;
}

/**
 * Kept storages one after the other, then temporaries, each in the best-fitting gap among those alive at the same time.
 *
 * @param reuse  false: every temporary keeps its own bytes (for `inspect`)
 */
export function layOut(calls: readonly Call[], kept: ReadonlySet<Storage>, reuse: boolean): Layout {
  const offsets = new Map<Storage, number>();
  const list = new FreeList(0);
  for (const storage of kept) offsets.set(storage, list.take(storage.bytes));

  const lastUse = new Map<Storage, number>();
  calls.forEach((call, i) => {
    for (const { storage } of operands(call)) if (temporary(storage) && !kept.has(storage)) lastUse.set(storage, i);
  });
  calls.forEach((call, i) => {
    const used = new Set(operands(call).map(({ storage }) => storage).filter((storage) => lastUse.has(storage)));
    for (const storage of used) if (!offsets.has(storage)) offsets.set(storage, list.take(storage.bytes));
    if (!reuse) return;
    for (const storage of used) if (lastUse.get(storage) === i) list.give(offsets.get(storage)!, storage.bytes);
  });
  return { offsets, bytes: list.end };
}
