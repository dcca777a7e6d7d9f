/**
 * Tokens whose products with a kernel are all kept: where nothing is to be learned, x·W + b of an embedding's rows is a
 * table, and a step takes a row of it.
 */
import type { Operand } from "../../graph/ir.ts";
import type { Op } from "../../graph/op.ts";
import { read, write, type Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { int8ScratchBytes } from "../../abi/int8_panel.ts";
import { bitsOf, int8Panels, int8Scales } from "../int8_linear.ts";
import { required } from "../operands.ts";
import { packedWeight, gateBias, gatePanels, gateWidth, parameterOf, type Gates } from "../packed_weights.ts";

/** Most tokens per input of the product, by the type of the embedding. */
const SHARE = { f32: 1, i8: 4 } as const;

/** True if the products of an embedding [V, D] with a kernel are kept: neither changes, and there are few tokens. */
export function isTabled(trace: Trace, embedding: Tensor, kernel: Tensor): boolean {
  if (trace.options.gradients || embedding.dtype === "i32" || !parameterOf(embedding) || !parameterOf(kernel))
    return false;
  const [V, D] = embedding.shape;
  return V <= SHARE[embedding.dtype] * D;
}

/** The table: x·W + b of each token [V, width], in panel order. */
function tokenTable(trace: Trace, embedding: Tensor, kernel: Tensor, bias: Tensor | undefined, gates: Gates): Operand {
  const [V, D] = embedding.shape;
  const width = gateWidth(gates);
  const { G, H, first = 0 } = gates;
  const panels = kernel.dtype === "i8" ? int8Panels(trace, kernel, gates) : gatePanels(trace, kernel, gates);
  const row = bias ? gateBias(trace, bias, gates) : 0;
  const whole = embedding.dtype === "f32" && kernel.dtype === "f32";
  // behind the table, for int8: the embedding as floats, and what products need
  const [floats, scratch] = [V * width, V * (width + D)];
  const size = whole ? floats : scratch + int8ScratchBytes(V, D) / 4;
  return packedWeight(
    trace,
    bias ? [embedding, kernel, bias] : [embedding, kernel],
    `tokens ${G} ${H} ${first}`,
    size,
    (call, out) => {
      const at = (offset: number): Operand => ({ ...out, offset: out.offset + offset * 4 });
      const x = embedding.dtype === "f32" ? read(embedding) : at(floats);
      if (embedding.dtype === "i8") call("q8_gather_rows", V, 0, D, read(embedding), int8Scales(embedding), 0, x, D);
      if (kernel.dtype === "i8")
        call("q8_gemm_nn", V, 0, width, D, x, D, panels, row, 0, out, width, at(scratch), bitsOf(kernel));
      else call("f32_gemm_nn", V, 0, width, D, x, D, panels, row, 0, out, width);
    },
  );
}

export interface TokenTableConfig {
  readonly gates: Gates;
  /** Rows that count [1]; all when absent. */
  readonly live?: Tensor | undefined;
  /** Tokens of the packed steps [M]. */
  readonly tokens: Tensor;
}

/** Inputs: embedding [V, D], kernel [D, G·H], bias. Outputs: rows of the table [M, width]. */
export const tokenTableOp: Op<TokenTableConfig> = {
  name: "project",
  int8: true,
  shape: (_inputs, { gates, tokens }) => [{ shape: [tokens.size, gateWidth(gates)] }],
  forward(trace, inputs, [z], { gates, live, tokens }) {
    const products = tokenTable(trace, required(inputs, 0), required(inputs, 1), inputs[2], gates);
    const width = gateWidth(gates);
    trace.call("f32_gather_rows", tokens.size, read(live), width, products, width, read(tokens), write(z), width);
  },
};
