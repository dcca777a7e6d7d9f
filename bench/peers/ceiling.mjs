// No peer but the bound: the arithmetic of a workload at the pace of loops that do nothing else (bench/bound.ts), which is
// what it would take at best.
import { hasRelaxed } from "../../test/support/builds.ts";
import { BoundProbes } from "../bound.ts";
import { fastest } from "../probes.ts";
import { arithmetic } from "./workloads.mjs";

const BUILD = hasRelaxed ? "relaxed" : "simd";

export const name = () => `bound (${BUILD})`;

/** `seconds`: multiply-adds, then tanh and sigmoid; `products`: the multiply-adds alone. */
export function prepare({ workload }) {
  const probes = new BoundProbes(BUILD, arithmetic(workload));
  return {
    measure() {
      const { products, all } = probes.of(fastest(probes.runs, { rounds: 5, warmUp: 20 }));
      return { products, seconds: all };
    },
  };
}
