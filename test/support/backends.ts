/** Tests of the public API, once on every build that this engine has. */
import { suite } from "uvu";
import type { Test } from "uvu";
import { UnsupportedError, initSync } from "../../bindings/index.ts";

export type Build = "simd" | "relaxed" | "reference";

function runs(build: Build): boolean {
  try {
    initSync({ build });
    return true;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

/** The builds that models can run on here. */
export const builds: readonly Build[] = (["simd", "relaxed", "reference"] as const).filter(runs);

/** Declares the same tests once per build, and runs them with that build as the one of new models. */
export function eachBackend(name: string, declare: (test: Test, build: Build) => void): void {
  for (const build of builds) {
    const test = suite(`${name} [${build}]`);
    test.before(() => initSync({ build }));
    declare(test, build);
    test.run();
  }
}
