/** Kernels beside the same loops over plain arrays and beside the reference kernels. */
import { Sandbox } from "../../test/support/builds.ts";
import { gemm, transpose } from "../baseline/gemm.ts";
import { BUILD } from "../support/build.ts";
import { wave } from "../support/inputs.ts";
import type { Contender } from "../support/measure.ts";
import type { Workload } from "./workload.ts";

/** @param prepare  places the arrays of a kernel in a sandbox and gives the function that calls it */
function contenders(prepare: (sandbox: Sandbox) => () => unknown, plain: () => unknown): Contender[] {
  return [
    { name: "gatewise", run: prepare(new Sandbox(BUILD)) },
    { name: "plain", run: plain },
    { name: "reference", run: prepare(new Sandbox("reference")) },
  ];
}

/** [M, K]·[K, N] */
function product(name: string, M: number, N: number, K: number): Workload {
  const work = M * N * K;
  return {
    name,
    work,
    arithmetic: M > 1 ? { blocked: work } : { single: work, bytes: 4 * work },
    contenders() {
      const [a, b, c] = [wave(M * K), wave(K * N, 1), new Float32Array(M * N)];
      const bT = transpose(K, N, b);
      return contenders(
        (sandbox) => {
          const { kernels } = sandbox;
          const [A, B, C] = [sandbox.f32(a), sandbox.f32(b), sandbox.f32(M * N)];
          const panels = sandbox.f32(K * ((N + 7) & ~7));
          kernels.f32_pack_nn(K, N, B.ptr, N, panels.ptr);
          return () => kernels.f32_gemm_nn(M, 0, N, K, A.ptr, K, panels.ptr, 0, 0, C.ptr, N);
        },
        () => gemm(M, N, K, a, bT, c),
      );
    },
  };
}

function elementwise(name: string, code: number, plain: (x: number) => number): Workload {
  const n = 4096;
  return {
    name: `${name} of ${n}`,
    contenders() {
      const [x, y] = [wave(n), new Float32Array(n)];
      return contenders(
        (sandbox) => {
          const [X, Y] = [sandbox.f32(x), sandbox.f32(n)];
          return () => sandbox.kernels.f32_unary_fwd(n, X.ptr, Y.ptr, code, 0, 0);
        },
        () => {
          for (let i = 0; i < n; i++) y[i] = plain(x[i]);
        },
      );
    },
  };
}

export const kernels: readonly Workload[] = [
  product("gemm 256³", 256, 256, 256),
  product("gemm 32×1024×256", 32, 1024, 256),
  product("gemv 1024×256", 1, 1024, 256),
  elementwise("tanh", 1, Math.tanh),
  elementwise("sigmoid", 2, (x) => 1 / (1 + Math.exp(-x))),
];
