/** A cell in a stack: by its kernel where that knows its options, else by its equations, step by step. */
import { activate, cellActivation, type ActivationInput } from "../activations.ts";
import { clip, mul } from "../../ops/elementwise.ts";
import { linear } from "../../ops/linear.ts";
import { select } from "../../ops/shape.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { CellDefinition, Step, StepScope, Weights, WeightsFor } from "./cell.ts";
import type { CellOptions, GatedCellOptions } from "./cell_options.ts";
import { fusedStage } from "./fused_stage.ts";
import type { Stage, StagePass } from "./stage.ts";
import { runSteps } from "./stepwise_stage.ts";

/** True if the cell has a kernel that knows its options: activations are elementwise, nothing is clipped. */
function isFused<C extends GatedCellOptions>(cell: CellDefinition<C>, config: C): boolean {
  const { cellClip, activation, recurrentActivation = "linear" } = config;
  const known = [activation!, recurrentActivation].every((input) => cellActivation(input) !== undefined);
  return cell.sequence !== undefined && known && cellClip === undefined && !cell.unfused?.(config);
}

/** What the equations of a cell use in this pass. */
function scopeOf<C extends GatedCellOptions>(
  { trace, masks, prefix }: StagePass,
  config: C,
  weights: Weights,
): StepScope<C> {
  const { activation, recurrentActivation, cellClip } = config;
  const expose = (name: string, value: Tensor, gradientOf = value): void =>
    trace.expose(
      prefix + name,
      () => value,
      (tape) => tape.gradient(gradientOf),
    );
  const activated = (name: string, input: ActivationInput, z: Tensor): Tensor => {
    const y = activate(input, cellClip === undefined ? z : clip(z, -cellClip, cellClip));
    expose(name, y, z); // the gradient of a gate is that of its pre-activation
    return y;
  };
  return {
    config,
    weights,
    dropped: (h) => (masks.state ? mul(h, masks.state) : h),
    gate: (name, z) => activated(name, recurrentActivation!, z),
    candidate: (name, z) => activated(name, activation!, z),
    expose,
  };
}

/** A cell by its equations. */
const equationStage = <C extends CellOptions>(cell: CellDefinition<C>, config: C, weightsFor: WeightsFor): Stage => {
  const states = cell.states(config);
  return {
    states,
    dropout: config.dropout!,
    recurrentDropout: config.recurrentDropout!,
    run(pass, x, initial) {
      const weights = weightsFor(x.shape[2]);
      const bias = weights.bias?.rank === 2 ? select(weights.bias, 0, 0) : weights.bias;
      const scope = scopeOf(pass, config, weights);
      const step: Step = (z, before) => {
        const [output, after] = cell.step(scope, z, before);
        states.forEach(({ name }, i) => scope.expose(name, after[i]));
        return [output, after];
      };
      const input = pass.masks.input ? mul(x, pass.masks.input) : x;
      const z = linear(input, weights.kernel, bias);
      return runSteps(pass, z, initial, states, step);
    },
  };
};

/** A cell of the library as a stage of a stack. */
export const cellStage = <C extends CellOptions>(cell: CellDefinition<C>, config: C, weightsFor: WeightsFor): Stage =>
  (isFused(cell, config) ? fusedStage : equationStage)(cell, config, weightsFor);
