/** Arguments and results of traced functions: arrays and numbers, in lists and records. */
import { TraceError, ValueError } from "../base/errors.ts";
import {
  DEEPEST,
  isArrayInput,
  isTypedArray,
  normalize,
  type ArrayInput,
  type NDArray,
  type Normalized,
} from "../base/ndarray.ts";
import { isTensor, type Tensor } from "./tensor.ts";

export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** What stands around the leaves: enough to build the same tree over other leaves. */
export type Structure =
  | { readonly kind: "leaf"; readonly index: number }
  | { readonly kind: "static"; readonly value: unknown }
  | { readonly kind: "list"; readonly items: Structure[] }
  | { readonly kind: "record"; readonly items: [string, Structure][] };

/** Whether something is a plain object. */
export const isRecord = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === null || Object.getPrototypeOf(prototype as object) === null;
};

/** Arguments taken apart: their arrays, what stands around them, and a key equal for all that one program serves. */
export interface FlatArguments {
  readonly leaves: Normalized[];
  readonly structure: Structure;
  readonly key: string;
}

/**
 * @param names  what to call each argument in errors
 * @throws ValueError for something that is no array, number, string, boolean, list or record; TraceError for a tensor
 */
export function flattenArguments(args: readonly unknown[], subject: string): FlatArguments {
  const leaves: Normalized[] = [];
  const keys: string[] = [];
  const visit = (value: unknown, path: string, depth = 0): Structure => {
    if (depth > DEEPEST)
      throw new ValueError(`${subject}: expected lists and records at most ${DEEPEST} deep, got more`);
    if (isTensor(value))
      throw new TraceError(
        `${path}: expected an array, got a traced tensor; traced functions are not called inside one another`,
      );
    if (isArrayInput(value)) {
      const leaf = normalize(value, path);
      leaves.push(leaf);
      keys.push(`${leaf.dtype}[${leaf.shape.join(",")}]`);
      return { kind: "leaf", index: leaves.length - 1 };
    }
    if (value === undefined || value === null || typeof value === "string" || typeof value === "boolean") {
      keys.push(value === undefined ? "undefined" : JSON.stringify(value));
      return { kind: "static", value };
    }
    if (Array.isArray(value)) {
      keys.push("(");
      const items = value.map((item, i) => visit(item, `${path}[${i}]`, depth + 1));
      keys.push(")");
      return { kind: "list", items };
    }
    if (isRecord(value)) {
      keys.push("{");
      const items = Object.entries(value).map(([name, item]): [string, Structure] => {
        keys.push(JSON.stringify(name));
        return [name, visit(item, `${path}.${name}`, depth + 1)];
      });
      keys.push("}");
      return { kind: "record", items };
    }
    throw new ValueError(
      `${path}: expected an array, a number, a string, a boolean, or lists and records of them, got ${typeof value}`,
    );
  };
  const structure: Structure = { kind: "list", items: args.map((arg, i) => visit(arg, `${subject}: argument ${i}`)) };
  return { leaves, structure, key: keys.join(" ") };
}

/** The tree again, over other leaves. */
export function rebuild(structure: Structure, leaf: (index: number) => unknown): unknown {
  switch (structure.kind) {
    case "leaf":
      return leaf(structure.index);
    case "static":
      return structure.value;
    case "list":
      return structure.items.map((item) => rebuild(item, leaf));
    case "record":
      return Object.fromEntries(structure.items.map(([name, item]) => [name, rebuild(item, leaf)]));
  }
}

/** What a traced function returned, taken apart. Numbers and the like that it returned stay as they are. */
export function flattenResult(result: unknown): { tensors: Tensor[]; structure: Structure } {
  const tensors: Tensor[] = [];
  const visit = (value: unknown, depth: number): Structure => {
    if (depth > DEEPEST) throw new TraceError(`result: expected lists and records at most ${DEEPEST} deep, got more`);
    if (isTensor(value)) {
      tensors.push(value);
      return { kind: "leaf", index: tensors.length - 1 };
    }
    if (Array.isArray(value)) return { kind: "list", items: value.map((item) => visit(item, depth + 1)) };
    if (isRecord(value) && !isTypedArray(value)) {
      return { kind: "record", items: Object.entries(value).map(([name, item]) => [name, visit(item, depth + 1)]) };
    }
    return { kind: "static", value };
  };
  return { structure: visit(result, 0), tensors };
}

export type { ArrayInput, NDArray };
