/** What is timed: kernel families and layers, each beside the loops a person would write and the reference backend. */
import { Sandbox, hasRelaxed } from "../test/support/builds.ts";
import { initSync, layers, sequential, type Sequential } from "../bindings/index.ts";
import { gemm, transpose } from "./baseline/gemm.ts";
import { PlainModel, type PlainLayer, type PlainShape } from "./baseline/model.ts";
import type { Arithmetic } from "./bound.ts";
import type { Contender } from "./measure.ts";

/** A piece of work and the ways to do it; the first contender is ours. */
export interface Workload {
  readonly name: string;
  /** Multiply-adds of one run, where they are most of it. */
  readonly work?: number;
  /** The arithmetic of one run, for its share of what that allows. */
  readonly arithmetic?: Arithmetic;
  /** Seconds of one run elsewhere, for a ratio to something this machine cannot run. */
  readonly elsewhere?: { readonly name: string; readonly seconds: number };
  contenders(): Contender[];
}

/** What is timed: the best there is here. */
export const BUILD = hasRelaxed ? "relaxed" : "simd";

/** Numbers that look like activations, the same in every run. */
const wave = (n: number, phase = 0): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i * 1.7 + phase));

/** A kernel on the fast build, on the reference, and beside it a loop over plain arrays. */
function kernels(call: (sandbox: Sandbox) => () => unknown, plain: () => unknown): Contender[] {
  const [fast, reference] = [new Sandbox(BUILD), new Sandbox("reference")];
  return [
    { name: "gatewise", run: call(fast) },
    { name: "plain", run: plain },
    { name: "reference", run: call(reference) },
  ];
}

function products(M: number, N: number, K: number): Contender[] {
  const [a, b, c] = [wave(M * K), wave(K * N, 1), new Float32Array(M * N)];
  const bT = transpose(K, N, b);
  return kernels(
    (sandbox) => {
      const { kernels: table } = sandbox;
      const [A, B, C, panels] = [sandbox.f32(a), sandbox.f32(b), sandbox.f32(M * N), sandbox.f32(K * ((N + 7) & ~7))];
      table.f32_pack_nn(K, N, B.ptr, N, panels.ptr);
      return () => table.f32_gemm_nn(M, 0, N, K, A.ptr, K, panels.ptr, 0, 0, C.ptr, N);
    },
    () => gemm(M, N, K, a, bT, c),
  );
}

function elementwise(name: "tanh" | "sigmoid", code: number): Workload {
  const n = 4096;
  const x = wave(n);
  const y = new Float32Array(n);
  const plain = name === "tanh" ? Math.tanh : (v: number): number => 1 / (1 + Math.exp(-v));
  return {
    name: `${name} of 4096`,
    contenders: () =>
      kernels(
        (sandbox) => {
          const [X, Y] = [sandbox.f32(x), sandbox.f32(n)];
          return () => sandbox.kernels.f32_unary_fwd(n, X.ptr, Y.ptr, code, 0, 0);
        },
        () => {
          for (let i = 0; i < n; i++) y[i] = plain(x[i]);
        },
      ),
  };
}

/** The same model on the fast build and on the reference. */
function models(make: () => Sequential): { fast: Sequential; reference: Sequential } {
  initSync({ build: BUILD });
  const fast = make();
  initSync({ build: "reference" });
  const reference = make();
  initSync({ build: BUILD });
  return { fast, reference };
}

/** A model of ours in plain JavaScript, with a copy of its weights. */
function plainTwin(model: Sequential, plain: readonly PlainLayer[], shape: PlainShape): PlainModel {
  const arrays = Object.values(model.getWeights()).map(({ data }) => data);
  return new PlainModel(
    plain,
    plain.map(({ type }) => arrays.splice(0, { embedding: 1, dense: 2 }[type as string] ?? 3)),
    shape,
  );
}

