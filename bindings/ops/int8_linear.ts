/** Products with int8 weights, as the ops of f32 weights record them where a weight is one. */
import type { Operand } from "../graph/ir.ts";
import { read, write, type Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";
import { int8PackedBytes, int8ScratchBytes } from "../abi/int8_panel.ts";
import { packedWeight, gateWidth, parameterOf, shifted, type Gates } from "./packed_weights.ts";

/** Bits of what an int8 weight is multiplied with. */
export const bitsOf = (w: Tensor): number => parameterOf(w)!.int8!.bits;

/** Its integers from one of a row on, which need not begin where a float would. */
const integersFrom = (w: Tensor, first: number): Operand => shifted(read(w), first / 4);

/** Its scales from one of them on. */
export const int8Scales = (w: Tensor, first = 0): Operand => shifted(read(w), parameterOf(w)!.scaleOffset + first);

/** int8 panels of w's gates, w [K, ≥ first + G·H], columns in panel order. */
export function int8Panels(trace: Trace, w: Tensor, gates: Gates): Operand {
  const [K, columns] = w.shape;
  const { G, H, first = 0 } = gates;
  return packedWeight(trace, [w], `int8 ${G} ${H} ${first}`, int8PackedBytes(K, gateWidth(gates)) / 4, (call, out) =>
    call("q8_pack_gates_nn", K, G, H, integersFrom(w, first), columns, int8Scales(w, first), out),
  );
}

/** Scratch of int8 products of so many rows, and of so many floats more. */
export const int8Scratch = (trace: Trace, M: number, K: number, floats = 0): Operand | 0 =>
  write(trace.tensor([int8ScratchBytes(M, K) / 4 + floats]));

/** x·W + b as `linear` gives it. */
export function recordInt8Linear(trace: Trace, x: Tensor, w: Tensor, b: Tensor | undefined, y: Tensor): void {
  const [K, N] = w.shape;
  const M = y.size / N;
  trace.call(
    "q8_gemm_nn",
    M,
    0,
    N,
    K,
    read(x),
    K,
    int8Panels(trace, w, { G: 1, H: N }),
    read(b),
    0,
    write(y),
    N,
    int8Scratch(trace, M, K),
    bitsOf(w),
  );
}

/** x·W + b of gates in panel order. */
export function recordInt8Project(
  trace: Trace,
  {
    x,
    kernel,
    bias,
    z,
    gates,
    live,
  }: { x: Tensor; kernel: Tensor; bias: Operand | 0; z: Tensor; gates: Gates; live: Tensor | undefined },
): void {
  const [M, I] = x.shape;
  const width = gateWidth(gates);
  trace.call(
    "q8_gemm_nn",
    M,
    read(live),
    width,
    I,
    read(x),
    I,
    int8Panels(trace, kernel, gates),
    bias,
    0,
    write(z),
    width,
    int8Scratch(trace, M, I),
    bitsOf(kernel),
  );
}
