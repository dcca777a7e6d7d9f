/** Where the temporaries of a program lie: calls nobody needs are dropped, and bytes are shared by values that never meet. */
import { FreeList } from "../runtime/arena.ts";
import {
  isOperand,
  isRepeat,
  type Call,
  type Loop,
  type Operand,
  type Instruction,
  type Repeat,
  type Storage,
} from "../graph/ir.ts";

const operands = (call: Call): Operand[] => call.args.filter(isOperand);

const temporary = (storage: Storage): boolean => !storage.pinned && storage.ptr === undefined;

/**
 * The calls that lead to something kept: they write a storage of `kept` or one that outlives the program, or a later live
 * call reads what they write. In a loop, any call of the next step is a later one.
 */
export function liveCalls<R extends Instruction>(calls: readonly R[], kept: ReadonlySet<Storage>): R[] {
  return wantedCalls(calls, new Set(kept)) as R[];
}

/** Those of `calls` that lead to something wanted, which they add to. */
function wantedCalls(calls: readonly Instruction[], wanted: Set<Storage>): Instruction[] {
  const live: Instruction[] = [];
  for (let i = calls.length - 1; i >= 0; i--) {
    const call = calls[i];
    if (isRepeat(call)) {
      const step = wantedSteps(call, wanted);
      if (step.length > 0) live.push({ ...call, calls: step });
      continue;
    }
    const all = operands(call);
    if (!all.some(({ writes, storage }) => writes && (!temporary(storage) || wanted.has(storage)))) continue;
    live.push(call);
    for (const { storage, reads } of all) if (reads) wanted.add(storage);
  }
  return live.reverse();
}

/** What a step reads may have been written by the step before: until nothing more is wanted. */
function wantedSteps({ calls }: Repeat, wanted: Set<Storage>): Instruction[] {
  for (;;) {
    const { size } = wanted;
    const live = wantedCalls(calls, wanted);
    if (wanted.size === size) return live;
  }
}

/** A loop's step, or the whole, with its place among all calls, which are numbered through. */
interface Span {
  readonly outer: Span | undefined;
  readonly depth: number;
  first: number;
  last: number;
}

/** Visits every call with its number and the span that it is in. */
function eachCall(
  calls: readonly Instruction[],
  visit: (call: Call, at: number, span: Span) => void,
  spans: Map<Instruction, Span>,
): void {
  let at = 0;
  const walk = (list: readonly Instruction[], span: Span): void => {
    for (const entry of list) {
      if (!isRepeat(entry)) {
        visit(entry, at++, span);
        continue;
      }
      let inner = spans.get(entry);
      if (!inner) spans.set(entry, (inner = { outer: span, depth: span.depth + 1, first: at, last: at }));
      walk(entry.calls, inner);
      inner.last = at - 1;
    }
  };
  walk(calls, ROOT);
}

const ROOT: Span = { outer: undefined, depth: 0, first: 0, last: Infinity };

/** The innermost span around both. */
function around(a: Span, b: Span): Span {
  while (a !== b) {
    if (a.depth >= b.depth) a = a.outer!;
    else b = b.outer!;
  }
  return a;
}

/** The calls between which a storage is needed. */
interface Lifetime {
  /** The innermost span that holds all of them. */
  home: Span;
  first: number;
  last: number;
}

/** Lifetimes of temporaries. One that is used in a loop and around it is needed in all steps, and so in all of the loop. */
function lifetimes(calls: readonly Instruction[], kept: ReadonlySet<Storage>): Map<Storage, Lifetime> {
  const lives = new Map<Storage, Lifetime>();
  const spans = new Map<Instruction, Span>();
  eachCall(
    calls,
    (call, at, span) => {
      for (const { storage } of operands(call)) {
        const life = lives.get(storage);
        if (life) life.home = around(life.home, span);
        else if (temporary(storage) && !kept.has(storage)) lives.set(storage, { home: span, first: at, last: at });
      }
    },
    spans,
  );
  eachCall(
    calls,
    (call, at, span) => {
      for (const { storage } of operands(call)) {
        const life = lives.get(storage);
        if (!life) continue;
        let [first, last] = [at, at];
        for (let part = span; part !== life.home; part = part.outer!) [first, last] = [part.first, part.last];
        life.first = Math.min(life.first, first);
        life.last = Math.max(life.last, last);
      }
    },
    spans,
  );
  return lives;
}

/** What a call, or any call of a loop, reads and writes. */
const allOperands = (entry: Instruction): Operand[] =>
  isRepeat(entry) ? entry.calls.flatMap(allOperands) : operands(entry);

/** Those of `calls` that lead to some storages, and nothing else; loops whole. */
export function callsFor(calls: readonly Instruction[], wanted: ReadonlySet<Storage>): Instruction[] {
  const missing = new Set(wanted);
  const found: Instruction[] = [];
  for (let i = calls.length - 1; i >= 0; i--) {
    const all = allOperands(calls[i]);
    if (!all.some(({ writes, storage }) => writes && missing.has(storage))) continue;
    found.push(calls[i]);
    for (const { storage, reads } of all) if (reads) missing.add(storage);
  }
  return found.reverse();
}

/** Offsets of the storages of a program relative to the start of its block. */
export interface Layout {
  readonly offsets: Map<Storage, number>;
  readonly bytes: number;
  /** Bytes from a storage's place for one step of a loop to that for the next: 0 where all steps have the same. */
  stride(storage: Storage, loop: Loop): number;
}

/**
 * Kept storages one after the other, then temporaries, each in the best-fitting gap among those alive at the same time.
 *
 * @param reuse  false: every temporary keeps its own bytes (for `inspect`)
 */
export function layOut(calls: readonly Instruction[], kept: ReadonlySet<Storage>, reuse: boolean): Layout {
  const lives = lifetimes(calls, kept);
  /** Visits the loops that have a place for each step, the innermost first, and gives the bytes of all places. */
  const places = (storage: Storage, visit: (loop: Loop, bytes: number) => void = () => {}): number => {
    const depth = lives.get(storage)?.home.depth ?? 0;
    let { bytes, loop } = storage;
    for (; loop && loop.depth >= depth; loop = loop.outer) {
      visit(loop, bytes);
      bytes *= loop.count;
    }
    return bytes;
  };
  const offsets = new Map<Storage, number>();
  const list = new FreeList(0);
  for (const storage of kept) offsets.set(storage, list.take(places(storage)));

  const starting = new Map<number, Storage[]>();
  const ending = new Map<number, Storage[]>();
  const note = (table: Map<number, Storage[]>, at: number, storage: Storage): void => {
    const known = table.get(at);
    if (known) known.push(storage);
    else table.set(at, [storage]);
  };
  for (const [storage, { first, last }] of lives) {
    note(starting, first, storage);
    note(ending, last, storage);
  }
  for (const at of [...new Set([...starting.keys(), ...ending.keys()])].sort((a, b) => a - b)) {
    for (const storage of starting.get(at) ?? []) offsets.set(storage, list.take(places(storage)));
    if (reuse) for (const storage of ending.get(at) ?? []) list.give(offsets.get(storage)!, places(storage));
  }
  const stride = (storage: Storage, loop: Loop): number => {
    let found = 0;
    places(storage, (own, bytes) => {
      if (own === loop) found = bytes;
    });
    return found;
  };
  return { offsets, bytes: list.end, stride };
}
