// Packing: pictures of small panels, every build against its twin, and there and back.
import * as assert from "uvu/assert";
import { gateColumn, panelOffset, panelWidth } from "../../../bindings/abi/panel.ts";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { exact, same, SPECIALS } from "../../support/numbers.ts";

const reference = new Sandbox("reference");

/** Columns or units: within a narrow panel, a wide one, whole panels, panels and each tail, a prime. */
const WIDTHS = [0, 1, 3, 4, 5, 7, 8, 9, 12, 13, 16, 20, 24, 29, 50, 67];
const ROWS = [0, 1, 2, 5, 17];
const GATES = [1, 2, 3, 4];

/** Distinct numbers, so that a misplaced one shows. */
const counted = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);

type Step = (box: Sandbox) => ArrayLike<number>;

/** The same call in the build and in the twin: the same floats, guards intact. */
function parity(sandbox: Sandbox, step: Step, what: string): void {
  const run = (box: Sandbox): ArrayLike<number> => {
    box.reset();
    const result = step(box);
    box.checkGuards();
    return result;
  };
  same(run(sandbox), run(reference), what);
}

eachBuild("pack", (test, sandbox) => {
  const { kernels } = sandbox;

  test("panels of 8 columns, a narrow one for 1…4 that are left, zeros to fill it", () => {
    const w = sandbox.f32(counted(2 * 11));
    const wide = sandbox.f32(2 * 16);
    kernels.f32_pack_nn(2, 11, w.ptr, 11, wide.ptr);
    same(
      wide.data.subarray(0, 24),
      [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17, 18, 19, 9, 10, 11, 0, 20, 21, 22, 0],
    );
    assert.is(panelWidth(11), 12);
    kernels.f32_pack_nt(2, 5, w.ptr, 2, wide.ptr);
    same(wide.data.subarray(0, 16), [1, 3, 5, 7, 9, 0, 0, 0, 2, 4, 6, 8, 10, 0, 0, 0]);
    assert.is(panelWidth(5), 8);
  });

  test("gates of 8 units stand side by side, of 4 when fewer are left", () => {
    const [G, H] = [2, 10];
    const x = sandbox.f32(counted(G * H));
    const y = sandbox.f32(G * panelWidth(H));
    kernels.f32_permute_gates(1, G, H, x.ptr, G * H, y.ptr, G * 12);
    same(y.data, [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 9, 10, 0, 0, 19, 20, 0, 0]);
    assert.is(gateColumn(G, H, 1, 9), 21);
  });

  test("weights as they lie and transposed, with rows apart", () => {
    for (const K of ROWS) {
      for (const N of WIDTHS) {
        const what = `K ${K} N ${N}`;
        const panels = (box: Sandbox): [number, Float32Array] => {
          const { ptr, data } = box.f32(K * panelWidth(N));
          return [ptr, data];
        };
        parity(
          sandbox,
          (box) => {
            const [ptr, data] = panels(box);
            box.kernels.f32_pack_nn(K, N, box.f32(counted(K * (N + 1))).ptr, N + 1, ptr);
            return data;
          },
          `nn ${what}`,
        );
        parity(
          sandbox,
          (box) => {
            const [ptr, data] = panels(box);
            box.kernels.f32_pack_nt(K, N, box.f32(counted(N * (K + 1))).ptr, K + 1, ptr);
            return data;
          },
          `nt ${what}`,
        );
      }
    }
  });

  test("gated weights as they lie and transposed", () => {
    for (const G of GATES) {
      for (const H of WIDTHS) {
        for (const K of ROWS) {
          const what = `G ${G} H ${H} K ${K}`;
          const ld = G * H + 2;
          parity(
            sandbox,
            (box) => {
              const { ptr, data } = box.f32(K * panelWidth(G * panelWidth(H)));
              box.kernels.f32_pack_gates_nn(K, G, H, box.f32(counted(K * ld)).ptr, ld, ptr);
              return data;
            },
            `nn ${what}`,
          );
          parity(
            sandbox,
            (box) => {
              const { ptr, data } = box.f32(G * panelWidth(H) * panelWidth(K));
              box.kernels.f32_pack_gates_nt(G, H, K, box.f32(counted(K * ld)).ptr, ld, ptr);
              return data;
            },
            `nt ${what}`,
          );
        }
      }
    }
  });

  test("packing gates is permuting them and packing the result", () => {
    for (const [G, H] of [
      [4, 8],
      [4, 12],
      [3, 12],
      [3, 21],
      [2, 4],
    ]) {
      sandbox.reset();
      const [K, N] = [3, G * panelWidth(H)];
      const w = sandbox.f32(counted(K * G * H));
      const [permuted, twice, once] = [K * N, K * panelWidth(N), K * panelWidth(N)].map((n) => sandbox.f32(n));
      kernels.f32_permute_gates(K, G, H, w.ptr, G * H, permuted.ptr, N);
      kernels.f32_pack_nn(K, N, permuted.ptr, N, twice.ptr);
      kernels.f32_pack_gates_nn(K, G, H, w.ptr, G * H, once.ptr);
      same(once.data, twice.data, `G ${G} H ${H}`);
      for (let g = 0; g < G; g++) {
        const at = panelOffset(K, N, 2, gateColumn(G, H, g, H - 1));
        assert.is(once.data[at], w.data[2 * G * H + g * H + H - 1]);
      }
    }
  });

  test("rows of gates there and back", () => {
    for (const G of GATES) {
      for (const H of WIDTHS) {
        for (const M of ROWS) {
          const [ld, wide] = [G * H + 1, G * panelWidth(H) + 3];
          const what = `G ${G} H ${H} M ${M}`;
          parity(
            sandbox,
            (box) => {
              const y = box.f32(M * wide);
              box.kernels.f32_permute_gates(M, G, H, box.f32(exact(M * ld)).ptr, ld, y.ptr, wide);
              return y.data;
            },
            `permute ${what}`,
          );
          parity(
            sandbox,
            (box) => {
              const y = box.f32(exact(M * ld, 5));
              box.kernels.f32_unpermute_gates_acc(M, G, H, box.f32(exact(M * wide)).ptr, wide, y.ptr, ld);
              return y.data;
            },
            `unpermute ${what}`,
          );
          parity(
            sandbox,
            (box) => {
              const y = box.f32(M * (H + 1));
              const live = M === 5 ? box.i32([3]).ptr : 0;
              box.kernels.f32_unpermute_gate(M, live, G, H, G - 1, box.f32(exact(M * wide)).ptr, wide, y.ptr, H + 1);
              return y.data;
            },
            `one gate ${what}`,
          );
        }
      }
    }
  });

  test("every kind of float passes through unchanged", () => {
    const w = sandbox.f32(SPECIALS);
    const panels = sandbox.f32(12);
    kernels.f32_pack_nn(1, 9, w.ptr, 9, panels.ptr);
    same(panels.data.subarray(0, 9), w.data);
    kernels.f32_pack_nt(1, 9, w.ptr, 1, panels.ptr);
    same(panels.data.subarray(0, 9), w.data);
  });
});
