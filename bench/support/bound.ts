/** The least time that some work can take: its arithmetic at the pace of loops that do nothing else. */
import { Sandbox } from "../../test/support/builds.ts";
import type { Build } from "./build.ts";
import { ceilingModule } from "./ceiling.mjs";
import { fastest, multiplyAdds, transcendentals, weightReads, type Probe } from "./probes.ts";

/** Arithmetic per call. */
export interface Arithmetic {
  /** Multiply-adds whose weight, once read, serves several rows. */
  readonly blocked?: number;
  /** Multiply-adds that read a weight each. */
  readonly single?: number;
  /** Bytes of the weights that `single` reads: they decide which cache holds them. */
  readonly bytes?: number;
  /** Values of tanh and sigmoid. */
  readonly curves?: number;
}

export interface Bound {
  /** Seconds of the multiply-adds. */
  readonly products: number;
  /** Seconds of the multiply-adds, then of tanh and sigmoid. */
  readonly all: number;
}

/** The probes that some arithmetic needs. They run in turns with the work that is compared with them. */
export class BoundProbes {
  private readonly probes: { readonly probe: Probe; readonly amount: number; readonly isCurve: boolean }[] = [];

  constructor(build: Build, { blocked = 0, single = 0, bytes = 0, curves = 0 }: Arithmetic) {
    const ceiling = ceilingModule(build);
    const add = (amount: number, probe: () => Probe, isCurve = false): void => {
      if (amount > 0) this.probes.push({ probe: probe(), amount, isCurve });
    };
    add(blocked, () => multiplyAdds(ceiling));
    add(single, () => weightReads(ceiling, bytes));
    add(curves, () => transcendentals(new Sandbox(build)), true);
  }

  /** The functions to time, in the order in which `of` takes their seconds. */
  get runs(): (() => void)[] {
    return this.probes.map(({ probe }) => probe.run);
  }

  /** @param seconds  per call of each of `runs` */
  of(seconds: readonly number[]): Bound {
    let [products, all] = [0, 0];
    this.probes.forEach(({ probe, amount, isCurve }, i) => {
      const time = (amount * seconds[i]) / probe.work;
      all += time;
      if (!isCurve) products += time;
    });
    return { products, all };
  }
}

/** The share of its bound that `run` reaches, from the shortest slices of both. */
export function shareOfBound(
  run: () => unknown,
  probes: BoundProbes,
  effort: { rounds: number; warmUp: number },
): number {
  const [ours, ...others] = fastest([() => void run(), ...probes.runs], effort);
  return probes.of(others).all / ours;
}
