/** Cases of the oracles that this version cannot run, by name, with the reason; every other case is tested. */
import type { Test } from "uvu";
import * as gatewise from "../../bindings/index.ts";
import { layers, optimizers } from "../../bindings/index.ts";
import { eachCase, type OracleCase } from "../support/oracles.ts";

/** Whether something is an error. */
function refuses(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

export interface LeftOut {
  readonly group: string;
  /** Names of cases, or all of the group. */
  readonly cases: readonly string[] | "all";
  readonly reason: string;
  /** Whether what they need is still missing; the table is out of date when it is not. */
  missing(): boolean;
}

export const LEFT_OUT: readonly LeftOut[] = [
  {
    group: "torch/rnn", cases: ["lstm_proj4_l1_uni_i5h9", "lstm_proj5_l2_bi_i6h12"],
    reason: "proj_size: h smaller than c", missing: () => !("projection" in layers),
  },
  {
    group: "torch/train", cases: ["train_adadelta_lstm_classify", "train_adagrad_gru_regress", "train_adamax_gru_per_step"],
    reason: "optimizers Adadelta, Adagrad, Adamax", missing: () => !["adadelta", "adagrad", "adamax"].some((name) => name in optimizers),
  },
  {
    group: "torch/train", cases: ["train_sgd_dampening_lstm_regress"],
    reason: "SGD with dampening", missing: () => refuses(() => optimizers.sgd({ momentum: 0.9, dampening: 0.3 } as object)),
  },
  {
    group: "torch/train", cases: ["lr_schedules"],
    reason: "learning-rate schedules", missing: () => !("schedules" in gatewise),
  },
];

/** The entry of a case, when it is left out. */
export const leftOut = (group: string, name: string): LeftOut | undefined =>
  LEFT_OUT.find((entry) => entry.group === group && (entry.cases === "all" || entry.cases.includes(name)));

/** Declares one test per case of a group that is not left out. */
export function eachSupported(test: Test, group: string, run: (oracle: OracleCase) => void | Promise<void>): void {
  eachCase(test, group, run, (name) => !leftOut(group, name));
}
