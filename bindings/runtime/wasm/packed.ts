/** The wasm as text: both builds in one compressed stream, functions of both alternating. */
import { decodeBase64 } from "../../base/base64.ts";
import { builtin } from "../../base/builtin.ts";
import { inflate } from "./inflate.ts";

/** What scripts/wasm.mjs writes. */
export interface CompressedModules {
  /** Lengths of the pieces that both modules were cut into: simd, relaxed, simd, … */
  readonly lengths: readonly number[];
  /** The pieces in this order, compressed, in base64. */
  readonly pieces: string;
}

/** The modules an entry carries, by build. */
export interface Carried {
  simd?: () => Uint8Array<ArrayBuffer>;
  relaxed?: () => Uint8Array<ArrayBuffer>;
}

const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);

/** All pieces in a row. Node's base64 is built in; its zlib takes longer to load than this to unpack (measured). */
const inflated = ({ lengths, pieces }: CompressedModules): Uint8Array =>
  inflate(builtin()?.("node:buffer").Buffer.from(pieces, "base64") ?? decodeBase64(pieces), sum(lengths));

/** Every second piece, put together. */
function unpack(packed: CompressedModules, which: 0 | 1): Uint8Array<ArrayBuffer> {
  const { lengths } = packed;
  const all = inflated(packed);
  const module = new Uint8Array(sum(lengths.filter((_, i) => i % 2 === which)));
  let from = 0;
  let to = 0;
  for (const [i, length] of lengths.entries()) {
    if (i % 2 === which) {
      module.set(all.subarray(from, from + length), to);
      to += length;
    }
    from += length;
  }
  return module;
}

export const carried = (packed: CompressedModules): Carried => ({
  simd: () => unpack(packed, 0),
  relaxed: () => unpack(packed, 1),
});
