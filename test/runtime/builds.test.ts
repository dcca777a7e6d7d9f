/** Which builds are tried, by what the engine can do. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { chooseBuilds } from "../../bindings/runtime/wasm/builds.ts";
import { refused } from "../support/refused.ts";

const test = suite("builds");

const all = { simd: true, madd: true, dot: true };
const plain = { simd: true, madd: false, dot: false };
const none = { simd: false, madd: false, dot: false };

test("auto takes the fastest there is, and falls back", () => {
  assert.equal(chooseBuilds("auto", false, all), ["relaxed", "simd", "reference"]);
  assert.equal(chooseBuilds("auto", false, plain), ["simd", "reference"]);
  assert.equal(chooseBuilds("auto", false, none), ["reference"]);
});

test("deterministic leaves out what rounds by machine", () => {
  assert.equal(chooseBuilds("auto", true, all), ["simd", "reference"]);
  assert.equal(chooseBuilds("auto", true, none), ["reference"]);
  assert.equal(chooseBuilds("simd", true, all), ["simd"]);
  refused(
    () => chooseBuilds("relaxed", true, all),
    "ERR_OPTION",
    /^init: expected build "simd" or "reference" with deterministic, got "relaxed"/,
  );
});

test("a named build is that one or an error", () => {
  for (const build of ["relaxed", "simd", "reference"]) assert.equal(chooseBuilds(build, false, all), [build]);
  assert.equal(chooseBuilds("reference", false, none), ["reference"]);
  refused(
    () => chooseBuilds("relaxed", false, plain),
    "ERR_UNSUPPORTED",
    /^init: expected an engine with madd for build "relaxed", got one without$/,
  );
  refused(
    () => chooseBuilds("relaxed", false, none),
    "ERR_UNSUPPORTED",
    /^init: expected an engine with simd and madd for build "relaxed"/,
  );
  refused(
    () => chooseBuilds("simd", false, none),
    "ERR_UNSUPPORTED",
    /^init: expected an engine with simd for build "simd", got one without$/,
  );
});

test("an unknown name is told the nearest", () => {
  refused(
    () => chooseBuilds("smid", false, all),
    "ERR_OPTION",
    /^init: expected build "auto", "simd", "relaxed" or "reference", got "smid", did you mean "simd"\?$/,
  );
  refused(() => chooseBuilds("toString", false, all), "ERR_OPTION", /got "toString"$/);
  refused(() => chooseBuilds(7 as unknown as string, false, all), "ERR_OPTION", /got 7$/);
});

test.run();
