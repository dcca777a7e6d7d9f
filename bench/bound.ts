/** What a piece of work would take at best: its arithmetic at the pace of loops that do nothing else. */
import { Sandbox } from "../test/support/builds.ts";
import { ceilingModule } from "./ceiling.ts";
import { fastest, multiplyAdds, transcendentals, weightReads, type Probe } from "./probes.ts";

export interface Arithmetic {
  /** Multiply-adds whose weight, once read, serves several rows. */
  readonly blocked?: number;
  /** Multiply-adds for each of which a weight is read. */
  readonly single?: number;
  /** Bytes of the weights that those read: how far away they lie. */
  readonly bytes?: number;
  /** Values of tanh and the sigmoid. */
  readonly curves?: number;
}

export interface Bound {
  /** Seconds for the multiply-adds. */
  readonly products: number;
  /** Seconds for those, and then for tanh and sigmoid. */
  readonly all: number;
}

/** The probes that some arithmetic needs; they can take turns with whatever is compared. */
export class BoundProbes {
  private readonly probes: { readonly probe: Probe; readonly amount: number; readonly isCurve: boolean }[] = [];

  constructor(build: "simd" | "relaxed", { blocked = 0, single = 0, bytes = 0, curves = 0 }: Arithmetic) {
    const ceiling = ceilingModule(build);
    const add = (amount: number, probe: () => Probe, isCurve = false): void => {
      if (amount > 0) this.probes.push({ probe: probe(), amount, isCurve });
    };
    add(blocked, () => multiplyAdds(ceiling));
    add(single, () => weightReads(ceiling, bytes));
    add(curves, () => transcendentals(new Sandbox(build)), true);
  }

  /** What to run, in the order that `of` takes seconds in. */
  get runs(): (() => void)[] {
    return this.probes.map(({ probe }) => probe.run);
  }

  /** @param seconds  of a call of each of `runs` */
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

/** The share that `run` reaches of its bound, from the shortest slices of both. */
export function shareOfBound(
  run: () => unknown,
  probes: BoundProbes,
  effort: { rounds: number; warmUp: number },
): number {
  const [ours, ...others] = fastest([() => void run(), ...probes.runs], effort);
  return probes.of(others).all / ours;
}
