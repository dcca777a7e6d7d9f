/** The cells' equations, one step in ops: for options that the kernels do not know. Each says in cells.ts when it needs them. */
import { add, affine, clip, mul } from "../../ops/elementwise.ts";
import { linear, matmul } from "../../ops/linear.ts";
import { select, slice } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { Trace } from "../../graph/trace.ts";
import { activate, type ActivationInput } from "../core/activations.ts";
import type { CellKind, CellOptions, GRUCellOptions, LSTMCellOptions } from "./cells.ts";
import { drawFor, type WeightsFor } from "./fused_stage.ts";
import type { Stage } from "./sequence_run.ts";
import { stepwiseStage, type CellStep } from "./stepwise_stage.ts";

/** What a step computes with besides x·W + b and the states. */
export interface Equations<C> {
  readonly trace: Trace;
  readonly config: C;
  readonly weights: Readonly<Record<string, Tensor>>;
  /** Recurrent dropout mask. */
  readonly drop: Tensor | undefined;
  /** Names of inner values start with this. */
  readonly prefix: string;
}

/** A cell run by its equations. */
export function equationStage<C extends CellOptions>(kind: CellKind<C>, config: C, weights: WeightsFor): Stage {
  const states = kind.states(config);
  return {
    states,
    draw: drawFor(kind, config),
    run(run, input, initial, stage) {
      const { drop, prefix } = stage;
      const own = weights(input.shape[2]);
      const bias = own.bias?.rank === 2 ? select(own.bias, 0, 0) : own.bias;
      const z = linear(drop.input ? mul(input, drop.input) : input, own.kernel, bias);
      z.steps = input.steps;
      return stepwiseStage(states, kind.step({ trace: run.trace, config, weights: own, drop: drop.state, prefix })).run(
        run,
        z,
        initial,
        stage,
      );
    },
  };
}

/** Columns of gate g of H units. */
const gateOf = (z: Tensor, g: number, H: number): Tensor => slice(z, [0, g * H], [-1, H]);

const dropped = (h: Tensor, drop: Tensor | undefined): Tensor => (drop ? mul(h, drop) : h);

/** A gate by its pre-activation, which is clipped first (ONNX). Its gradient is shown as that of the pre-activation. */
function gate(
  { trace, config, prefix }: Equations<CellOptions>,
  name: string | undefined,
  activation: ActivationInput,
  z: Tensor,
): Tensor {
  const { cellClip } = config;
  const y = activate(activation, cellClip === undefined ? z : clip(z, -cellClip, cellClip));
  if (name)
    trace.expose(
      prefix + name,
      () => y,
      (tape) => tape.gradient(z),
    );
  return y;
}

function shown({ trace, prefix }: Equations<CellOptions>, values: Readonly<Record<string, Tensor>>): void {
  for (const [name, value] of Object.entries(values))
    trace.expose(
      prefix + name,
      () => value,
      (tape) => tape.gradient(value),
    );
}

export const simpleRnnStep =
  (equations: Equations<CellOptions>): CellStep =>
  (z, [before]) => {
    const { config, weights, drop } = equations;
    const h = gate(
      equations,
      undefined,
      config.activation!,
      add(z, matmul(dropped(before, drop), weights.recurrent_kernel)),
    );
    shown(equations, { h });
    return [h, [h]];
  };

export const lstmStep =
  (equations: Equations<LSTMCellOptions>): CellStep =>
  (x, [hBefore, cBefore]) => {
    const {
      config: { units: H, activation, recurrentActivation, coupledInputForget },
      weights,
      drop,
    } = equations;
    const z = add(x, matmul(dropped(hBefore, drop), weights.recurrent_kernel));
    const peep = (g: number, peephole: Tensor | undefined, c: Tensor): Tensor =>
      peephole ? add(gateOf(z, g, H), mul(c, peephole)) : gateOf(z, g, H);
    const i = gate(equations, "i", recurrentActivation!, peep(0, weights.peephole_i, cBefore));
    const f = coupledInputForget
      ? affine(i, -1, 1)
      : gate(equations, "f", recurrentActivation!, peep(1, weights.peephole_f, cBefore));
    const g = gate(equations, "g", activation!, gateOf(z, 2, H));
    const c = add(mul(f, cBefore), mul(i, g));
    const o = gate(equations, "o", recurrentActivation!, peep(3, weights.peephole_o, c));
    const full = mul(o, activate(activation!, c));
    const h = weights.projection_kernel ? matmul(full, weights.projection_kernel) : full;
    shown(equations, coupledInputForget ? { f, c, h } : { c, h });
    return [h, [h, c]];
  };

export const gruStep =
  (equations: Equations<GRUCellOptions>): CellStep =>
  (x, [before]) => {
    const {
      config: { units: H, activation, recurrentActivation, resetAfter },
      weights: { recurrent_kernel: u, bias },
      drop,
    } = equations;
    const h = dropped(before, drop);
    const sum = (g: number, product: Tensor): Tensor => add(gateOf(x, g, H), product);
    const product = resetAfter ? linear(h, u, bias && select(bias, 1, 0)) : matmul(h, slice(u, [0, 0], [-1, 2 * H]));
    const z = gate(equations, "z", recurrentActivation!, sum(0, gateOf(product, 0, H)));
    const r = gate(equations, "r", recurrentActivation!, sum(1, gateOf(product, 1, H)));
    const n = gate(
      equations,
      "n",
      activation!,
      sum(2, resetAfter ? mul(r, gateOf(product, 2, H)) : matmul(mul(r, h), slice(u, [0, 2 * H], [-1, H]))),
    );
    const next = add(mul(z, before), mul(affine(z, -1, 1), n));
    shown(equations, { h: next });
    return [next, [next]];
  };
