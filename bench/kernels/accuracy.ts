/**
 * The largest error of tanh and sigmoid over all floats, on every wasm build that this engine runs.
 *
 *   node --import tsx bench/kernels/accuracy.ts [--every N] [--functions tanh,sigmoid,exp,log] [--builds simd,relaxed]
 *
 * Compares each result with that of double precision, rounded to a float. A sweep over all 2³² floats takes about a
 * minute per function and build. Exits with 1 if a bound in assembly/accuracy.json does not hold.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UNARY_CODES, type UnaryName } from "../../bindings/abi/unary_codes.ts";
import { unary } from "../../bindings/reference/elementwise/unary.ts";
import { Sandbox, wasmBuilds, type BuildName } from "../../test/support/builds.ts";
import { compare, nothingYet, type Worst } from "../../test/support/ulp.ts";

const BLOCK = 1 << 16;

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    functions: { type: "string", default: "tanh,sigmoid" },
    builds: { type: "string", default: wasmBuilds.filter((build) => build !== "check").join() },
  },
});
const every = Number(values.every);
const accuracy = JSON.parse(readFileSync(new URL("../../assembly/accuracy.json", import.meta.url), "utf8")) as Record<
  string,
  { ulp: number }
>;

/** Compares one float in `every`, in the order of their bits. */
function sweep(build: BuildName, name: UnaryName): Worst {
  const sandbox = new Sandbox(build);
  const [x, y] = [sandbox.f32(BLOCK), sandbox.f32(BLOCK)];
  const patterns = new Uint32Array(sandbox.buffer, x.ptr, BLOCK);
  const code = UNARY_CODES[name];
  const f = (value: number): number => unary(code, value, 0, 0);
  const worst = nothingYet();
  for (let first = 0; first < 2 ** 32; first += BLOCK * every) {
    for (let i = 0; i < BLOCK; i++) patterns[i] = first + i * every + (i % every); // i % every: all low bits occur
    sandbox.kernels.f32_unary_fwd(BLOCK, x.ptr, y.ptr, code, 0, 0);
    compare(f, x, y, worst);
  }
  return worst;
}

for (const build of values.builds.split(",") as BuildName[]) {
  for (const name of values.functions.split(",") as UnaryName[]) {
    const start = performance.now();
    const { ulp, at, total, counts } = sweep(build, name);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const held = ulp <= accuracy[name]!.ulp;
    if (!held) process.exitCode = 1;
    console.log(
      `${build.padEnd(8)} ${name.padEnd(8)} worst ${ulp} ULP at ${at},`,
      `bound ${accuracy[name]!.ulp}${held ? "" : " BROKEN"};`,
      `of ${total} were ${counts.slice(1).join(", ")} off by 1, 2, more; ${seconds} s`,
    );
  }
}
