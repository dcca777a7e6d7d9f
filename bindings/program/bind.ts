/** Recorded calls with their addresses: what a replay runs. */
import {
  isOperand,
  isRepeat,
  type Argument,
  type Call,
  type Recorded,
  type Repeat,
  type Storage,
} from "../graph/ir.ts";
import type { Derived } from "../graph/parameter.ts";
import type { Backend } from "../runtime/backend.ts";
import type { Bound, Moving } from "../runtime/replay.ts";
import type { Layout } from "./layout.ts";

/** A loop around the calls that are bound, and what of them moves with its steps. */
interface Around {
  readonly repeat: Repeat;
  readonly moving: Moving[];
}

/** How far an argument goes from one step of the loop to the next in order. */
function advance(arg: Argument, { loop }: Repeat, stride: Layout["stride"]): number {
  if (typeof arg === "number") return 0;
  if (!isOperand(arg)) return arg.moves.find((move) => move.loop === loop)?.by ?? 0;
  return arg.move?.loop === loop ? arg.move.by : stride(arg.storage, loop);
}

/**
 * @param address  where each storage lies
 * @param stride   between its places for the steps of a loop
 */
export function bind(
  { kernels }: Backend,
  calls: readonly Recorded[],
  address: (storage: Storage) => number,
  stride: Layout["stride"],
): Bound[] {
  const bindCall = ({ kernel, args }: Call, loops: readonly Around[]): Bound => {
    const values = args.map((arg) =>
      typeof arg === "number" ? arg : isOperand(arg) ? address(arg.storage) + arg.offset : arg.first,
    );
    for (const { repeat, moving } of loops) {
      const {
        reversed,
        loop: { count },
      } = repeat;
      args.forEach((arg, index) => {
        const by = advance(arg, repeat, stride);
        if (by === 0) return;
        if (reversed) values[index] += by * (count - 1);
        moving.push({ args: values, index, by: reversed ? -by : by });
      });
    }
    return { kernel, fn: kernels[kernel] as Bound["fn"], args: values, steps: undefined };
  };
  const bindAll = (list: readonly Recorded[], loops: readonly Around[]): Bound[] =>
    list.map((entry) => {
      if (!isRepeat(entry)) return bindCall(entry, loops);
      const moving: Moving[] = [];
      const calls = bindAll(entry.calls, [...loops, { repeat: entry, moving }]);
      return { kernel: "", fn: nothing, args: [], steps: { count: entry.loop.count, calls, moving } };
    });
  return bindAll(calls, []);
}

const nothing = (): void => {};

/** Gives each of these a block of memory, and their calls the addresses: they read and write only what has its place. */
export function placeDerived(backend: Backend, fresh: readonly Derived[], ptrs: readonly number[]): void {
  fresh.forEach((derived, i) =>
    derived.place(ptrs[i], (calls) =>
      bind(
        backend,
        calls,
        (storage) => storage.ptr!,
        () => 0,
      ),
    ),
  );
}
