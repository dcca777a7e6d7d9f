/** Recorded calls with their addresses: what a replay runs. */
import {
  isOperand,
  isRepeat,
  type Argument,
  type Call,
  type Instruction,
  type Repeat,
  type Storage,
} from "../graph/ir.ts";
import type { PackedWeight } from "../graph/parameter.ts";
import type { Backend } from "../runtime/backend.ts";
import type { BoundCall, StridedArgument } from "../runtime/replay.ts";
import type { Layout } from "./layout.ts";

/** A loop around the calls that are bound, and what of them moves with its steps. */
interface Around {
  readonly repeat: Repeat;
  readonly strided: StridedArgument[];
}

/** How far an argument goes from one step of the loop to the next in order. */
function advance(arg: Argument, { loop }: Repeat, stride: Layout["stride"]): number {
  if (typeof arg === "number") return 0;
  if (!isOperand(arg)) return arg.strides.find((stride) => stride.loop === loop)?.by ?? 0;
  return arg.stride?.loop === loop ? arg.stride.by : stride(arg.storage, loop);
}

/**
 * @param address  where each storage lies
 * @param stride   between its places for the steps of a loop
 */
export function bind(
  { kernels }: Backend,
  calls: readonly Instruction[],
  address: (storage: Storage) => number,
  stride: Layout["stride"],
): BoundCall[] {
  const bindCall = ({ kernel, args }: Call, loops: readonly Around[]): BoundCall => {
    const values = args.map((arg) =>
      typeof arg === "number" ? arg : isOperand(arg) ? address(arg.storage) + arg.offset : arg.first,
    );
    for (const { repeat, strided } of loops) {
      const {
        reversed,
        loop: { count },
      } = repeat;
      args.forEach((arg, index) => {
        const by = advance(arg, repeat, stride);
        if (by === 0) return;
        if (reversed) values[index] += by * (count - 1);
        strided.push({ args: values, index, by: reversed ? -by : by });
      });
    }
    return { kernel, fn: kernels[kernel] as BoundCall["fn"], args: values, loop: undefined };
  };
  const bindAll = (list: readonly Instruction[], loops: readonly Around[]): BoundCall[] =>
    list.map((entry) => {
      if (!isRepeat(entry)) return bindCall(entry, loops);
      const strided: StridedArgument[] = [];
      const calls = bindAll(entry.calls, [...loops, { repeat: entry, strided }]);
      return { kernel: "", fn: nothing, args: [], loop: { count: entry.loop.count, calls, strided } };
    });
  return bindAll(calls, []);
}

const nothing = (): void => {};

/** Gives each of these a block of memory, and their calls the addresses: they read and write only what has its place. */
export function placePackedWeights(backend: Backend, fresh: readonly PackedWeight[], ptrs: readonly number[]): void {
  fresh.forEach((packed, i) =>
    packed.place(ptrs[i], (calls) =>
      bind(
        backend,
        calls,
        (storage) => storage.ptr!,
        () => 0,
      ),
    ),
  );
}
