/**
 * Index maps for ragged batches. A cell sees prefixes of rows and never a mask: holes, direction and where outputs
 * land are all in the maps, which the kernels of gather.ts follow.
 *
 *   b\t  0 1 2 3                        step n      0 1 2 | 3 4 5 | 6 | 7
 *   0    × · × ·    order  1 0 2        row, time   1 0 2 | 1 0 2 | 1 | 1
 *   1    × × × ×    rank   1 0 2                    0 0 1 | 1 2 2 | 2 | 3
 *   2    · × × ·    active 3 3 1 1      count 8
 *
 * Row b is read along its timeline s = 0…T−1. Forwards s is the time t; backwards t = end−1−s, where end is the row's
 * length (T without lengths), and beyond the length t = s. Its k-th valid step is packed step first[k] + rank[b],
 * first[k] = active[0] + … + active[k−1].
 *
 * Layout    everything i32, [B, T] row-major; packed steps time-major, longest row first, equal rows in given order.
 * Aliasing  none.
 * Cost      two passes over [B, T], one over B and T each.
 */

/** Rows are read from their end. */
const BACKWARDS: i32 = 1;
/** Outputs go to the time their input came from; otherwise to their place on the timeline. */
const AS_READ: i32 = 2;
/** Invalid steps repeat the output of the valid one before them on the timeline. */
const HOLD: i32 = 4;

// @ts-ignore: decorator
@inline
function get(list: usize, i: usize): i32 {
  return load<i32>(list + (i << 2));
}

// @ts-ignore: decorator
@inline
function set(list: usize, i: usize, value: i32): void {
  store<i32>(list + (i << 2), value);
}

/** Counts each row's valid steps, and how often each count occurs (`found` [T + 1]). */
function countSteps(B: usize, T: usize, lengths: usize, mask: usize, steps: usize, found: usize): void {
  memory.fill(found, 0, (T + 1) << 2);
  for (let b: usize = 0; b < B; b++) {
    let n = lengths ? get(lengths, b) : <i32>T;
    assert(n >= 0 && <usize>n <= T, "lengths must be 0…T");
    if (mask) {
      n = 0;
      for (let t: usize = 0; t < T; t++) n += i32(get(mask, b * T + t) != 0);
    }
    set(steps, b, n);
    set(found, n, get(found, n) + 1);
  }
}

/** Counting sort, longest first. `found` in: rows with exactly k steps; the position of the next such row meanwhile. */
function sortRows(B: usize, T: usize, steps: usize, found: usize, order: usize, rank: usize, active: usize): void {
  let longer = 0;
  for (let k = T; ; k--) {
    const same = get(found, k);
    set(found, k, longer);
    longer += same;
    if (k == 0) break;
    set(active, k - 1, longer);
  }
  for (let b: usize = 0; b < B; b++) {
    const k = get(steps, b);
    const r = get(found, k);
    set(found, k, r + 1);
    set(order, r, <i32>b);
    set(rank, b, r);
  }
}

/**
 * Sorts rows by their number of valid steps and moves those steps to the front.
 *
 * @param B        rows
 * @param T        time steps
 * @param lengths  in   [B] | 0     valid steps from the start of each row, 0…T
 * @param mask     in   [B, T] | 0  nonzero where valid; at most one of the two, every step is valid without
 * @param order    out  [B]         row at each sorted position
 * @param rank     out  [B]         its inverse
 * @param active   out  [T]         rows with more than k valid steps, non-increasing
 * @param count    out  [1]         N, all valid steps
 * @param source   out  [B·T]       b·T + t that packed step n reads, −1 for n ≥ N
 * @param place    out  [B, T]      packed step whose output belongs here, −1 for zeros
 * @param scratch       [B + T + 1]
 * @param flags    1 BACKWARDS + 2 AS_READ + 4 HOLD
 */
export function i32_pack_rows(
  B: usize,
  T: usize,
  lengths: usize,
  mask: usize,
  order: usize,
  rank: usize,
  active: usize,
  count: usize,
  source: usize,
  place: usize,
  scratch: usize,
  flags: i32,
): void {
  assert(!(lengths && mask), "lengths or mask, not both");
  const steps = scratch;
  const first = scratch + (B << 2);
  countSteps(B, T, lengths, mask, steps, first);
  sortRows(B, T, steps, first, order, rank, active);

  let total = 0;
  for (let k: usize = 0; k < T; k++) {
    set(first, k, total);
    total += get(active, k);
  }
  set(count, 0, total);

  for (let b: usize = 0; b < B; b++) {
    const end = lengths ? <usize>get(lengths, b) : T;
    const r = get(rank, b);
    let k: usize = 0;
    let held = -1;
    for (let s: usize = 0; s < T; s++) {
      const t = flags & BACKWARDS && s < end ? end - 1 - s : s;
      const valid = s < end && (!mask || get(mask, b * T + t) != 0);
      let step = flags & HOLD ? held : -1;
      if (valid) {
        step = held = get(first, k++) + r;
        set(source, step, <i32>(b * T + t));
      }
      set(place, b * T + (flags & AS_READ ? t : s), step);
    }
  }
  for (let n = <usize>total; n < B * T; n++) set(source, n, -1);
}

/**
 * Marks valid steps with 1, others with 0.
 *
 * @param B        rows
 * @param T        time steps
 * @param lengths  in   [B] | 0     as in i32_pack_rows
 * @param mask     in   [B, T] | 0
 * @param y        out  [B, T]
 */
export function f32_valid_steps(B: usize, T: usize, lengths: usize, mask: usize, y: usize): void {
  for (let b: usize = 0; b < B; b++) {
    const end = lengths ? <usize>get(lengths, b) : T;
    for (let t: usize = 0; t < T; t++) {
      const i = b * T + t;
      store<f32>(y + (i << 2), f32(t < end && (!mask || get(mask, i) != 0)));
    }
  }
}

/**
 * Numbers the distinct tokens in order of first appearance.
 *
 * @param n        tokens
 * @param live     in   [1] | 0  tokens that count
 * @param V        vocabulary: tokens are 0…V−1
 * @param tokens   in   [n]
 * @param slots         [V]      scratch, with anything in it
 * @param values   out  [n]      the distinct tokens; what follows them is left alone
 * @param count    out  [1]      how many
 * @param inverse  out  [n]      values[inverse[i]] = tokens[i]
 */
export function i32_unique(
  n: usize,
  live: usize,
  V: usize,
  tokens: usize,
  slots: usize,
  values: usize,
  count: usize,
  inverse: usize,
): void {
  if (live) n = min(n, <usize>load<i32>(live));
  let found = 0;
  for (let i: usize = 0; i < n; i++) {
    const token = get(tokens, i);
    assert(<u32>token < <u32>V, "tokens must be 0…V−1");
    // a slot is believed only when the value it points at points back (Briggs and Torczon), so none needs clearing
    let slot = get(slots, token);
    if (<u32>slot >= <u32>found || get(values, slot) != token) {
      slot = found++;
      set(slots, token, slot);
      set(values, slot, token);
    }
    set(inverse, i, slot);
  }
  set(count, 0, found);
}
