/**
 * The elementwise half of a time step of the GRU that resets after the product: kernels/recurrent/gru_reset_after.ts
 * says the rest.
 *
 * Each row is passed over twice, for z and r and then for n, which waits for r (measured: 2 % of a whole step).
 *
 * F and S are the codes of activation and recurrent activation, literal at the call: tanh and σ, or ANY twice.
 */
import { activate, ANY, differentiate, RECURRENT } from "../elementwise/activation";
import { flushTiny, madd } from "../f32x4";
import { gateOffset, gateStride, panelWidth } from "../linear/panel";
import { flush, storeUnits, unitLanes } from "./gates";

/**
 * Gates and state; a = h(t−1)·U + bu. Other arguments as in f32_gru_reset_after_seq_fwd, from the step's first row on.
 */
// @ts-ignore: decorator
@inline
export function gruForward(
  F: i32,
  S: i32,
  rows: usize,
  H: usize,
  hBefore: usize,
  a: usize,
  gates: usize,
  pre: usize,
  hn: usize,
  h: usize,
  keep: usize,
  acts: usize,
): void {
  const Hp = panelWidth(H);
  const width = Hp * 12;
  const one = f32x4.splat(1);
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const z = gateOffset(3, j),
        r = z + gateStride(H, j);
      const zz = f32x4.add(v128.load(gates + z), v128.load(a + z));
      const zr = f32x4.add(v128.load(gates + r), v128.load(a + r));
      v128.store(gates + z, activate(S, acts + RECURRENT, zz));
      v128.store(gates + r, activate(S, acts + RECURRENT, zr));
      if (F != ANY || !pre) continue;
      v128.store(pre + z, zz);
      v128.store(pre + r, zr);
    }
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const z = gateOffset(3, j),
        r = z + gateStride(H, j),
        n = r + gateStride(H, j);
      const candidate = v128.load(a + n);
      const zn = madd(v128.load(gates + r), candidate, v128.load(gates + n));
      const y = activate(F, acts, zn);
      const share = v128.load(gates + z);
      const now = madd(share, v128.load(hBefore + at), f32x4.mul(f32x4.sub(one, share), y));
      storeUnits(h + at, flushTiny(now), H, j);
      if (!keep) continue;
      v128.store(gates + n, y);
      v128.store(hn + at, candidate);
      if (F == ANY && pre) v128.store(pre + n, zn);
    }
    a += width;
    gates += width;
    if (pre) pre += width;
    hn += Hp << 2;
    hBefore += H << 2;
    h += H << 2;
  }
}

/**
 * Gradients of the pre-activations in place of the gates, and of the product; dh becomes dh⊙z. Arguments as in
 * f32_gru_reset_after_seq_bwd.
 */
// @ts-ignore: decorator
@inline
export function gruBackward(
  F: i32,
  S: i32,
  rows: usize,
  H: usize,
  hBefore: usize,
  pre: usize,
  hn: usize,
  dhs: usize,
  gates: usize,
  dr: usize,
  dh: usize,
  acts: usize,
): void {
  const Hp = panelWidth(H);
  const width = Hp * 12;
  const one = f32x4.splat(1);
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const lanes = unitLanes(H, j);
      const z = gateOffset(3, j),
        r = z + gateStride(H, j),
        n = r + gateStride(H, j);
      // tanh and σ know their slopes from their values: what is at x does not matter then
      const x = F == ANY ? pre : gates;
      const yz = v128.load(gates + z),
        yr = v128.load(gates + r),
        yn = v128.load(gates + n);
      let d = v128.load(dh + at);
      if (dhs) d = f32x4.add(d, v128.load(dhs + at));
      const dz = f32x4.mul(d, f32x4.sub(v128.load(hBefore + at), yn));
      const dzz = flush(differentiate(S, acts + RECURRENT, v128.load(x + z), yz, dz), lanes);
      const dzn = flush(differentiate(F, acts, v128.load(x + n), yn, f32x4.mul(d, f32x4.sub(one, yz))), lanes);
      const dzr = flush(
        differentiate(S, acts + RECURRENT, v128.load(x + r), yr, f32x4.mul(dzn, v128.load(hn + at))),
        lanes,
      );
      storeUnits(dh + at, flushTiny(f32x4.mul(d, yz)), H, j);
      v128.store(gates + z, dzz);
      v128.store(gates + r, dzr);
      v128.store(gates + n, dzn);
      v128.store(dr + z, dzz);
      v128.store(dr + r, dzr);
      v128.store(dr + n, flush(f32x4.mul(dzn, yr), lanes));
    }
    gates += width;
    dr += width;
    if (pre) pre += width;
    hn += Hp << 2;
    hBefore += H << 2;
    if (dhs) dhs += H << 2;
    dh += H << 2;
  }
}
