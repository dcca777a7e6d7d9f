/**
 * The elementwise half of a time step of the GRU that resets before the product: kernels/recurrent/gru_reset_before.ts
 * says the rest. It is in two parts, before and after the product with r⊙hm, forward and backward.
 *
 * F and S are the codes of activation and recurrent activation, literal at the call: tanh and σ, or ANY twice.
 */
import { activate, ANY, differentiate, RECURRENT } from "../elementwise/activation";
import { flushTiny, madd } from "../f32x4";
import { gateOffset, gateStride, panelWidth } from "../linear/panel";
import { flush, storeUnits, unitLanes } from "./gates";

/**
 * z, r and r⊙hm; a = hm·U of z and r. Other arguments as in f32_gru_reset_before_seq_fwd, from the step's first row on.
 */
// @ts-ignore: decorator
@inline
export function resetForward(
  S: i32,
  rows: usize,
  H: usize,
  hm: usize,
  a: usize,
  gates: usize,
  pre: usize,
  rh: usize,
  acts: usize,
): void {
  const Hp = panelWidth(H);
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const w = gateStride(H, j);
      const z = gateOffset(3, j),
        r = z + w;
      const zz = f32x4.add(v128.load(gates + z), v128.load(a + gateOffset(2, j)));
      const zr = f32x4.add(v128.load(gates + r), v128.load(a + gateOffset(2, j) + w));
      const yr = activate(S, acts + RECURRENT, zr);
      v128.store(gates + z, activate(S, acts + RECURRENT, zz));
      v128.store(gates + r, yr);
      storeUnits(rh + (j << 2), f32x4.mul(yr, v128.load(hm + (j << 2))), H, j);
      if (S != ANY || !pre) continue;
      v128.store(pre + z, zz);
      v128.store(pre + r, zr);
    }
    a += Hp << 3;
    gates += Hp * 12;
    if (pre) pre += Hp * 12;
    hm += H << 2;
    rh += H << 2;
  }
}

/** n and the state; a = (r⊙hm)·Un. */
// @ts-ignore: decorator
@inline
export function blendForward(
  F: i32,
  rows: usize,
  H: usize,
  hBefore: usize,
  a: usize,
  gates: usize,
  pre: usize,
  h: usize,
  acts: usize,
): void {
  const Hp = panelWidth(H);
  const one = f32x4.splat(1);
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const z = gateOffset(3, j),
        n = z + 2 * gateStride(H, j);
      const zn = f32x4.add(v128.load(gates + n), v128.load(a + at));
      const y = activate(F, acts, zn);
      const share = v128.load(gates + z);
      v128.store(gates + n, y);
      const now = madd(share, v128.load(hBefore + at), f32x4.mul(f32x4.sub(one, share), y));
      storeUnits(h + at, flushTiny(now), H, j);
      if (F == ANY && pre) v128.store(pre + n, zn);
    }
    a += Hp << 2;
    gates += Hp * 12;
    if (pre) pre += Hp * 12;
    hBefore += H << 2;
    h += H << 2;
  }
}

/** Gradients of z and n; dh becomes dh⊙z. Arguments as in f32_gru_reset_before_seq_bwd. */
// @ts-ignore: decorator
@inline
export function blendBackward(
  F: i32,
  S: i32,
  rows: usize,
  H: usize,
  hBefore: usize,
  pre: usize,
  dhs: usize,
  gates: usize,
  dzr: usize,
  dn: usize,
  dh: usize,
  acts: usize,
): void {
  const Hp = panelWidth(H);
  const one = f32x4.splat(1);
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const lanes = unitLanes(H, j);
      const z = gateOffset(3, j),
        n = z + 2 * gateStride(H, j);
      // tanh and σ know their slopes from their values: what is at x does not matter then
      const x = F == ANY ? pre : gates;
      const yz = v128.load(gates + z),
        yn = v128.load(gates + n);
      let d = v128.load(dh + at);
      if (dhs) d = f32x4.add(d, v128.load(dhs + at));
      const dz = f32x4.mul(d, f32x4.sub(v128.load(hBefore + at), yn));
      const dzz = flush(differentiate(S, acts + RECURRENT, v128.load(x + z), yz, dz), lanes);
      const dzn = flush(differentiate(F, acts, v128.load(x + n), yn, f32x4.mul(d, f32x4.sub(one, yz))), lanes);
      storeUnits(dh + at, flushTiny(f32x4.mul(d, yz)), H, j);
      v128.store(gates + z, dzz);
      v128.store(gates + n, dzn);
      v128.store(dzr + gateOffset(2, j), dzz);
      v128.store(dn + at, dzn);
    }
    gates += Hp * 12;
    if (pre) pre += Hp * 12;
    dzr += Hp << 3;
    dn += Hp << 2;
    hBefore += H << 2;
    if (dhs) dhs += H << 2;
    dh += H << 2;
  }
}

/** Gradient of r; d, the gradient of r⊙hm, becomes that of hm. */
// @ts-ignore: decorator
@inline
export function resetBackward(
  S: i32,
  rows: usize,
  H: usize,
  hBefore: usize,
  drop: usize,
  pre: usize,
  gates: usize,
  dzr: usize,
  d: usize,
  acts: usize,
): void {
  const Hp = panelWidth(H);
  for (; rows; rows--) {
    for (let j: usize = 0; j < H; j += 4) {
      const at = j << 2;
      const w = gateStride(H, j);
      const r = gateOffset(3, j) + w;
      const x = S == ANY ? pre : gates;
      const yr = v128.load(gates + r);
      const drh = v128.load(d + at);
      let hm = v128.load(hBefore + at);
      if (drop) hm = f32x4.mul(hm, v128.load(drop + at));
      const dr = flush(differentiate(S, acts + RECURRENT, v128.load(x + r), yr, f32x4.mul(drh, hm)), unitLanes(H, j));
      storeUnits(d + at, f32x4.mul(drh, yr), H, j);
      v128.store(gates + r, dr);
      v128.store(dzr + gateOffset(2, j) + w, dr);
    }
    gates += Hp * 12;
    if (pre) pre += Hp * 12;
    dzr += Hp << 3;
    hBefore += H << 2;
    if (drop) drop += H << 2;
    d += H << 2;
  }
}
