// Maps for ragged batches, against a running-sum cell that is stepped as Keras and PyTorch would.
import * as assert from "uvu/assert";
import { ROW_FLAGS } from "../../../bindings/abi/row_flags.ts";
import { rowsScratch } from "../../../bindings/abi/scratch.ts";
import { eachBuild, type Block, type Sandbox } from "../../support/builds.ts";

interface Batch {
  B: number;
  T: number;
  lengths?: number[];
  mask?: number[][];
}

/** All lists of `length` digits 0…base−1. */
function* counting(length: number, base: number): Generator<number[]> {
  for (let code = 0; code < base ** length; code++) {
    yield Array.from({ length }, (_, i) => Math.floor(code / base ** i) % base);
  }
}

function* batches(): Generator<Batch> {
  for (let B = 0; B <= 3; B++) {
    for (let T = 0; T <= 4; T++) {
      yield { B, T };
      for (const lengths of counting(B, T + 1)) yield { B, T, lengths };
      for (const bits of counting(B * T, 2)) {
        yield { B, T, mask: Array.from({ length: B }, (_, b) => bits.slice(b * T, (b + 1) * T)) };
      }
    }
  }
}

/** A cell whose state tells every input it has seen, and in which order; 0 is the initial state. */
const step = (state: number, input: number): number => (state * 31 + input) | 0;
const input = (b: number, t: number, T: number): number => b * T + t + 1;

/** Keras: time and mask reversed; masked steps keep the state and repeat the output, zeros before the first. */
function keras({ B, T, mask }: Batch, flags: number): number[][] {
  return Array.from({ length: B }, (_, b) => {
    let times = Array.from({ length: T }, (_, t) => t);
    if (flags & ROW_FLAGS.backwards) times = times.reverse();
    let state = 0;
    let output = 0;
    const outputs = times.map((t) => {
      const valid = mask === undefined || mask[b]![t] === 1;
      if (valid) output = state = step(state, input(b, t, T));
      return valid || flags & ROW_FLAGS.hold ? output : 0;
    });
    // what Bidirectional does to the layer that went backwards
    return flags & ROW_FLAGS.backwards && flags & ROW_FLAGS.asRead ? outputs.reverse() : outputs;
  });
}

/** PyTorch: a packed sequence; backwards, a row starts at its own last step. HOLD continues with the last output. */
function torch({ B, T, lengths }: Batch, flags: number): number[][] {
  return Array.from({ length: B }, (_, b) => {
    const times = Array.from({ length: lengths![b]! }, (_, t) => t);
    const read = flags & ROW_FLAGS.backwards ? [...times].reverse() : times;
    let state = 0;
    const computed = read.map((t) => (state = step(state, input(b, t, T))));
    const outputs = flags & ROW_FLAGS.backwards && flags & ROW_FLAGS.asRead ? [...computed].reverse() : computed;
    const beyond = flags & ROW_FLAGS.hold ? state : 0;
    return [...outputs, ...Array<number>(T - times.length).fill(beyond)];
  });
}

interface Maps {
  order: Block<Int32Array>;
  rank: Block<Int32Array>;
  active: Block<Int32Array>;
  count: Block<Int32Array>;
  source: Block<Int32Array>;
  place: Block<Int32Array>;
}

function pack(sandbox: Sandbox, { B, T, lengths, mask }: Batch, flags: number): Maps {
  const given = [lengths && sandbox.i32(lengths).ptr, mask && sandbox.i32(mask.flat().map((bit) => bit * -7)).ptr];
  const maps: Maps = {
    order: sandbox.i32(B),
    rank: sandbox.i32(B),
    active: sandbox.i32(T),
    count: sandbox.i32(1),
    source: sandbox.i32(B * T),
    place: sandbox.i32(B * T),
  };
  const scratch = sandbox.i32(rowsScratch(B, T));
  sandbox.kernels.i32_pack_rows(
    B,
    T,
    given[0] ?? 0,
    given[1] ?? 0,
    maps.order.ptr,
    maps.rank.ptr,
    maps.active.ptr,
    maps.count.ptr,
    maps.source.ptr,
    maps.place.ptr,
    scratch.ptr,
    flags,
  );
  return maps;
}

/** Runs the cell over packed steps only, as the sequence kernels do, and brings its outputs back. */
function viaMaps({ B, T }: Batch, maps: Maps): { outputs: number[][]; final: number[] } {
  const state = Array<number>(B).fill(0); // by sorted position
  const packed: number[] = [];
  for (const rows of maps.active.data) {
    for (let r = 0; r < rows; r++) {
      const from = maps.source.data[packed.length]!;
      state[r] = step(state[r]!, input(Math.floor(from / T), from % T, T));
      packed.push(state[r]!);
    }
  }
  assert.is(packed.length, maps.count.data[0]);
  const outputs = Array.from({ length: B }, (_, b) =>
    Array.from({ length: T }, (_, s) => {
      const n = maps.place.data[b * T + s]!;
      return n < 0 ? 0 : packed[n]!;
    }),
  );
  return { outputs, final: Array.from(maps.rank.data, (r) => state[r]!) };
}

