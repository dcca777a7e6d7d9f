/** What this engine can run, asked by validating tiny modules that hold exactly the opcodes in question. */
import { decodeBase64 } from "../base64.ts";

// (func (result v128) v128.const 0)
const SIMD = "AGFzbQEAAAABBQFgAAF7AwIBAAoWARQA/QwAAAAAAAAAAAAAAAAAAAAACw==";
// (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd …))
const MADD = "AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/YUCCw==";

export interface Features {
  readonly simd: boolean;
  readonly madd: boolean;
}

export function detectFeatures(): Features {
  if (typeof WebAssembly === "undefined") return { simd: false, madd: false };
  const validates = (base64: string): boolean => WebAssembly.validate(decodeBase64(base64));
  return { simd: validates(SIMD), madd: validates(MADD) };
}
