/** Cases of the oracles that this version cannot run, by name, with the reason. Every other case is tested. */
import type { Test } from "uvu";
import { layers, losses } from "../../bindings/index.ts";
import type { Runner } from "../cases/case.ts";
import { eachCase, oracleJson, oracleRoot, oracleTest } from "../support/oracles.ts";

export interface LeftOut {
  readonly group: string;
  readonly cases: readonly string[];
  readonly reason: string;
  /** Whether what they need is still missing: when it is there, the cases can run and leave this table. */
  missing(): boolean;
}

const without =
  (table: object, ...names: string[]) =>
  (): boolean =>
    !names.some((name) => Object.hasOwn(table, name));

export const LEFT_OUT: readonly LeftOut[] = [
  {
    group: "keras/model",
    reason: "layer normalization",
    cases: ["two_heads_pooling_concat"],
    missing: without(layers, "layerNormalization"),
  },
  {
    group: "keras/other",
    reason: "attention",
    missing: without(layers, "attention", "additiveAttention"),
    cases: [
      "additive_attention_plain",
      "additive_attention_scaled",
      "attention_concat",
      "attention_plain",
      "attention_use_scale",
    ],
  },
  {
    group: "keras/other",
    reason: "layer normalization",
    missing: without(layers, "layerNormalization"),
    cases: [
      "layernorm_axis_1_2",
      "layernorm_center_False",
      "layernorm_default",
      "layernorm_epsilon_1e-05",
      "layernorm_scale_False",
    ],
  },
];

/** Whole groups that wait for what they are about. */
export const LEFT_OUT_GROUPS: Readonly<Record<string, { readonly reason: string; missing(): boolean }>> = {
  "torch/ctc": { reason: "connectionist temporal classification", missing: without(losses, "ctc") },
};

/** The entry of a case, when it is left out. */
export const leftOut = (group: string, name: string): LeftOut | undefined =>
  LEFT_OUT.find((entry) => entry.group === group && entry.cases.includes(name));

const runs =
  (group: string) =>
  (name: string): boolean =>
    leftOut(group, name) === undefined;

/** Declares one test per case of a group that is not left out. */
export function eachSupported(test: Test, group: string, run: Runner): void {
  eachCase(test, group, run, runs(group));
}

/** Cases of a file that holds all of its group. */
export const listed = <C extends { name: string }>(file: string): C[] =>
  oracleRoot() === undefined ? [] : (oracleJson(file).cases as C[]);

/** {@link eachSupported} for a file that holds all of its group. */
export function eachListed<C extends { name: string }>(test: Test, file: string, run: (oracle: C) => void): void {
  for (const oracle of listed<C>(file).filter(({ name }) => runs(file)(name)))
    oracleTest(test, `${file}: ${oracle.name}`, () => run(oracle));
  if (oracleRoot() === undefined) oracleTest(test, file, () => {});
}
