/** What back-propagation walks over: ops as they were applied, and the gradients that each of them is given and gives. */
import type { Tensor } from "./tensor.ts";

/** Inputs of an op; optional ones may be absent. */
export type Inputs = readonly (Tensor | undefined)[];

/** An op as it was applied. */
export interface Node {
  readonly inputs: Inputs;
  readonly outputs: readonly Tensor[];
  /** Path of the module that applied it. */
  readonly scope: string;
  /** Records the calls that turn gradients of the outputs into those of the inputs. */
  backward(grads: GradientSink): void;
}

/** Gradients by tensor, as far as they are recorded. */
export interface GradientTape {
  /** The gradient of a tensor, or undefined when nothing depends on it. */
  gradient(tensor: Tensor): Tensor | undefined;
  /** Takes a gradient as it is, or adds it to the one there is. */
  add(tensor: Tensor, gradient: Tensor): void;
  /** Records the backward of ops, the last one first; those whose outputs nothing depends on are left out. */
  walk(nodes: readonly Node[]): void;
}

/**
 * The gradients around one op. An op asks where to put the gradient of an input: `overwrite` gives a fresh place,
 * `accumulate` one to add to (a parameter's own, or zeros), `pass` hands on an existing tensor without copying.
 */
export interface GradientSink {
  /** True if the gradient of this input is required. */
  needs(input: number): boolean;
  /** The gradient of an output, or undefined when nothing depends on it. */
  of(output: number): Tensor | undefined;
  /** A place for the gradient of this input, to be written whole. */
  overwrite(input: number): Tensor;
  /** A place that holds the gradient of this input so far, to be added to. */
  accumulate(input: number): Tensor;
  /** Makes `gradient` that of this input, under the input's shape. Copies when another input has it already. */
  pass(input: number, gradient: Tensor): void;
  /** Goes back over ops that were applied in place of this one, from outputs that stand for its own. */
  through(nodes: readonly Node[], outputs: readonly Tensor[]): void;
  /** Gradients of the tensors of one step of the loop that is being recorded. What all steps share is summed up outside of it. */
  forStep(): GradientTape;
}
