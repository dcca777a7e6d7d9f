/** Cells whose whole sequence is one kernel, over packed rows: padding costs nothing. */
import { dropoutMask } from "../../ops/dropout.ts";
import { mul } from "../../ops/elementwise.ts";
import type { Sequence } from "../../ops/recurrent/recurrent_config.ts";
import {
  lastShown,
  packRows,
  sortStates,
  unpack,
  unsortStates,
  type Rows,
} from "../../ops/recurrent/packed_sequence.ts";
import { gateWidth } from "../../ops/packed_weights.ts";
import type { GradientTape } from "../../graph/node.ts";
import { read, write, type Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import type { CellKind, CellOptions } from "./cells.ts";
import { chunksOf, runChunks } from "./chunked.ts";
import { held, rowOrder, stepsOf, type Stage, type StageDropout } from "./sequence_run.ts";

/** Gives a cell's weights for inputs of so many features. */
export type WeightsFor = (features: number) => Readonly<Record<string, Tensor>>;

/** Draws the dropout of a cell. */
export const drawFor =
  <C extends CellOptions>(kind: CellKind<C>, config: C) =>
  (B: number, I: number): StageDropout => ({
    input: dropoutMask([B, 1, I], config.dropout!),
    state: dropoutMask([B, kind.states(config)[0].size], config.recurrentDropout!),
  });

/** A cell run by its kernels. */
export function fusedStage<C extends CellOptions>(kind: CellKind<C>, config: C, weights: WeightsFor): Stage {
  return {
    states: kind.states(config),
    draw: drawFor(kind, config),
    run(run, input, initial, { prefix, sequence: all, drop, before }) {
      const { trace } = run;
      const [B, T, I] = input.shape;
      const steps = stepsOf(run, input);
      const rows = packRows(trace, B, T, steps, rowOrder(run, all));
      const x = drop.input ? mul(input, drop.input) : input;
      const mask = drop.state && sortStates(trace, drop.state, rows); // a row drops the same whichever rows it is sorted among
      const states = initial.map((state) => sortStates(trace, state, rows));
      const cell = { trace, weights: weights(I), x, rows, states, drop: mask };
      const chunks = steps
        ? undefined
        : chunksOf(cell, gateWidth({ G: kind.gates(config).length || 1, H: config.units }));
      const sequence = chunks
        ? runChunks(cell, config.units, chunks, (chunk) => kind.run(config, chunk))
        : kind.run(config, cell);
      exposeInner(trace, kind.gates(config), sequence, rows, [B, T, config.units], prefix);
      const final = sequence.final.map((state) => unsortStates(trace, state, rows));
      // in a stream the output of the run before is the state it left
      if (all)
        return {
          output: held(run, unpack(trace, sequence.h, rows), rows, trace.options.stream ? initial[0] : before),
          final,
        };
      return { output: rows.masked ? lastShown(trace, sequence.h, rows) : final[0], final };
    },
  };
}

/** Names gates and states for `inspect`, each [B, T, H]. */
function exposeInner(
  trace: Trace,
  gates: readonly string[],
  sequence: Sequence,
  rows: Rows,
  [B, T, H]: readonly number[],
  prefix: string,
): void {
  if (!trace.options.inspect) return;
  const N = B * T;
  const width = sequence.gates.shape[1];
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
