/**
 * The ceilings that kernels are compared with, measured in the same run.
 *
 * Shares of a ceiling need times undisturbed by whatever else the machine does, so they are the shortest of many slices
 * of 2 ms that take turns (measured: the 50 ms that benchmark.js takes give anything from 50 to 120 % on a busy machine).
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BuildName, Sandbox } from "../test/support/builds.ts";

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Turns of a call: about 10 µs. */
const TURNS = 4000;

interface Chains {
  madd_chains(turns: number, p: number): void;
}

function compile(build: BuildName): Chains {
  const file = root(`build/wasm/ceiling-${build}.wasm`);
  const { status, stderr } = spawnSync(process.execPath, [
    root("node_modules/assemblyscript/bin/asc.js"), "assembly/ceiling.ts", "--config", "asconfig.json", "--target", build, "--outFile", file,
  ], { cwd: root("."), encoding: "utf8" });
  if (status !== 0) throw new Error(`asc: expected assembly/ceiling.ts to compile, got\n${stderr}`);
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Float32Array(memory.buffer, 4096, 12).fill(0.5);
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory } }).exports as unknown as Chains;
}

/** One probe: how much work a call of `run` does. */
export interface Probe {
  readonly work: number;
  run(): void;
}

/** Multiply-adds between registers: what no product can exceed. */
export function multiplyAdds(build: BuildName): Probe {
  const chains = compile(build);
  return { work: TURNS * 48, run: () => chains.madd_chains(TURNS, 4096) };
}

/** Values of tanh or the sigmoid over an array in the first cache: what no gate can exceed. */
export function transcendentals(sandbox: Sandbox): Probe {
  const n = 2048;
  const [x, y] = [sandbox.f32(Float32Array.from({ length: n }, (_, i) => i / 512 - 2)), sandbox.f32(n)];
  const tanh = 1;
  return { work: n, run: () => sandbox.kernels.f32_unary_fwd(n, x.ptr, y.ptr, tanh, 0, 0) };
}

/** Milliseconds of one function's turn. */
const SLICE = 2;

/** How often fn runs in a slice, found while the engine compiles it. */
function callsPerSlice(fn: () => void, warmUp: number): number {
  let calls = 1;
  const end = performance.now() + warmUp;
  for (;;) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) fn();
    const now = performance.now();
    if (now > end) return Math.max(1, Math.round(calls * SLICE / Math.max(now - start, 1e-3)));
    if (now - start < SLICE) calls *= 2;
  }
}

/** Seconds per call of each function, in its best slice. */
export function fastest(fns: readonly (() => void)[], { rounds = 30, warmUp = 100 } = {}): number[] {
  const calls = fns.map((fn) => callsPerSlice(fn, warmUp));
  const best = fns.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    fns.forEach((fn, k) => {
      const start = performance.now();
      for (let i = 0; i < calls[k]; i++) fn();
      best[k] = Math.min(best[k], (performance.now() - start) / calls[k] / 1e3);
    });
  }
  return best;
}
