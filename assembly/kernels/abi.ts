/** What bindings ask of a kernel module before they trust it. */

/** Raised together with ABI_VERSION in bindings/abi/version.ts whenever a kernel's arguments change. */
export function abi_version(): i32 {
  return 3;
}

/** 1 in the relaxed build, 0 in the others. */
export function abi_relaxed(): i32 {
  return ASC_FEATURE_RELAXED_SIMD ? 1 : 0;
}