function checkOrder({ B, T, lengths, mask }: Batch, maps: Maps): void {
  const steps = Array.from({ length: B }, (_, b) => lengths?.[b] ?? mask?.[b]!.filter((bit) => bit).length ?? T);
  const sorted = Array.from(maps.order.data, (b) => [-steps[b]!, b]);
  assert.equal(
    sorted,
    [...sorted].sort((x, y) => x[0]! - y[0]! || x[1]! - y[1]!),
    "longest first, stable",
  );
  assert.equal(
    Array.from(maps.order.data, (b) => maps.rank.data[b]),
    Array.from({ length: B }, (_, r) => r),
  );
  const read = Array.from(maps.source.data);
  assert.ok(
    read.slice(maps.count.data[0]).every((n) => n === -1),
    "unused steps read nothing",
  );
}

eachBuild("rows", (test, sandbox) => {
  test("every mask and every lengths of three rows and four steps, in every mode", () => {
    for (const batch of batches()) {
      for (let flags = 0; flags < 8; flags++) {
        sandbox.reset();
        const maps = pack(sandbox, batch, flags);
        checkOrder(batch, maps);
        const expected = (batch.lengths ? torch : keras)(batch, flags);
        const { outputs, final } = viaMaps(batch, maps);
        const what = JSON.stringify({ ...batch, flags });
        assert.equal(outputs, expected, what);
        const held = (batch.lengths ? torch : keras)(batch, (flags & ROW_FLAGS.backwards) | ROW_FLAGS.hold);
        assert.equal(
          final,
          held.map((row) => row.at(-1) ?? 0),
          `final state, ${what}`,
        );
        sandbox.checkGuards();
      }
    }
  });

  test("a large batch of holes", () => {
    const [B, T] = [37, 101];
    const mask = Array.from({ length: B }, (_, b) =>
      Array.from({ length: T }, (_, t) => Number((b * 7919 + t * 104729) % 11 > b % 11)),
    );
    const batch = { B, T, mask };
    for (let flags = 0; flags < 8; flags++) {
      const maps = pack(sandbox, batch, flags);
      checkOrder(batch, maps);
      assert.equal(viaMaps(batch, maps).outputs, keras(batch, flags));
    }
  });

  test("valid steps", () => {
    for (const batch of batches()) {
      sandbox.reset();
      const { B, T, lengths, mask } = batch;
      const y = sandbox.f32(B * T);
      const given = [lengths && sandbox.i32(lengths).ptr, mask && sandbox.i32(mask.flat().map((bit) => bit * 2)).ptr];
      sandbox.kernels.f32_valid_steps(B, T, given[0] ?? 0, given[1] ?? 0, y.ptr);
      const expected = Array.from({ length: B * T }, (_, i) => {
        const [b, t] = [Math.floor(i / T), i % T];
        return lengths ? Number(t < lengths[b]!) : (mask?.[b]![t] ?? 1);
      });
      assert.equal(Array.from(y.data), expected);
      sandbox.checkGuards();
    }
  });

  test("distinct tokens in order of first appearance", () => {
    const V = 50;
    for (const n of [0, 1, 2, 97, 1000]) {
      for (const live of [undefined, 0, 1, n >> 1, n]) {
        const tokens = Array.from({ length: n }, (_, i) => (i * i * 7 + (i >> 3)) % V);
        const used = tokens.slice(0, live === undefined ? n : Math.min(live, n));
        const distinct = [...new Set(used)];
        const slots = sandbox.i32(Array.from({ length: V }, (_, i) => ((i * 31) % 13) - 2)); // scratch with any content
        const values = sandbox.i32(n);
        const count = sandbox.i32(1);
        const inverse = sandbox.i32(n);
        sandbox.kernels.i32_unique(
          n,
          live === undefined ? 0 : sandbox.i32([live]).ptr,
          V,
          sandbox.i32(tokens).ptr,
          slots.ptr,
          values.ptr,
          count.ptr,
          inverse.ptr,
        );
        assert.equal(count.data[0], distinct.length);
        assert.equal(Array.from(values.data.slice(0, distinct.length)), distinct);
        assert.equal(
          used.map((_, i) => values.data[inverse.data[i]!]),
          used,
        );
        assert.ok(
          inverse.data.slice(used.length).every((i) => i === -123456789),
          "rows beyond live are left alone",
        );
      }
    }
  });
});
