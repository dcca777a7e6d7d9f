/** Recording of one optimizer step: what follows the gradients of a batch. */
import { placed, type Operand } from "../graph/ir.ts";
import type { FlatRange, Parameter, ParameterBlock } from "../graph/parameter.ts";
import { read, type Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { eachTrainableRange } from "../program/traced_function.ts";
import type { ControlBlock } from "./control_block.ts";
import type { UpdateRule } from "./update_rule.ts";
import type { WeightSlots } from "./weight_slots.ts";

/** Added to a norm before dividing by it. */
const NORM_EPSILON = { keras: 0, torch: 1e-6 } as const;

/** What a step works on. */
export interface UpdateTarget {
  readonly model: ModuleBase;
  readonly rule: UpdateRule;
  readonly control: ControlBlock;
  readonly slots: WeightSlots;
  /** The trainable weights of each list of hyperparameters. */
  readonly groups: readonly ReadonlySet<Parameter>[];
}

const gradientAt = (block: ParameterBlock, { offset, size }: FlatRange): Operand =>
  placed(block.gradientPtr() + offset * 4, size * 4);
const weightAt = (block: ParameterBlock, { offset, size }: FlatRange): Operand =>
  placed(block.ptr + offset * 4, size * 4);

/**
 * Records one step: the check that loss and gradients are finite, their accumulation, clipping, the update of each run of
 * neighbouring weights, averages of the weights, constraints. Kernels do nothing when the check fails.
 */
export function recordUpdate(trace: Trace, target: UpdateTarget, loss: Tensor): void {
  const { model, rule, control, slots } = target;
  const accumulates = rule.stepsPerUpdate > 1;
  if (accumulates) addKeptGradients(trace, target);
  sumSquares(trace, target);
  trace.call("f32_guard", control.at("sumOfSquares"), read(loss), 0, control.at("finite"));
  if (accumulates) accumulate(trace, target, loss);
  clip(trace, target, accumulates);
  updateWeights(trace, target, control.at(accumulates ? "open" : "finite"));
  if (rule.averages)
    eachTrainableRange(model, (block, range) =>
      trace.call(
        "f32_average",
        range.size,
        weightAt(block, range),
        slots.operand(block, range, "ema"),
        control.at("average"),
        control.at("finite"),
      ),
    );
  constrain(trace, model);
}

/** Adds the gradients of former steps, which are kept until an update is due. */
function addKeptGradients(trace: Trace, { model, slots }: UpdateTarget): void {
  eachTrainableRange(model, (block, range) => {
    const gradient = gradientAt(block, range);
    trace.call("f32_vadd", range.size, gradient, slots.operand(block, range, "gradients"), gradient);
  });
}

/** Keeps the gradients for later steps, or, when an update is due, makes them the mean over its steps. */
function accumulate(trace: Trace, { model, rule, control, slots }: UpdateTarget, loss: Tensor): void {
  trace.call("f32_guard", control.at("sumOfSquares"), read(loss), control.at("due"), control.at("open"));
  eachTrainableRange(model, (block, range) =>
    trace.call(
      "f32_accumulate",
      range.size,
      gradientAt(block, range),
      slots.operand(block, range, "gradients"),
      control.at("due"),
      control.at("finite"),
      1 / rule.stepsPerUpdate,
    ),
  );
}

/** Records the square of the norm of all gradients. */
function sumSquares(trace: Trace, { model, control }: UpdateTarget): void {
  trace.call("f32_fill", 2, control.at("sumOfSquares"), 0);
  eachTrainableRange(model, (block, range) =>
    trace.call("f32_rsumsq_acc", range.size, gradientAt(block, range), control.at("sumOfSquares")),
  );
}

/** @param changed  whether gradients have changed since their squares were summed */
function clip(trace: Trace, target: UpdateTarget, changed: boolean): void {
  const { model, rule, control } = target;
  const { clipNorm, globalClipNorm, clipValue } = rule.clipping;
  const epsilon = NORM_EPSILON[rule.convention];
  if (clipNorm !== undefined) clipEach(trace, target, clipNorm, epsilon);
  if (globalClipNorm !== undefined && (changed || clipNorm !== undefined)) sumSquares(trace, target);
  eachTrainableRange(model, (block, range) => {
    const gradient = gradientAt(block, range);
    if (globalClipNorm !== undefined)
      trace.call("f32_clip_norm", range.size, gradient, control.at("sumOfSquares"), globalClipNorm, epsilon);
    if (clipValue !== undefined) trace.call("f32_clip_value", range.size, gradient, clipValue);
  });
}

/** Records the clipping of each weight's gradient by its own norm. */
function clipEach(trace: Trace, { model, control }: UpdateTarget, limit: number, epsilon: number): void {
  for (const [, parameter] of model.trainableParameters()) {
    const gradient = gradientAt(parameter.block!, parameter);
    const sum = control.at("weightSum");
    trace.call("f32_fill", 2, sum, 0);
    trace.call("f32_rsumsq_acc", parameter.size, gradient, sum);
    trace.call("f32_clip_norm", parameter.size, gradient, sum, limit, epsilon);
  }
}

/** Records the optimizer's kernel over each run of neighbouring weights with the same hyperparameters. */
function updateWeights(trace: Trace, { model, rule, control, slots, groups }: UpdateTarget, guard: Operand): void {
  for (const [i, weights] of groups.entries()) {
    for (const block of model.parameterBlocks()) {
      for (const range of block.rangesOf(weights)) {
        const update = {
          size: range.size,
          gradient: gradientAt(block, range),
          parameter: weightAt(block, range),
          hyper: control.hyperAt(i),
          guard,
        };
        rule.record(trace, update, (name) => slots.operand(block, range, name));
      }
    }
  }
}

/** Records the constraints of weights, which hold after every update. */
function constrain(trace: Trace, model: ModuleBase): void {
  for (const [, parameter] of model.trainableParameters()) {
    const { constraint } = parameter;
    if (!constraint) continue;
    const weight = trace.parameter(parameter);
    trace.copy(
      trace.run(() => constraint(weight)),
      weight,
    );
  }
}
