/** Matrices in the form that products read: column panels, kept until the weight changes when it is a parameter. */
import { PackedWeight, type Parameter } from "../graph/parameter.ts";
import { Storage, type Call, type KernelName, type Operand } from "../graph/ir.ts";
import { read, type Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";
import { panelWidth } from "../abi/panel.ts";

type Recorder = (kernel: KernelName, ...args: (number | Operand)[]) => void;

/** The parameter that a tensor of a trace is, if it is one. */
export const parameterOf = (w: Tensor | undefined): Parameter | undefined =>
  w?.origin.get("parameter") as Parameter | undefined;

/**
 * Something computed from weights alone.
 *
 * @param weights  those it is computed from; what was packed is freed with the first
 * @param key      what it is, the same for the same result
 * @param floats   how large it is
 * @param record   records the calls that write it
 */
export function packedWeight(
  trace: Trace,
  weights: readonly Tensor[],
  key: string,
  floats: number,
  record: (call: Recorder, out: Operand) => void,
): Operand {
  const parameters = weights.map(parameterOf).filter((parameter) => parameter !== undefined);
  if (parameters.length < weights.length) {
    const storage = new Storage(floats * 4);
    record((kernel, ...args) => trace.call(kernel, ...args), { storage, offset: 0, reads: false, writes: true });
    return { storage, offset: 0, reads: true, writes: false };
  }
  const [owner, ...others] = parameters;
  const full = [key, ...others.map(({ serial }) => serial)].join(" ");
  let packed = owner.packed.get(full);
  if (!packed) {
    const storage = new Storage(floats * 4, { pinned: true });
    const calls: Call[] = [];
    record((kernel, ...args) => calls.push({ kernel, args, scope: trace.scope }), {
      storage,
      offset: 0,
      reads: false,
      writes: true,
    });
    packed = new PackedWeight(parameters, storage, calls);
    owner.packed.set(full, packed);
  }
  trace.packedWeights.add(packed);
  return { storage: packed.storage, offset: 0, reads: true, writes: false };
}

/** The same bytes from so many floats on. */
export const shifted = (operand: Operand | 0, floats: number): Operand => {
  const { offset, ...rest } = operand as Operand;
  return { ...rest, offset: offset + floats * 4 };
};

/** Panels of w [K, N]. */
export function panels(trace: Trace, w: Tensor): Operand {
  const [K, N] = w.shape;
  return packedWeight(trace, [w], "nn", K * panelWidth(N), (call, out) => call("f32_pack_nn", K, N, read(w), N, out));
}

/** Panels of the transpose of w [N, K]: products with it contract over w's columns. */
export function panelsOfTranspose(trace: Trace, w: Tensor): Operand {
  const [N, K] = w.shape;
  return packedWeight(trace, [w], "nt", K * panelWidth(N), (call, out) => call("f32_pack_nt", K, N, read(w), K, out));
}

/** Gates of a weight: which of its columns, G groups of H from `first` on. */
export interface Gates {
  readonly G: number;
  readonly H: number;
  /** Column where they start. */
  readonly first?: number;
}

/** Length of a row of gates in panel order. */
export const gateWidth = ({ G, H }: Gates): number => G * panelWidth(H);

/** Panels of w's gates, w [K, ≥ first + G·H], columns in panel order. */
export function gatePanels(trace: Trace, w: Tensor, gates: Gates): Operand {
  const [K, columns] = w.shape;
  const { G, H, first = 0 } = gates;
  return packedWeight(trace, [w], `gates nn ${G} ${H} ${first}`, K * gateWidth(gates), (call, out) =>
    call("f32_pack_gates_nn", K, G, H, shifted(read(w), first), columns, out),
  );
}

/** Panels of the transpose of w's gates: rows in panel order. */
export function gatePanelsOfTranspose(trace: Trace, w: Tensor, gates: Gates): Operand {
  const [N, columns] = w.shape;
  const { G, H, first = 0 } = gates;
  return packedWeight(trace, [w], `gates nt ${G} ${H} ${first}`, gateWidth(gates) * panelWidth(N), (call, out) =>
    call("f32_pack_gates_nt", G, H, N, shifted(read(w), first), columns, out),
  );
}

/** A row of biases [G·H], which starts `row` rows into the bias, in panel order. */
export function gateBias(trace: Trace, bias: Tensor, gates: Gates, row = 0): Operand {
  const { G, H } = gates;
  return packedWeight(trace, [bias], `bias ${G} ${H} ${row}`, gateWidth(gates), (call, out) =>
    call("f32_permute_gates", 1, G, H, shifted(read(bias), row * G * H), G * H, out, gateWidth(gates)),
  );
}
