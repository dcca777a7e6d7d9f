/**
 * `npm run fuzz [-- target …] [--count 100000] [--seed 1] [--only N]`: random inputs for every reader. Each is read in
 * bounded time, or refused by an error of gatewise. The last line counts targets; a finding names its number, for
 * `--only`.
 */
import { parseArgs } from "node:util";
import { GatewiseError } from "../../bindings/base/errors.ts";
import { Random } from "../../bindings/base/random.ts";
import { exported, safetensors } from "./files.ts";
import type { Target } from "./target.ts";
import { csv, tokenizers } from "./texts.ts";

const TARGETS: readonly Target[] = [safetensors, exported, tokenizers, csv];

/** Milliseconds that an input may take, by its size: ten times what is promised, since machines are shared. */
const limit = (size: number): number => 1000 + size * 5e-4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});

/** Reads one input. @returns what is wrong with that */
function attempt(target: Target, input: unknown): string | undefined {
  const start = performance.now();
  try {
    target.read(input);
  } catch (error) {
    if (!(error instanceof GatewiseError)) return String((error as Error).stack ?? error);
  }
  const [took, allowed] = [performance.now() - start, limit(target.size(input))];
  return took > allowed ? `took ${took.toFixed(0)} ms where ${allowed.toFixed(0)} are allowed` : undefined;
}

function run(target: Target, count: number): boolean {
  const root = new Random(Number(values.seed)).fork(target.name);
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    if (values.only !== undefined && n !== Number(values.only)) continue;
    const input = target.make(root.fork(n));
    const finding = attempt(target, input);
    if (finding === undefined) continue;
    console.log(
      `FAIL ${target.name}: input ${n} of seed ${values.seed}\n${finding}\n${JSON.stringify(input).slice(0, 500)}`,
    );
    return false;
  }
  console.log(`ok   ${target.name}  ${count} inputs  ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return true;
}

const chosen = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
console.warn = () => undefined; // models are disposed of late here
const held = chosen.filter((target) => run(target, Math.ceil(Number(values.count) * target.share)));
console.log(`${held.length} passed, ${chosen.length - held.length} failed`);
process.exitCode = held.length === chosen.length && chosen.length > 0 ? 0 : 1;
