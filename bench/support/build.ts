/** The build that benchmarks time: the fastest that this engine runs. */
import { hasRelaxed } from "../../test/support/builds.ts";

export type Build = "simd" | "relaxed";

export const BUILD: Build = hasRelaxed ? "relaxed" : "simd";
