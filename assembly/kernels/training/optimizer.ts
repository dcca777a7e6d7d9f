/**
 * Parameter updates: one pass over a module's flat parameters p, gradients g and slots.
 *
 *   all       g ← g + l2·p        p ← p − decay·p − step           both 0 when not asked for
 *   sgd       v ← momentum·v − rate·share·g       step = −v        Nesterov: rate·g − momentum·v
 *     torch   v ← momentum·v + share·g            step = rate·v    Nesterov: rate·(g + momentum·v)
 *   rmsprop   v ← rho·v + share·g²   a ← rho·a + share·g           u = g / √(v − a² + epsilon)
 *             m ← momentum·m + rate·u             step = m
 *     torch   m ← momentum·m + u                  step = rate·m    u = g / (√(v − a²) + epsilon)
 *             adagrad: rho = share = 1, no momentum
 *   adadelta  v ← rho·v + share·g²                u = g·√(a + epsilon) / √(v + epsilon)
 *             a ← rho·a + share·u²                step = rate·u
 *   adam      m ← beta1·m + share1·g              v ← beta2·v + share2·g²    w ← max(w, v)
 *             nadam: direct ≠ 0                   step = (rate·m + direct·g) / (√w + epsilon)
 *   adamax    m ← beta1·m + share1·g              u ← max(beta2·u, |g| + within)
 *                                                 step = rate·m / (u + epsilon)
 *   lion      step = rate·sign(beta1·m + share1·g)          m ← beta2·m + share2·g
 *   average   a ← keep·a + share·p                p ← a when write ≠ 0
 *
 * Layout    everything [n] floats. Slots start as zeros, Adagrad's as its initial accumulator value. hyper is a list of
 *           floats written before each step, in the order of each docblock (names: bindings/abi/hyperparameters.ts).
 *           Complements have a field of their own (share = 1 − rho) because 1 − 0.999 in floats has lost four digits.
 * Aliasing  none.
 * Guard     points at 0: nothing is touched, for a step whose gradients are not finite. No guard: no question.
 * Accuracy  slots below 1e-30 become 0: a slot that shrinks by a factor every step would end among the denormals and
 *           stay there, at a hundred times the cost.
 * Cost      memory; adam 28 bytes per parameter.
 */
import { flushTiny, LANES, madd, nmadd, storePartial } from "../../lib/f32x4";

// @ts-ignore: decorator
@inline
function put(p: usize, v: v128, count: usize): void {
  if (count >= LANES) v128.store(p, v);
  else storePartial(p, v, count);
}

// @ts-ignore: decorator
@inline
function field(hyper: usize, i: usize): v128 {
  return v128.load32_splat(hyper + (i << 2));
}

// @ts-ignore: decorator
@inline
function skipped(guard: usize): bool {
  return guard != 0 && load<i32>(guard) == 0;
}

/**
 * Stochastic gradient descent.
 *
 * @param n         parameters
 * @param g         in      [n]
 * @param p         in/out  [n]
 * @param v         in/out  [n] | 0   momentum; 0 = none
 * @param hyper     in      [6]       rate, l2, decay, momentum, share, torch
 * @param guard     in      [1] | 0   i32
 * @param nesterov  1 looks ahead
 *
 * share is 1 − dampening, and 1 in the first step.
 */
export function f32_sgd(n: usize, g: usize, p: usize, v: usize, hyper: usize, guard: usize, nesterov: i32): void {
  if (skipped(guard)) return;
  const rate = load<f32>(hyper);
  const torch = load<f32>(hyper, 20) != 0;
  const l2 = field(hyper, 1);
  const decay = field(hyper, 2);
  const momentum = field(hyper, 3);
  // both conventions, with and without Nesterov: v ← momentum·v + take·g, p ← p + along·v + straight·g
  const share = load<f32>(hyper, 16);
  const take = f32x4.splat(torch ? share : -rate * share);
  let ahead: f32 = torch ? -rate : 1;
  if (nesterov) ahead *= load<f32>(hyper, 12);
  const along = f32x4.splat(ahead);
  const straight = f32x4.splat(nesterov || !v ? -rate : 0);
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const old = v128.load(p + at);
    const d = madd(l2, old, v128.load(g + at));
    let y = madd(straight, d, nmadd(decay, old, old));
    if (v) {
      const velocity = flushTiny(madd(momentum, v128.load(v + at), f32x4.mul(take, d)));
      put(v + at, velocity, n - i);
      y = madd(along, velocity, y);
    }
    put(p + at, y, n - i);
  }
}

/**
 * Gradients over the root of their mean square.
 *
 * @param n      parameters
 * @param g      in      [n]
 * @param p      in/out  [n]
 * @param v      in/out  [n]      mean square
 * @param m      in/out  [n] | 0  momentum; 0 = none
 * @param a      in/out  [n] | 0  mean, for the centred variant; 0 = not centred
 * @param hyper  in      [8]      rate, l2, decay, momentum, rho, share = 1 − rho, epsilon, torch
 * @param guard  in      [1] | 0  i32
 */
