/** Tests of the public API, once on every build that this engine has. */
import { suite } from "uvu";
import type { Test } from "uvu";
import * as assert from "uvu/assert";
import { UnsupportedError } from "../../bindings/base/errors.ts";
import { currentBackend, state } from "../../bindings/runtime/context.ts";
import type { Backend } from "../../bindings/runtime/backend.ts";
import { loadSync } from "../../bindings/runtime/load.ts";

export type Build = "simd" | "relaxed" | "reference";

const loaded = new Map<Build, Backend>();

/** The backend of this build that all tests of a file share. */
export function backendOf(build: Build): Backend {
  let backend = loaded.get(build);
  if (!backend) loaded.set(build, (backend = loadSync({ build })));
  return backend;
}

function runs(build: Build): boolean {
  try {
    backendOf(build);
    return true;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

/** The builds that models can run on here. */
export const builds: readonly Build[] = (["simd", "relaxed", "reference"] as const).filter(runs);

/** Makes models and functions on this backend from now on. */
export function use(backend: Backend): void {
  state.backends.all = backend;
}

/** Runs `fn` with models and functions being made on this backend. */
export function on<R>(backend: Backend, fn: () => R): R {
  const before = state.backends.all;
  use(backend);
  try {
    return fn();
  } finally {
    if (before) use(before);
  }
}

/** Declares the same tests once per build, and runs them with that build as the one of new models. */
export function eachBackend(name: string, declare: (test: Test, build: Build, backend: Backend) => void): void {
  for (const build of builds) {
    const test = suite(`${name} [${build}]`);
    const backend = backendOf(build);
    test.before(() => use(backend));
    test("runs on this build", () => assert.is(currentBackend().build, build));
    declare(test, build, backend);
    test.run();
  }
}
