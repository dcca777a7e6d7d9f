/** How things are timed: by benchmark.js, after a warm-up past the optimizing compiler, in rounds that take turns. */
import Benchmark from "benchmark";

/** One way to do a piece of work. */
export interface Contender {
  readonly name: string;
  run(): unknown;
  /** Gives back what it holds, after its last run. */
  dispose?(): void;
}

/** Seconds per run of each contender. */
export interface Timing {
  readonly name: string;
  readonly median: number;
  readonly min: number;
}

export interface Effort {
  /** Rounds in which every contender has a turn; machines are shared, so turns are short and many. */
  readonly rounds: number;
  /** Seconds of a turn. */
  readonly seconds: number;
  /** Seconds each contender runs before anything is timed. Engines take about a thousand calls of a kernel to optimize it. */
  readonly warmUp: number;
}

export const QUICK: Effort = { rounds: 3, seconds: 0.15, warmUp: 0.3 };
export const THOROUGH: Effort = { rounds: 7, seconds: 0.5, warmUp: 1 };

/** Where results go, so that no engine may leave work out. */
let sink: unknown;

function warmUp({ run }: Contender, seconds: number): void {
  const end = performance.now() + seconds * 1000;
  do sink = run();
  while (performance.now() < end);
}

/** One turn: the seconds per run that benchmark.js saw in its cycles. */
function turn({ name, run }: Contender, seconds: number): number[] {
  const benchmark = new Benchmark(name, () => void (sink = run()), { maxTime: seconds, minSamples: 3 });
  benchmark.run({ async: false });
  if (benchmark.error) throw benchmark.error as unknown as Error;
  return benchmark.stats.sample;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
};

/** Times contenders against each other. */
export function compare(contenders: readonly Contender[], { rounds, seconds, warmUp: before }: Effort): Timing[] {
  for (const contender of contenders) warmUp(contender, before);
  const samples = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    contenders.forEach((contender, i) => samples[i].push(...turn(contender, seconds)));
  }
  return contenders.map(({ name }, i) => ({ name, median: median(samples[i]), min: Math.min(...samples[i]) }));
}

/** What the last measured run gave. */
export const lastResult = (): unknown => sink;
