/** Timing by benchmark.js: a warm-up until the engine has optimized the code, then rounds of alternating contenders. */
import Benchmark from "benchmark";
import { median } from "./report.mjs";

/** One way to do some work. */
export interface Contender {
  readonly name: string;
  run(): unknown;
  /** Frees its memory after the last run. */
  dispose?(): void;
}

/** Seconds per run of each contender. */
export interface Timing {
  readonly name: string;
  readonly median: number;
  readonly min: number;
}

export interface Effort {
  /** Rounds in which every contender runs once. Machines are shared, so runs are short and many. */
  readonly rounds: number;
  /** Seconds of a contender in a round. */
  readonly seconds: number;
  /** Seconds that each contender runs before it is timed. Engines optimize a kernel after about a thousand calls. */
  readonly warmUp: number;
}

export const QUICK: Effort = { rounds: 3, seconds: 0.15, warmUp: 0.3 };
export const THOROUGH: Effort = { rounds: 7, seconds: 0.5, warmUp: 1 };

/** The result of the last run. Exported, so that no engine may skip the work. */
export let lastResult: unknown;

function warmUp({ run }: Contender, seconds: number): void {
  const end = performance.now() + seconds * 1000;
  do lastResult = run();
  while (performance.now() < end);
}

/** One round of one contender: seconds per run in each cycle of benchmark.js. */
function sample({ name, run }: Contender, seconds: number): number[] {
  const benchmark = new Benchmark(name, () => void (lastResult = run()), { maxTime: seconds, minSamples: 3 });
  benchmark.run({ async: false });
  if (benchmark.error) throw benchmark.error as unknown as Error;
  return benchmark.stats.sample;
}

/** Times contenders in alternation. */
export function compare(contenders: readonly Contender[], { rounds, seconds, warmUp: before }: Effort): Timing[] {
  for (const contender of contenders) warmUp(contender, before);
  const samples = contenders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    contenders.forEach((contender, i) => samples[i].push(...sample(contender, seconds)));
  }
  return contenders.map(({ name }, i) => ({ name, median: median(samples[i]), min: Math.min(...samples[i]) }));
}
