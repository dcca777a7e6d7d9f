/** Cells whose whole sequence is one kernel, over packed rows: padding is not computed. */
import type { ActivationRecord } from "../../abi/records.ts";
import { cellActivation } from "../activations.ts";
import { mul } from "../../ops/elementwise.ts";
import { project } from "../../ops/recurrent/input_projection.ts";
import {
  lastShown,
  packRows,
  sortStates,
  unpack,
  unsortStates,
  type PackedSequence,
} from "../../ops/recurrent/packed_sequence.ts";
import type { Sequence } from "../../ops/recurrent/recurrent_config.ts";
import { gateWidth } from "../../ops/packed_weights.ts";
import type { GradientTape } from "../../graph/node.ts";
import { read, write, type Tensor } from "../../graph/tensor.ts";
import type { CellDefinition, WeightsFor } from "./cell.ts";
import type { GatedCellOptions } from "./cell_options.ts";
import { chunksOf, runChunks, type SequencePart } from "./chunked.ts";
import type { Stage, StagePass } from "./stage.ts";
import { repeatBefore } from "./states.ts";

/** [activation, recurrentActivation] as kernels take them; undefined for tanh and sigmoid, which they have fused. */
function kernelActivations({ activation, recurrentActivation }: GatedCellOptions): ActivationRecord[] | undefined {
  if (activation === "tanh" && (recurrentActivation ?? "sigmoid") === "sigmoid") return undefined;
  const inputs = recurrentActivation === undefined ? [activation!] : [activation!, recurrentActivation];
  return inputs.map((input) => cellActivation(input)!);
}

/** A cell by its kernel. */
export const fusedStage = <C extends GatedCellOptions>(
  cell: CellDefinition<C>,
  config: C,
  weightsFor: WeightsFor,
): Stage => ({
  states: cell.states(config),
  dropout: config.dropout!,
  recurrentDropout: config.recurrentDropout!,
  run(pass, input, initial) {
    const { trace, steps, order, everyStep, masks, before } = pass;
    const [B, T, I] = input.shape;
    const rows = packRows(trace, B, T, steps, order);
    const x = masks.input ? mul(input, masks.input) : input;
    const drop = masks.state && sortStates(trace, masks.state, rows); // so that sorting changes no row's dropout
    const states = initial.map((state) => sortStates(trace, state, rows));
    const weights = weightsFor(I);
    const { kernel, bias } = weights;
    const { units: H } = config;
    const gates = { G: kernel.shape[1] / H, H };
    const activations = kernelActivations(config);
    const run = ({ x, rows, states, into }: SequencePart): Sequence => {
      const options = { rows, H, into, activations };
      return cell.sequence!(
        { trace, config, weights, drop, options },
        project(trace, x, kernel, bias, rows, gates),
        states,
      );
    };
    const whole = { x, rows, states };
    const chunks = steps ? undefined : chunksOf(trace, whole, weights, gateWidth(gates));
    const sequence = chunks ? runChunks(trace, whole, chunks, H, run) : run(whole);
    exposeInner(pass, cell.gates, sequence, rows, H);
    const final = sequence.final.map((state) => unsortStates(trace, state, rows));
    if (!everyStep) return { output: rows.masked ? lastShown(trace, sequence.h, rows) : final[0], final };
    // in a stream the output before the first step is the state that the last run left
    const former = trace.options.stream ? initial[0] : before;
    return { output: repeatBefore(pass, unpack(trace, sequence.h, rows), rows, former), final };
  },
});

/** Names gates and states for `inspect`, each [B, T, H]. */
function exposeInner(
  { trace, prefix }: StagePass,
  gates: readonly string[],
  sequence: Sequence,
  rows: PackedSequence,
  H: number,
): void {
  if (!trace.options.inspect) return;
  const [N, width] = sequence.gates.shape;
  const gateOf = (g: number): Tensor => {
    const gate = trace.tensor([N, H]);
    trace.call(
      "f32_unpermute_gate",
      N,
      read(rows.count),
      gates.length,
      H,
      g,
      read(sequence.gates),
      width,
      write(gate),
      H,
    );
    return unpack(trace, gate, rows);
  };
  // after the backward pass the gates' buffer holds the gradients of their pre-activations
  gates.forEach((name, g) =>
    trace.expose(
      prefix + name,
      () => gateOf(g),
      () => gateOf(g),
    ),
  );
  const gradientOf =
    (inner: Tensor) =>
    (tape: GradientTape): Tensor | undefined => {
      const gradient = tape.gradient(inner);
      return gradient && unpack(trace, gradient, rows);
    };
  for (const [name, inner] of Object.entries({ ...sequence.inner, h: sequence.h })) {
    trace.expose(prefix + name, () => unpack(trace, inner, rows), gradientOf(inner));
  }
}
