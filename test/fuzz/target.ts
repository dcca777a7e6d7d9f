/** What a target of `npm run fuzz` is, and how values are changed. */
import type { Random } from "../../bindings/base/random.ts";

/** One reader of what may come from anywhere. */
export interface Target {
  readonly name: string;
  /** Share of all inputs, by how quick it is. */
  readonly share: number;
  /** An input, from random numbers alone. */
  make(random: Random): unknown;
  /** Reads it; only errors of gatewise are to be thrown. */
  read(input: any): unknown;
  /** Bytes or characters of an input, which its time limit goes by. */
  size(input: any): number;
}

export const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)];

/** Values that readers trip over. */
const ODD: readonly unknown[] = [
  ...[null, true, 0, -1, 0.5, 1e9, 2 ** 31, 2 ** 53, 1e308, "", "x", [], {}, [[]], "__proto__", "constructor"],
  ...["\u0000", "模型", -0, [null], { length: 3 }, { layer: "lstm", config: {} }],
];

/** Changes one place somewhere in a value of JSON: another value, none, twice the list, the value of another place. */
export function changed(random: Random, value: unknown): unknown {
  if (typeof value === "object" && value !== null && random.uniform() < 0.85) {
    const keys = Object.keys(value);
    if (keys.length > 0) {
      const key = pick(random, keys);
      const inner = (value as Record<string, unknown>)[key];
      if (Array.isArray(value)) {
        const list = [...(value as unknown[])];
        const how = random.below(12);
        if (how === 0) list.splice(Number(key), 1);
        else if (how === 1) list.splice(Number(key), 0, inner);
        else list[Number(key)] = changed(random, inner);
        return list;
      }
      const how = random.below(12);
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      if (how === 0) return rest;
      if (how === 1) return { ...rest, [pick(random, ["__proto__", "x", ...keys])]: inner };
      return { ...value, [key]: changed(random, inner) };
    }
  }
  if (typeof value === "number" && random.uniform() < 0.5)
    return pick(random, [value + 1, value - 1, -value, value * 2, value / 2, value * 1e6]);
  return pick(random, ODD);
}

/** Flips bits, cuts, repeats or overwrites bytes. */
export function changedBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const how = random.below(4);
  if (how === 0) return copy.subarray(0, random.below(copy.length + 1));
  if (how === 1) {
    const more = new Uint8Array(copy.length + 1 + random.below(64));
    more.set(copy);
    return more;
  }
  for (let n = 1 + random.below(8); n > 0; n--) {
    const at = random.below(copy.length);
    copy[at] = how === 2 ? copy[at] ^ (1 << random.below(8)) : random.below(256);
  }
  return copy;
}
