/** Activations by name: the codes and parameters that kernels know them by. */
import { OptionError } from "../errors.ts";
import { knownName } from "../options.ts";
import { unary } from "../ops/elementwise.ts";
import type { Activation } from "../ops/recurrent.ts";
import { logSoftmax, softmax } from "../ops/reduce.ts";
import type { Tensor } from "../program/tensor.ts";
import { UNARY_CODES, type UnaryName } from "../reference/unary.ts";

/** Public name → kernel name and parameters. */
const ELEMENTWISE: Record<string, { unary: UnaryName; alpha?: number; beta?: number }> = {
  linear: { unary: "linear" },
  tanh: { unary: "tanh" },
  sigmoid: { unary: "sigmoid" },
  relu: { unary: "relu" },
  exponential: { unary: "exp" },
  elu: { unary: "elu", alpha: 1 },
  selu: { unary: "selu" },
  relu6: { unary: "relu6" },
  leakyRelu: { unary: "leaky_relu", alpha: 0.2 },
  softplus: { unary: "softplus" },
  softsign: { unary: "softsign" },
  hardSigmoid: { unary: "hard_sigmoid" },
  hardSigmoidKeras2: { unary: "hard_sigmoid_keras2" },
  silu: { unary: "silu" },
  hardSilu: { unary: "hard_silu" },
  gelu: { unary: "gelu_erf" },
  geluTanh: { unary: "gelu_tanh" },
  mish: { unary: "mish" },
  celu: { unary: "celu", alpha: 1 },
  logSigmoid: { unary: "log_sigmoid" },
  tanhshrink: { unary: "tanhshrink" },
};

/** Activations over whole rows, which no cell can use. */
const ROWWISE: Record<string, (x: Tensor) => Tensor> = {
  softmax: (x) => softmax(x),
  logSoftmax: (x) => logSoftmax(x),
};

const KNOWN = [...Object.keys(ELEMENTWISE), ...Object.keys(ROWWISE)];

/**
 * The camelCase name of an activation.
 *
 * @throws OptionError naming the nearest known one
 */
export function activationName(subject: string, name: string): string {
  return knownName(subject, "activation", name, KNOWN);
}

/** Applies an activation to a layer's output. */
export function activate(name: string, x: Tensor): Tensor {
  if (name === "linear") return x;
  if (Object.hasOwn(ROWWISE, name)) return ROWWISE[name](x);
  const { unary: kernel, alpha, beta } = ELEMENTWISE[name];
  return unary(kernel, x, alpha, beta);
}

/**
 * An activation inside a cell.
 *
 * @throws OptionError for one over whole rows
 */
export function cellActivation(subject: string, name: string): Activation {
  if (!Object.hasOwn(ELEMENTWISE, name)) throw new OptionError(`${subject}: expected an elementwise activation in a cell, got "${name}"`);
  const { unary: kernel, alpha = 0, beta = 0 } = ELEMENTWISE[name];
  return { code: UNARY_CODES[kernel], alpha, beta };
}