function lstmSequence(I: number, H: number, B: number, T: number): Workload {
  return {
    name: `lstm ${I}→${H}, B${B} T${T}`,
    work: B * T * 4 * H * (I + H),
    arithmetic: {
      blocked: B * T * 4 * H * (B > 1 ? I + H : I),
      ...(B > 1 ? {} : { single: T * 4 * H * H, bytes: 16 * H * H }),
      curves: 5 * B * T * H,
    },
    contenders() {
      const { fast, reference } = models(() =>
        sequential([layers.lstm({ units: H, returnSequences: true })], { inputShape: [null, I], seed: 1 }),
      );
      const x = { data: wave(B * T * I), shape: [B, T, I] };
      const plain = plainTwin(fast, [{ type: "lstm", units: H, sequences: true }], { B, T, features: I });
      return [
        { name: "gatewise", run: () => fast.predict(x, { batchSize: B }).data[0], dispose: () => fast.dispose() },
        { name: "plain", run: () => plain.forward(x.data)[0] },
        {
          name: "reference",
          run: () => reference.predict(x, { batchSize: B }).data[0],
          dispose: () => reference.dispose(),
        },
      ];
    },
  };
}

function streamStep(H: number): Workload {
  return {
    name: `stream lstm ${H}→${H}, one step`,
    work: 8 * H * H,
    arithmetic: { single: 8 * H * H, bytes: 32 * H * H, curves: 5 * H },
    elsewhere: { name: "ONNX Runtime Web's call of 15 µs", seconds: 15e-6 },
    contenders() {
      const { fast, reference } = models(() =>
        sequential([layers.lstm({ units: H })], { inputShape: [null, H], seed: 1 }),
      );
      const frame = wave(H);
      const [ours, theirs] = [fast.stream(), reference.stream()];
      return [
        { name: "gatewise", run: () => ours.step(frame)[0], dispose: () => fast.dispose() },
        { name: "reference", run: () => theirs.step(frame)[0], dispose: () => reference.dispose() },
      ];
    },
  };
}

function trainForecaster(): Workload {
  const [B, T, I, H] = [32, 10, 1, 50];
  return {
    name: "train lstm 50→50→1, B32 T10",
    // forward, the gradients of weights and of what went in; there is none of the data
    arithmetic: { blocked: B * T * 4 * H * (2 * I + 3 * H + 3 * (H + H)) + 3 * B * H, curves: 2 * 6 * B * T * H },
    contenders() {
      const { fast, reference } = models(() => {
        const model = sequential(
          [layers.lstm({ units: H, returnSequences: true }), layers.lstm({ units: H }), layers.dense({ units: 1 })],
          { inputShape: [T, I], seed: 1 },
        );
        model.compile({ optimizer: "adam", loss: "meanSquaredError" });
        return model;
      });
      const x = { data: wave(B * T * I), shape: [B, T, I] };
      const y = { data: wave(B, 2), shape: [B, 1] };
      const plain = plainTwin(
        fast,
        [
          { type: "lstm", units: H, sequences: true },
          { type: "lstm", units: H },
          { type: "dense", units: 1 },
        ],
        { B, T, features: I },
      );
      return [
        { name: "gatewise", run: () => fast.trainOnBatch(x, y).loss, dispose: () => fast.dispose() },
        { name: "plain", run: () => plain.train(x.data, y.data, "meanSquaredError", "adam") },
        { name: "reference", run: () => reference.trainOnBatch(x, y).loss, dispose: () => reference.dispose() },
      ];
    },
  };
}

export const workloads: readonly Workload[] = [
  { name: "gemm 256³", work: 256 ** 3, arithmetic: { blocked: 256 ** 3 }, contenders: () => products(256, 256, 256) },
  {
    name: "gemm 32×1024×256",
    work: 32 * 1024 * 256,
    arithmetic: { blocked: 32 * 1024 * 256 },
    contenders: () => products(32, 1024, 256),
  },
  {
    name: "gemv 1024×256",
    work: 1024 * 256,
    arithmetic: { single: 1024 * 256, bytes: 1024 * 256 * 4 },
    contenders: () => products(1, 1024, 256),
  },
  elementwise("tanh", 1),
  elementwise("sigmoid", 2),
  lstmSequence(64, 128, 1, 100),
  lstmSequence(64, 128, 32, 20),
  streamStep(64),
  trainForecaster(),
];
