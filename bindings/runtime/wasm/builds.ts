/** The builds there are, and which of them to try on an engine. */
import { OptionError, UnsupportedError, nearest } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import type { Features } from "./features.ts";

/** A kernel table: `simd` and `relaxed` (fused multiply-add) are WebAssembly, `reference` is plain TypeScript. */
export type Build = "simd" | "relaxed" | "reference";

const NEEDS: Record<Build, (keyof Features)[]> = { relaxed: ["simd", "madd"], simd: ["simd"], reference: [] };

/**
 * Builds to try, best first. Only "auto" falls back.
 *
 * @throws OptionError for a name that is none
 * @throws UnsupportedError when a build was named that the engine lacks opcodes for, or that cannot be deterministic
 */
export function chooseBuilds(wanted: string, deterministic: boolean, features: Features): Build[] {
  if (wanted === "auto") {
    const order: Build[] = deterministic ? ["simd", "reference"] : ["relaxed", "simd", "reference"];
    return order.filter((build) => NEEDS[build].every((feature) => features[feature]));
  }
  if (typeof wanted !== "string" || !Object.hasOwn(NEEDS, wanted)) {
    const got = `${shown(wanted)}${nearest(String(wanted), Object.keys(NEEDS))}`;
    throw new OptionError(`init: expected build "auto", "simd", "relaxed" or "reference", got ${got}`);
  }
  const build = wanted as Build;
  if (deterministic && build === "relaxed") {
    throw new OptionError(
      'init: expected build "simd" or "reference" with deterministic, got "relaxed", ' +
        "whose rounding depends on the machine",
    );
  }
  const missing = NEEDS[build].filter((feature) => !features[feature]);
  if (missing.length > 0) {
    throw new UnsupportedError(
      `init: expected an engine with ${missing.join(" and ")} for build "${build}", got one without`,
    );
  }
  return [build];
}