export function f32_rmsprop(
  n: usize,
  g: usize,
  p: usize,
  v: usize,
  m: usize,
  a: usize,
  hyper: usize,
  guard: usize,
): void {
  if (skipped(guard)) return;
  const rate = load<f32>(hyper);
  const epsilon = load<f32>(hyper, 24);
  const torch = load<f32>(hyper, 28) != 0;
  const l2 = field(hyper, 1);
  const decay = field(hyper, 2);
  const momentum = field(hyper, 3);
  const rho = field(hyper, 4);
  const share = field(hyper, 5);
  const inside = f32x4.splat(torch ? 0 : epsilon);
  const outside = f32x4.splat(torch ? epsilon : 0);
  const early = f32x4.splat(torch ? 1 : rate);
  const late = f32x4.splat(torch ? rate : 1);
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const old = v128.load(p + at);
    const d = madd(l2, old, v128.load(g + at));
    const square = flushTiny(madd(rho, v128.load(v + at), f32x4.mul(share, f32x4.mul(d, d))));
    put(v + at, square, n - i);
    let variance = square;
    if (a) {
      const mean = flushTiny(madd(rho, v128.load(a + at), f32x4.mul(share, d)));
      put(a + at, mean, n - i);
      variance = f32x4.pmax(nmadd(mean, mean, square), f32x4.splat(0)); // rounding may take it below
    }
    const root = f32x4.add(f32x4.sqrt(f32x4.add(variance, inside)), outside);
    let step = f32x4.div(f32x4.mul(early, d), root);
    if (m) {
      step = flushTiny(madd(momentum, v128.load(m + at), step));
      put(m + at, step, n - i);
    }
    put(p + at, nmadd(late, step, nmadd(decay, old, old)), n - i);
  }
}

/**
 * Adam, AdamW (decay), AMSGrad (w) and Nadam (direct).
 *
 * @param n      parameters
 * @param g      in      [n]
 * @param p      in/out  [n]
 * @param m      in/out  [n]      mean
 * @param v      in/out  [n]      mean square
 * @param w      in/out  [n] | 0  largest mean square so far, for AMSGrad; 0 = v itself
 * @param hyper  in      [9]      rate, l2, decay, beta1, share1 = 1 − beta1, beta2, share2 = 1 − beta2, epsilon, direct
 * @param guard  in      [1] | 0  i32
 *
 * Bias corrections are in the fields: in step t, with r = √(1 − beta2ᵗ), rate = learning rate·r / (1 − beta1ᵗ), and
 * epsilon is Keras' as it is, PyTorch's times r.
 */
export function f32_adam(n: usize, g: usize, p: usize, m: usize, v: usize, w: usize, hyper: usize, guard: usize): void {
  if (skipped(guard)) return;
  const rate = field(hyper, 0);
  const l2 = field(hyper, 1);
  const decay = field(hyper, 2);
  const beta1 = field(hyper, 3);
  const share1 = field(hyper, 4);
  const beta2 = field(hyper, 5);
  const share2 = field(hyper, 6);
  const epsilon = field(hyper, 7);
  const direct = field(hyper, 8);
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const old = v128.load(p + at);
    const d = madd(l2, old, v128.load(g + at));
    const mean = flushTiny(madd(beta1, v128.load(m + at), f32x4.mul(share1, d)));
    let square = flushTiny(madd(beta2, v128.load(v + at), f32x4.mul(share2, f32x4.mul(d, d))));
    put(m + at, mean, n - i);
    put(v + at, square, n - i);
    if (w) {
      square = f32x4.pmax(v128.load(w + at), square);
      put(w + at, square, n - i);
    }
    const step = f32x4.div(madd(direct, d, f32x4.mul(rate, mean)), f32x4.add(f32x4.sqrt(square), epsilon));
    put(p + at, f32x4.sub(nmadd(decay, old, old), step), n - i);
  }
}

/**
 * Adam with the largest gradient instead of the mean square.
 *
 * @param n      parameters
 * @param g      in      [n]
 * @param p      in/out  [n]
 * @param m      in/out  [n]      mean
 * @param u      in/out  [n]      largest magnitude, which shrinks by beta2 a step
 * @param hyper  in      [8]      rate, l2, decay, beta1, share1 = 1 − beta1, beta2, epsilon, within
 * @param guard  in      [1] | 0  i32
 *
 * Keras adds epsilon to u where it divides by it, PyTorch within the maximum; the other one is 0.
 */
