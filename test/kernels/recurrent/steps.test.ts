// One elementwise time step: every build against its twin, which the whole sequences are held to elsewhere.
import { UNARY_CODES } from "../../../bindings/abi/unary_codes.ts";
import { panelWidth } from "../../../bindings/abi/panel.ts";
import { eachBuild, Sandbox } from "../../support/builds.ts";
import { close, real } from "../../support/numbers.ts";

const twin = new Sandbox("reference");
const UNITS = [1, 3, 4, 7, 8, 9, 13, 50];
const USUAL = [UNARY_CODES.tanh, UNARY_CODES.sigmoid];
const UNUSUAL = [UNARY_CODES.softsign, UNARY_CODES.hard_sigmoid];
const PARITY = 4e-6;

/** The arrays of one case. */
class Case {
  readonly box: Sandbox;
  readonly B: number;
  readonly H: number;
  readonly G: number;
  readonly acts: number;
  private readonly outputs: Float32Array[] = [];

  constructor(box: Sandbox, B: number, H: number, G: number, codes: readonly number[] | undefined) {
    box.reset();
    this.box = box;
    this.B = B;
    this.H = H;
    this.G = G;
    this.acts = codes ? box.i32(codes.flatMap((code) => [code, 0, 0, 0])).ptr : 0;
    if (codes?.includes(UNARY_CODES.hard_sigmoid)) new Float32Array(box.buffer, this.acts, 8).set([1 / 6, 0.5], 5);
  }

  /** Gates of so many groups, zeros in the padding. */
  gates(groups: number, salt: number): number {
    const { box, B, H } = this;
    const width = groups * panelWidth(H);
    const gates = box.f32(new Float32Array(B * width));
    box.kernels.f32_permute_gates(
      B,
      groups,
      H,
      box.f32(real(B * groups * H, salt, 2)).ptr,
      groups * H,
      gates.ptr,
      width,
    );
    return gates.ptr;
  }

  /** Gates in and out, looked at as rows of units. */
  updated(groups: number, salt: number): number {
    const ptr = this.gates(groups, salt);
    const width = groups * panelWidth(this.H);
    for (let g = 0; g < groups; g++)
      this.later.push(() => {
        const y = this.box.f32(this.B * this.H);
        this.box.kernels.f32_unpermute_gate(this.B, 0, groups, this.H, g, ptr, width, y.ptr, this.H);
        return y.data;
      });
    return ptr;
  }

  private readonly later: (() => Float32Array)[] = [];

  state(salt: number): number {
    return this.box.f32(real(this.B * this.H, salt)).ptr;
  }

  out(n = this.B * this.H): number {
    const { ptr, data } = this.box.f32(n);
    this.outputs.push(data);
    return ptr;
  }

  /** Everything that was written. */
  results(): Float32Array[] {
    const all = [...this.outputs, ...this.later.map((read) => read())];
    this.box.checkGuards();
    return all;
  }
}

type Step = (run: Case) => void;

const STEPS: Record<string, Step> = {
  f32_simple_rnn_step: (run) => run.box.kernels.f32_simple_rnn_step(run.B, run.H, run.gates(1, 1), run.out(), run.acts),
  f32_lstm_step: (run) =>
    run.box.kernels.f32_lstm_step(
      run.B,
      run.H,
      run.state(2),
      0,
      0,
      0,
      run.updated(4, 1),
      0,
      run.out(),
      run.out(),
      1,
      run.acts,
    ),
  "f32_lstm_step with peepholes": (run) => {
    const peep = [5, 6, 7].map((salt) => run.box.f32(real(run.H, salt)).ptr);
    run.box.kernels.f32_lstm_step(
      run.B,
      run.H,
      run.state(2),
      peep[0],
      peep[1],
      peep[2],
      run.gates(4, 1),
      0,
      run.out(),
      run.out(),
      0,
      run.acts,
    );
  },
  f32_gru_reset_after_step: (run) =>
    run.box.kernels.f32_gru_reset_after_step(
      run.B,
      run.H,
      run.state(2),
      run.gates(3, 3),
      run.updated(3, 1),
      0,
      run.box.f32(run.B * panelWidth(run.H)).ptr,
      run.out(),
      1,
      run.acts,
    ),
  f32_gru_reset_step: (run) =>
    run.box.kernels.f32_gru_reset_step(
      run.B,
      run.H,
      run.state(2),
      run.gates(2, 3),
      run.updated(3, 1),
      0,
      run.out(),
      run.acts,
    ),
  f32_gru_blend_step: (run) =>
    run.box.kernels.f32_gru_blend_step(
      run.B,
      run.H,
      run.state(2),
      run.gates(1, 3),
      run.updated(3, 1),
      0,
      run.out(),
      run.acts,
    ),
};

eachBuild(
  "steps",
  (test, sandbox) => {
    for (const [name, step] of Object.entries(STEPS)) {
      for (const codes of [undefined, USUAL, UNUSUAL]) {
        test(`${name}, activations ${codes ? codes.join() : "by default"}`, () => {
          for (const H of UNITS) {
            for (const B of [1, 3]) {
              const [actual, expected] = [sandbox, twin].map((box) => {
                const run = new Case(box, B, H, 1, codes);
                step(run);
                return run.results();
              });
              expected.forEach((values, i) => close(actual[i], values, PARITY, `B ${B} H ${H} [${i}]`));
            }
          }
        });
      }
    }
  },
  "wasm",
);
