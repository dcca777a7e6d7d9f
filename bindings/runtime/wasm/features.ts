/** What this engine can run, asked by validating tiny modules that hold exactly the opcodes in question. */
import { decodeBase64 } from "../../base/base64.ts";

// (func (result v128) v128.const 0)
const SIMD = "AGFzbQEAAAABBQFgAAF7AwIBAAoWARQA/QwAAAAAAAAAAAAAAAAAAAAACw==";
// (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd …))
const MADD = "AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/YUCCw==";
// (func (param v128 v128 v128) (result v128) (i32x4.relaxed_dot_i8x16_i7x16_add_s …))
const DOT = "AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/ZMCCw==";

export interface Features {
  readonly simd: boolean;
  readonly madd: boolean;
  readonly dot: boolean;
}

export function detectFeatures(): Features {
  if (typeof WebAssembly === "undefined") return { simd: false, madd: false, dot: false };
  const validates = (base64: string): boolean => WebAssembly.validate(decodeBase64(base64));
  return { simd: validates(SIMD), madd: validates(MADD), dot: validates(DOT) };
}
