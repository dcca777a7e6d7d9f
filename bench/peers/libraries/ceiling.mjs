// The bound instead of a library: the least time that the arithmetic of a workload can take (bench/support/bound.ts).
import { BoundProbes } from "../../support/bound.ts";
import { BUILD } from "../../support/build.ts";
import { fastest } from "../../support/probes.ts";
import { arithmetic } from "../arithmetic.mjs";

export const name = () => `bound (${BUILD})`;

/** `seconds` of multiply-adds, tanh and sigmoid; `products` are those of the multiply-adds alone. */
export function prepare({ workload }) {
  const probes = new BoundProbes(BUILD, arithmetic(workload));
  return {
    measure() {
      const { products, all } = probes.of(fastest(probes.runs, { rounds: 5, warmUp: 20 }));
      return { products, seconds: all };
    },
  };
}
