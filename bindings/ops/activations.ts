/** Activations: the elementwise ones by name, with the parameters of those that have any. */
import { OptionError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import type { Tensor } from "../graph/tensor.ts";
import { UNARY_CODES, type UnaryName } from "../abi/unary_codes.ts";
import { unary, type UnaryConfig } from "./elementwise.ts";

/** Parameters of an activation, as the caller gives them. */
export interface ActivationParameters {
  /** First parameter: see the table of {@link ActivationInput}. */
  readonly alpha?: number | undefined;
  /** Second parameter: see the table of {@link ActivationInput}. */
  readonly beta?: number | undefined;
}

/** How kernels know an activation, and the defaults of the parameters that it has. */
interface Row extends ActivationParameters {
  readonly kernel: UnaryName;
  /** The kernel for given parameters, where the defaults have one of their own. */
  readonly general?: UnaryName;
}

const ROWS = {
  linear: { kernel: "linear" },
  tanh: { kernel: "tanh" },
  sigmoid: { kernel: "sigmoid" },
  relu: { kernel: "relu" },
  exponential: { kernel: "exp" },
  elu: { kernel: "elu", alpha: 1 },
  selu: { kernel: "selu" },
  relu6: { kernel: "relu6" },
  leakyRelu: { kernel: "leaky_relu", alpha: 0.2 },
  softplus: { kernel: "softplus" },
  softsign: { kernel: "softsign" },
  hardSigmoid: { kernel: "hard_sigmoid", general: "clipped_affine", alpha: 1 / 6, beta: 0.5 },
  hardSigmoidKeras2: { kernel: "hard_sigmoid_keras2" },
  silu: { kernel: "silu" },
  hardSilu: { kernel: "hard_silu" },
  gelu: { kernel: "gelu_erf" },
  geluTanh: { kernel: "gelu_tanh" },
  mish: { kernel: "mish" },
  celu: { kernel: "celu", alpha: 1 },
  logSigmoid: { kernel: "log_sigmoid" },
  tanhshrink: { kernel: "tanhshrink" },
  softShrink: { kernel: "soft_shrink", alpha: 0.5 },
  hardShrink: { kernel: "hard_shrink", alpha: 0.5 },
  squareplus: { kernel: "squareplus", alpha: 4 },
  affine: { kernel: "affine", alpha: 1, beta: 0 },
  scaledTanh: { kernel: "scaled_tanh", alpha: 1, beta: 1 },
  thresholdedRelu: { kernel: "thresholded_relu", alpha: 1 },
} as const satisfies Record<string, Row>;

export type ElementwiseName = keyof typeof ROWS;

export const ELEMENTWISE: Readonly<Record<ElementwiseName, Row>> = ROWS;

/** What must hold for a parameter besides being finite. */
const NOT_NEGATIVE = new Set<string>(["softShrink", "hardShrink", "squareplus"]);

/** The parameters that an activation has. */
export const parametersOf = (name: ElementwiseName): ("alpha" | "beta")[] =>
  (["alpha", "beta"] as const).filter((parameter) => ELEMENTWISE[name][parameter] !== undefined);

/**
 * An activation as kernels take it.
 *
 * @param subject  who was given the parameters, for errors
 * @throws OptionError for a parameter outside of its range
 */
export function elementwise(
  name: ElementwiseName,
  given: ActivationParameters = {},
  subject: string = name,
): UnaryConfig & { readonly kernel: UnaryName } {
  const { kernel: usual, general = usual, alpha = 0, beta = 0 } = ELEMENTWISE[name];
  const own = given.alpha !== undefined || given.beta !== undefined;
  const parameters = { alpha: given.alpha ?? alpha, beta: given.beta ?? beta };
  for (const [parameter, value] of Object.entries(parameters)) {
    if (!Number.isFinite(value))
      throw new OptionError(`${subject}: expected ${parameter} to be a finite number, got ${shown(value)}`);
  }
  if (name === "celu" && parameters.alpha === 0)
    throw new OptionError(`${subject}: expected alpha to be other than 0, got 0`);
  if (NOT_NEGATIVE.has(name) && parameters.alpha < 0)
    throw new OptionError(`${subject}: expected alpha ≥ 0, got ${parameters.alpha}`);
  const kernel = own ? general : usual;
  return { kernel, code: UNARY_CODES[kernel], ...parameters };
}

/** Applies an activation by name. */
export function applied(name: ElementwiseName, x: Tensor, given: ActivationParameters = {}): Tensor {
  const { kernel, alpha, beta } = elementwise(name, given);
  return unary(kernel, x, alpha, beta);
}

/** x above 0, alpha·(eˣ − 1) below. */
export const elu = (x: Tensor, alpha?: number): Tensor => applied("elu", x, { alpha });
/** 1.0507·x above 0, 1.0507·1.6733·(eˣ − 1) below (Klambauer et al. 2017). */
export const selu = (x: Tensor): Tensor => applied("selu", x);
/** x above 0, alpha·(e^(x/alpha) − 1) below; alpha is not 0. */
export const celu = (x: Tensor, alpha?: number): Tensor => applied("celu", x, { alpha });
/** x between 0 and 6, which it does not leave. */
export const relu6 = (x: Tensor): Tensor => applied("relu6", x);
/** x above 0, alpha·x below; alpha is 0.2 by default, as in Keras. */
export const leakyRelu = (x: Tensor, alpha?: number): Tensor => applied("leakyRelu", x, { alpha });
/** x where x > alpha, else 0; alpha is 1 by default. */
export const thresholdedRelu = (x: Tensor, alpha?: number): Tensor => applied("thresholdedRelu", x, { alpha });
/** alpha·tanh(beta·x); both are 1 by default. */
export const scaledTanh = (x: Tensor, alpha?: number, beta?: number): Tensor =>
  applied("scaledTanh", x, { alpha, beta });
/** ln(1 + eˣ). */
export const softplus = (x: Tensor): Tensor => applied("softplus", x);
/** x / (1 + |x|). */
export const softsign = (x: Tensor): Tensor => applied("softsign", x);
/** max(0, min(1, alpha·x + beta)); x/6 + ½ by default, as in Keras 3. */
export const hardSigmoid = (x: Tensor, alpha?: number, beta?: number): Tensor =>
  applied("hardSigmoid", x, { alpha, beta });
/** x·σ(x). */
export const silu = (x: Tensor): Tensor => applied("silu", x);
/** x·max(0, min(1, x/6 + ½)). */
export const hardSilu = (x: Tensor): Tensor => applied("hardSilu", x);
/** x·Φ(x), Φ being the normal distribution (Hendrycks and Gimpel 2016). */
export const gelu = (x: Tensor): Tensor => applied("gelu", x);
/** Gelu by tanh: x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export const geluTanh = (x: Tensor): Tensor => applied("geluTanh", x);
/** x·tanh(ln(1 + eˣ)) (Misra 2019). */
export const mish = (x: Tensor): Tensor => applied("mish", x);
/** ln σ(x). */
export const logSigmoid = (x: Tensor): Tensor => applied("logSigmoid", x);
/** x − tanh x. */
export const tanhshrink = (x: Tensor): Tensor => applied("tanhshrink", x);
/** x moved towards 0 by alpha, 0 where it would pass it; alpha is ½ by default. */
export const softShrink = (x: Tensor, alpha?: number): Tensor => applied("softShrink", x, { alpha });
/** x where |x| > alpha, else 0; alpha is ½ by default. */
export const hardShrink = (x: Tensor, alpha?: number): Tensor => applied("hardShrink", x, { alpha });
/** (x + √(x² + alpha)) / 2; alpha is 4 by default. */
export const squareplus = (x: Tensor, alpha?: number): Tensor => applied("squareplus", x, { alpha });
