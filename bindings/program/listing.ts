/** Programs as text: what runs, in order, with its extents, the bytes it names and its multiply-adds. */
import { KERNEL_COSTS } from "../abi/kernel_costs.ts";
import { isOperand, isRepeat, type Argument, type Call, type Instruction, type Operand } from "../graph/ir.ts";
import type { ProgramPlan } from "./program.ts";

/** What some calls take together. */
interface Cost {
  calls: number;
  bytes: number;
  multiplyAdds: number;
}

/** A line: a heading, or a call with its numbers. */
type Line = readonly [text: string, extentsOrCalls?: string, bytes?: string, multiplyAdds?: string];

const count = (n: number): string => n.toLocaleString("en-US");

const titleOf = (scope: string): string => scope || "(outside of layers)";

/** Bytes of an array from where the kernel starts in it; of a step's part where the whole is cut into parts. */
const bytesNamed = ({ storage, offset, stride }: Operand): number =>
  stride ? Math.abs(stride.by) : storage.bytes - offset;

/** Numbers as they are, 1 for what is there and has no value yet. */
const valueOf = (arg: Argument): number => (typeof arg === "number" ? arg : 1);

function costOf({ kernel, args }: Call): Cost {
  const named = new Map(args.filter(isOperand).map((operand) => [operand.storage, bytesNamed(operand)]));
  const bytes = [...named.values()].reduce((sum, each) => sum + each, 0);
  return { calls: 1, bytes, multiplyAdds: KERNEL_COSTS[kernel].multiplyAdds(...args.map(valueOf)) };
}

function extentsOf({ kernel, args }: Call): string {
  return KERNEL_COSTS[kernel].extents
    .flatMap((name, i) => (name === "-" ? [] : `${name} ${valueOf(args[i])}`))
    .join(", ");
}

function add(sum: Cost, { calls, bytes, multiplyAdds }: Cost, times = 1): void {
  sum.calls += calls * times;
  sum.bytes += bytes * times;
  sum.multiplyAdds += multiplyAdds * times;
}

const nothing = (): Cost => ({ calls: 0, bytes: 0, multiplyAdds: 0 });

/** Visits every call with the number of times that it runs; loops before what they repeat. */
function walk(
  instructions: readonly Instruction[],
  visit: { call(call: Call, times: number, depth: number): void; loop?(count: number, depth: number): void },
  times = 1,
  depth = 1,
): void {
  for (const entry of instructions) {
    if (!isRepeat(entry)) visit.call(entry, times, depth);
    else {
      visit.loop?.(entry.loop.count, depth);
      walk(entry.calls, visit, times * entry.loop.count, depth + 1);
    }
  }
}

function total(instructions: readonly Instruction[]): Cost {
  const sum = nothing();
  walk(instructions, { call: (call, times) => add(sum, costOf(call), times) });
  return sum;
}

/** A line for each call, below the path of its layer. */
function linesByCall(instructions: readonly Instruction[]): Line[] {
  const lines: Line[] = [];
  let scope: string | undefined;
  walk(instructions, {
    call(call, _times, depth) {
      if (call.scope !== scope) lines.push([titleOf((scope = call.scope))]);
      const { bytes, multiplyAdds } = costOf(call);
      lines.push(["  ".repeat(depth) + call.kernel, extentsOf(call), count(bytes), count(multiplyAdds)]);
    },
    loop: (steps, depth) => lines.push([`${"  ".repeat(depth)}× ${steps}`]),
  });
  return lines;
}

/** A line for each layer, in the order in which they first run. */
function linesByLayer(instructions: readonly Instruction[]): Line[] {
  const layers = new Map<string, Cost>();
  walk(instructions, {
    call(call, times) {
      if (!layers.has(call.scope)) layers.set(call.scope, nothing());
      add(layers.get(call.scope)!, costOf(call), times);
    },
  });
  return [...layers].map(([scope, { calls, bytes, multiplyAdds }]) => [
    titleOf(scope),
    count(calls),
    count(bytes),
    count(multiplyAdds),
  ]);
}

function table(lines: readonly Line[]): string[] {
  const width = (column: number): number => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  const widths = [0, 1, 2, 3].map(width);
  return lines.map(([text, extents = "", bytes = "", multiplyAdds = ""]) =>
    `${text.padEnd(widths[0])}  ${extents.padEnd(widths[1])}  ${bytes.padStart(widths[2])}  ${multiplyAdds.padStart(widths[3])}`.trimEnd(),
  );
}

const summed = ({ calls, bytes, multiplyAdds }: Cost): string =>
  `${count(calls)} calls, ${count(bytes)} bytes, ${count(multiplyAdds)} multiply-adds`;

/**
 * A program as text.
 *
 * @param by  a line for each kernel call, in order, or for each layer
 */
export function listing(title: string, plan: ProgramPlan, by: "call" | "layer"): string {
  const lines = by === "call" ? linesByCall : linesByLayer;
  const packed = plan.packedWeights.reduce((sum, { storage }) => sum + storage.bytes, 0);
  const packing = plan.packedWeights.flatMap(({ calls }) => calls);
  const head: Line = [title, by === "call" ? "extents" : "calls", "bytes", "multiply-adds"];
  const changed: Line[] = packing.length === 0 ? [] : [[""], ["when weights have changed"], ...lines(packing)];
  return [
    ...table([head, ...lines(plan.calls), ...changed]),
    "",
    `each run: ${summed(total(plan.calls))}`,
    ...(packing.length === 0 ? [] : [`when weights have changed: ${summed(total(packing))}`]),
    `memory: ${count(plan.bytes)} bytes, and ${count(packed)} for packed weights`,
  ].join("\n");
}
