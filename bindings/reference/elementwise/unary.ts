/** The elementwise functions: values and derivatives. */
import { UNARY_CODES, type UnaryName } from "../../abi/unary_codes.ts";
import { normalCdf, normalDensity } from "./normal.ts";

/** y = f(x, α, β), and f′ given x and y. */
interface UnaryFunction {
  f(x: number, alpha: number, beta: number): number;
  slope(x: number, y: number, alpha: number, beta: number): number;
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** Math.min and max, but the first operand when it is NaN. */
const clip = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);
const when = (condition: boolean, slope = 1): number => (condition ? slope : 0);

/** The inner argument of the GELU by tanh, doubled: ½·(1 + tanh(u / 2)) = σ(u). */
const geluArgument = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const geluArgumentSlope = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
/** d(x·σ(u))/dx, its second term cut off where σ is 0 or 1 in any precision. */
const gatedSlope = (s: number, x: number, uSlope: number): number =>
  s === 0 || s === 1 ? s : s + x * s * (1 - s) * uSlope;

function mishSlope(x: number): number {
  const t = Math.tanh(softplus(x));
  return t === 1 ? 1 : t + x * (1 - t * t) * sigmoid(x);
}

const functions: Record<UnaryName, UnaryFunction> = {
  linear: { f: (x) => x, slope: () => 1 },
  tanh: { f: (x) => Math.tanh(x), slope: (_, y) => 1 - y * y },
  sigmoid: { f: sigmoid, slope: (_, y) => y * (1 - y) },
  relu: { f: (x) => (x < 0 ? 0 : x), slope: (x) => when(x > 0) },
  exp: { f: (x) => Math.exp(x), slope: (_, y) => y },
  log: { f: (x) => Math.log(x), slope: (x) => 1 / x },
  sqrt: { f: (x) => Math.sqrt(x), slope: (_, y) => 0.5 / y },
  square: { f: (x) => x * x, slope: (x) => 2 * x },
  abs: { f: (x) => Math.abs(x), slope: (x) => when(x > 0) - when(x < 0) },
  neg: { f: (x) => -x, slope: () => -1 },
  reciprocal: { f: (x) => 1 / x, slope: (_, y) => -y * y },
  elu: { f: (x, a) => (x > 0 ? x : a * Math.expm1(x)), slope: (x, _, a) => (x > 0 ? 1 : a * Math.exp(x)) },
  leaky_relu: { f: (x, a) => (x > 0 ? x : a * x), slope: (x, _, a) => (x > 0 ? 1 : a) },
  softplus: { f: softplus, slope: sigmoid },
  softsign: { f: (x) => x / (1 + Math.abs(x)), slope: (x) => 1 / (1 + Math.abs(x)) ** 2 },
  hard_sigmoid: { f: (x) => clip(x / 6 + 0.5, 0, 1), slope: (x) => when(x > -3 && x < 3, 1 / 6) },
  hard_sigmoid_keras2: { f: (x) => clip(0.2 * x + 0.5, 0, 1), slope: (x) => when(x > -2.5 && x < 2.5, 0.2) },
  selu: {
    f: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
    slope: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * Math.exp(x)),
  },
  relu6: { f: (x) => clip(x, 0, 6), slope: (x) => when(x > 0 && x < 6) },
  silu: { f: (x) => x * sigmoid(x), slope: (x) => gatedSlope(sigmoid(x), x, 1) },
  gelu_tanh: {
    f: (x) => x * sigmoid(geluArgument(x)),
    slope: (x) => gatedSlope(sigmoid(geluArgument(x)), x, geluArgumentSlope(x)),
  },
  gelu_erf: { f: (x) => x * normalCdf(x), slope: (x) => normalCdf(x) + clip(x, -40, 40) * normalDensity(x) },
  mish: { f: (x) => x * Math.tanh(softplus(x)), slope: mishSlope },
  log_sigmoid: { f: (x) => -softplus(-x), slope: (x) => sigmoid(-x) },
  tanhshrink: { f: (x) => x - Math.tanh(x), slope: (x) => Math.tanh(x) ** 2 },
  hard_silu: { f: (x) => x * clip(x / 6 + 0.5, 0, 1), slope: (x) => (x < 3 ? when(x > -3, x / 3 + 0.5) : 1) },
  celu: { f: (x, a) => (x > 0 ? x : a * Math.expm1(x / a)), slope: (x, _, a) => (x > 0 ? 1 : Math.exp(x / a)) },
  affine: { f: (x, a, b) => a * x + b, slope: (_x, _y, a) => a },
  scaled_tanh: { f: (x, a, b) => a * Math.tanh(b * x), slope: (x, _, a, b) => a * b * (1 - Math.tanh(b * x) ** 2) },
  thresholded_relu: { f: (x, a) => (x <= a ? 0 : x), slope: (x, _, a) => when(x > a) },
  clipped_affine: {
    f: (x, a, b) => clip(a * x + b, 0, 1),
    slope: (x, _, a, b) => when(a * x + b > 0 && a * x + b < 1, a),
  },
  clip: { f: clip, slope: (x, _, a, b) => when(x >= a && x <= b) },
  rsqrt: { f: (x) => 1 / Math.sqrt(x), slope: (_, y) => -0.5 * y ** 3 },
  sign: { f: (x) => when(x > 0) - when(x < 0), slope: () => 0 },
  soft_shrink: { f: (x, a) => x - clip(x, -a, a), slope: (x, _, a) => when(Math.abs(x) > a) },
  hard_shrink: { f: (x, a) => (Math.abs(x) <= a ? 0 : x), slope: (x, _, a) => when(Math.abs(x) > a) },
  squareplus: {
    f: (x, a) => Math.max(x, 0) + a / 2 / (Math.abs(x) + Math.sqrt(x * x + a)),
    slope: (x, y) => y / (2 * y - x),
  },
};

const byCode = Object.entries(UNARY_CODES).reduce<UnaryFunction[]>((table, [name, code]) => {
  table[code] = functions[name as UnaryName];
  return table;
}, []);

/** f(x) for the function with this code. */
export const unary = (code: number, x: number, alpha: number, beta: number): number => byCode[code].f(x, alpha, beta);

/** f′(x), given y = f(x) too. */
export const unaryGrad = (code: number, x: number, y: number, alpha: number, beta: number): number =>
  byCode[code].slope(x, y, alpha, beta);