export function f32_adamax(n: usize, g: usize, p: usize, m: usize, u: usize, hyper: usize, guard: usize): void {
  if (skipped(guard)) return;
  const rate = field(hyper, 0);
  const l2 = field(hyper, 1);
  const decay = field(hyper, 2);
  const beta1 = field(hyper, 3);
  const share1 = field(hyper, 4);
  const beta2 = field(hyper, 5);
  const epsilon = field(hyper, 6);
  const within = field(hyper, 7);
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const old = v128.load(p + at);
    const d = madd(l2, old, v128.load(g + at));
    const mean = flushTiny(madd(beta1, v128.load(m + at), f32x4.mul(share1, d)));
    const largest = flushTiny(f32x4.max(f32x4.mul(beta2, v128.load(u + at)), f32x4.add(f32x4.abs(d), within)));
    put(m + at, mean, n - i);
    put(u + at, largest, n - i);
    const step = f32x4.div(f32x4.mul(rate, mean), f32x4.add(largest, epsilon));
    put(p + at, f32x4.sub(nmadd(decay, old, old), step), n - i);
  }
}

/**
 * Steps as large as the root mean square of former ones.
 *
 * @param n      parameters
 * @param g      in      [n]
 * @param p      in/out  [n]
 * @param v      in/out  [n]      mean square of gradients
 * @param a      in/out  [n]      mean square of steps
 * @param hyper  in      [6]      rate, l2, decay, rho, share = 1 − rho, epsilon
 * @param guard  in      [1] | 0  i32
 */
export function f32_adadelta(n: usize, g: usize, p: usize, v: usize, a: usize, hyper: usize, guard: usize): void {
  if (skipped(guard)) return;
  const rate = field(hyper, 0);
  const l2 = field(hyper, 1);
  const decay = field(hyper, 2);
  const rho = field(hyper, 3);
  const share = field(hyper, 4);
  const epsilon = field(hyper, 5);
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const old = v128.load(p + at);
    const d = madd(l2, old, v128.load(g + at));
    const square = flushTiny(madd(rho, v128.load(v + at), f32x4.mul(share, f32x4.mul(d, d))));
    const steps = v128.load(a + at);
    const root = f32x4.div(f32x4.sqrt(f32x4.add(steps, epsilon)), f32x4.sqrt(f32x4.add(square, epsilon)));
    const step = f32x4.mul(root, d);
    put(v + at, square, n - i);
    put(a + at, flushTiny(madd(rho, steps, f32x4.mul(share, f32x4.mul(step, step)))), n - i);
    put(p + at, nmadd(rate, step, nmadd(decay, old, old)), n - i);
  }
}

/**
 * Steps of one size, along the signs of a mean.
 *
 * @param n      parameters
 * @param g      in      [n]
 * @param p      in/out  [n]
 * @param m      in/out  [n]      mean
 * @param hyper  in      [7]      rate, l2, decay, beta1, share1 = 1 − beta1, beta2, share2 = 1 − beta2
 * @param guard  in      [1] | 0  i32
 */
export function f32_lion(n: usize, g: usize, p: usize, m: usize, hyper: usize, guard: usize): void {
  if (skipped(guard)) return;
  const rate = field(hyper, 0);
  const l2 = field(hyper, 1);
  const decay = field(hyper, 2);
  const beta1 = field(hyper, 3);
  const share1 = field(hyper, 4);
  const beta2 = field(hyper, 5);
  const share2 = field(hyper, 6);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const old = v128.load(p + at);
    const d = madd(l2, old, v128.load(g + at));
    const mean = v128.load(m + at);
    const direction = madd(beta1, mean, f32x4.mul(share1, d));
    // the difference of two masks is −1, 0 or 1; NaN is added so that it shows
    const sign = i32x4.sub(f32x4.lt(direction, zero), f32x4.gt(direction, zero));
    const step = f32x4.mul(rate, f32x4.add(f32x4.convert_i32x4_s(sign), f32x4.mul(direction, zero)));
    put(m + at, flushTiny(madd(beta2, mean, f32x4.mul(share2, d))), n - i);
    put(p + at, f32x4.sub(nmadd(decay, old, old), step), n - i);
  }
}

/**
 * Running mean of the weights.
 *
 * @param n      parameters
 * @param p      in/out  [n]      overwritten when write ≠ 0
 * @param a      in/out  [n]      mean
 * @param hyper  in      [3]      keep, share = 1 − keep, write
 * @param guard  in      [1] | 0  i32
 */
export function f32_average(n: usize, p: usize, a: usize, hyper: usize, guard: usize): void {
  if (skipped(guard)) return;
  const keep = field(hyper, 0);
  const share = field(hyper, 1);
  const write = load<f32>(hyper, 8) != 0;
  for (let i: usize = 0; i < n; i += LANES) {
    const at = i << 2;
    const mean = flushTiny(madd(keep, v128.load(a + at), f32x4.mul(share, v128.load(p + at))));
    put(a + at, mean, n - i);
    if (write) put(p + at, mean, n - i);
  }
}
