/** No allocation: streams make no objects at all, training keeps none, neither lets the arena grow. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { builds } from "../support/backends.ts";
import type { Allocation } from "../support/allocation.ts";

const test = suite("allocation");
const script = fileURLToPath(new URL("../support/allocation.ts", import.meta.url));

/** Bytes a measurement may be off: the engine compiles and keeps counts meanwhile. */
const NOISE = 400_000;
/** What a training step may make and drop: the result, and the arguments taken apart. */
const STEP = 16_000;

for (const build of builds) {
  test(`${build}: 100 000 stream steps and 1 000 training steps`, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--expose-gc", "--import", "tsx", script, build], {
      encoding: "utf8",
    });
    assert.is(status, 0, stderr);
    const results = JSON.parse(stdout.trim().split("\n").at(-1)!) as Allocation[];
    assert.is(results.length, 7);
    for (const { what, calls, made, held, arena } of results) {
      assert.is(arena, 0, `${what}: arena`);
      assert.ok(held < NOISE, `${what}: ${held} bytes held after ${calls} calls`);
      if (build === "reference") continue; // plain TypeScript makes views of its memory as it goes
      const allowed = what.startsWith("stream") ? NOISE : STEP * calls;
      assert.ok(made < allowed, `${what}: ${made} bytes made in ${calls} calls`);
    }
  });
}

test.run();
