// The text of `model.explain`: every kernel call with its extents, bytes and multiply-adds.
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import {
  backendInfo,
  functional,
  input,
  layers,
  losses,
  Module,
  ops,
  optimizers,
  sequential,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { refused } from "../support/refused.ts";

const PREDICT = `
predict [2, 5, 3]              extents          bytes  multiply-adds
gru
  f32_gather_rows              M 10, W 3          280              0
  f32_gemm_nn                  M 10, N 12, K 3    792            360
  f32_gru_reset_after_seq_fwd  T 5, B 2, H 4    1,040            384
dense
  f32_gemm_nn                  M 2, N 1, K 4      108              8

when weights have changed
gru
  f32_permute_gates            M 1, G 3, H 4      144              0
  f32_pack_gates_nn            K 3, G 3, H 4      288              0
  f32_pack_gates_nn            K 4, G 3, H 4      384              0
  f32_permute_gates            M 1, G 3, H 4       96              0
dense
  f32_pack_nn                  K 4, N 1            80              0

each run: 4 calls, 2,220 bytes, 752 multiply-adds
when weights have changed: 5 calls, 992 bytes, 0 multiply-adds
memory: 1,280 bytes, and 496 for packed weights`;

const PREDICT_BY_LAYER = `
predict [2, 5, 3]          calls  bytes  multiply-adds
gru                        3      2,112            744
dense                      1        108              8

when weights have changed
gru                        4        912              0
dense                      1         80              0

each run: 4 calls, 2,220 bytes, 752 multiply-adds
when weights have changed: 5 calls, 992 bytes, 0 multiply-adds
memory: 1,280 bytes, and 496 for packed weights`;

const STREAM = `
stream, one step               extents         bytes  multiply-adds
gru
  f32_gemm_nn                  M 1, N 12, K 3    252             36
  f32_gru_reset_after_seq_fwd  T 1, B 1, H 4     400             48
  f32_copy                     n 4                32              0
dense
  f32_gemm_nn                  M 1, N 1, K 4      88              4

when weights have changed
gru
  f32_permute_gates            M 1, G 3, H 4     144              0
  f32_pack_gates_nn            K 3, G 3, H 4     288              0
  f32_pack_gates_nn            K 4, G 3, H 4     384              0
  f32_permute_gates            M 1, G 3, H 4      96              0
dense
  f32_pack_nn                  K 4, N 1           80              0

each run: 4 calls, 772 bytes, 88 multiply-adds
when weights have changed: 5 calls, 992 bytes, 0 multiply-adds
memory: 384 bytes, and 496 for packed weights`;

const TRAIN = `
train [2, 5, 3]                extents                  bytes  multiply-adds
gru
  f32_gather_rows              M 10, W 3                  280              0
  f32_gemm_nn                  M 10, N 12, K 3            792            360
  f32_gru_reset_after_seq_fwd  T 5, B 2, H 4            1,200            384
dense
  f32_gemm_nn                  M 2, N 1, K 4              108              8
(outside of layers)
  f32_squared_error_fwd        n 2                         24              0
  f32_rsum                     outer 1, n 2, inner 1       12              0
  f32_vdiv                     n 1                         12              0
  f32_fill                     n 116                      464              0
  f32_fill                     n 1                          4              0
  f32_vdiv                     n 1                         12              0
  f32_repeat                   outer 1, n 2, inner 1       12              0
  f32_squared_error_bwd        n 2                         32              0
dense
  f32_gemm_tn_acc              M 2, K 4, N 1          106,552              8
  f32_rsum_rows_acc            M 2, N 1                    12              0
  f32_gemm_nn                  M 2, N 4, K 1               56              8
gru
  f32_copy                     n 8                         64              0
  f32_gru_reset_after_seq_bwd  T 5, B 2, H 4            1,632            384
  f32_fill                     n 48                       192              0
  f32_gemm_tn_acc              M 8, K 4, N 12         115,424            384
  f32_unpermute_gates_acc      M 4, G 3, H 4              384              0
  f32_fill                     n 12                        48              0
  f32_rsum_rows_acc            M 10, N 12                 528              0
  f32_unpermute_gates_acc      M 1, G 3, H 4               96              0
  f32_fill                     n 36                       144              0
  f32_gemm_tn_acc              M 10, K 3, N 12        115,432            360
  f32_unpermute_gates_acc      M 3, G 3, H 4              288              0
  f32_fill                     n 12                        48              0
  f32_rsum_rows_acc            M 10, N 12                 528              0
  f32_unpermute_gates_acc      M 1, G 3, H 4              144              0
(outside of layers)
  f32_fill                     n 2                          8              0
  f32_rsumsq_acc               n 116                      472            116
  f32_guard                                                16              0
  f32_sgd                      n 116                      996              0

when weights have changed
gru
  f32_permute_gates            M 1, G 3, H 4              144              0
  f32_pack_gates_nn            K 3, G 3, H 4              288              0
  f32_pack_gates_nn            K 4, G 3, H 4              384              0
  f32_permute_gates            M 1, G 3, H 4               96              0
dense
  f32_pack_nn                  K 4, N 1                    80              0
  f32_pack_nt                  K 1, N 4                    32              0
gru
  f32_pack_gates_nt            G 3, H 4, N 4              384              0

each run: 33 calls, 346,016 bytes, 2,012 multiply-adds
when weights have changed: 7 calls, 1,408 bytes, 0 multiply-adds
memory: 116,800 bytes, and 704 for packed weights`;

class Leaky extends Module {
  stateSize = 2;
  override call(x: Tensor, [h]: Tensor[]): [Tensor, Tensor[]] {
    const next = ops.add(ops.mul(h, 0.5), x);
    return [next, [next]];
  }
}

eachBackend("explain", (test) => {
  const gru = () =>
    sequential([layers.gru({ units: 4 }), layers.dense({ units: 1 })], { inputShape: [null, 3], seed: 1 });

  test("a prediction, call by call and layer by layer", () => {
    const model = gru();
    assert.fixture(`\n${model.explain({ predict: [2, 5, 3] })}`, PREDICT);
    assert.fixture(`\n${model.explain({ predict: [2, 5, 3], by: "layer" })}`, PREDICT_BY_LAYER);
    model.dispose();
  });

  test("the guide shows the same", () => {
    const guide = readFileSync(new URL("../../bindings/README.md", import.meta.url), "utf8");
    assert.ok(guide.includes(`\`\`\`${PREDICT}\n\`\`\``));
  });

  test("a step of a stream", () => {
    const model = gru();
    assert.fixture(`\n${model.explain({ stream: true })}`, STREAM);
    model.dispose();
  });

  test("a training step, with what compile settled", () => {
    const model = gru();
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.meanSquaredError() });
    assert.fixture(`\n${model.explain({ train: [2, 5, 3] })}`, TRAIN);
    model.dispose();
  });

  test("says the same before and after the model has run, and keeps nothing", () => {
    const model = gru();
    model.predict({ data: new Float32Array(30), shape: [2, 5, 3] });
    const stream = model.stream();
    stream.step(new Float32Array(3));
    const before = backendInfo().memoryBytes;
    assert.fixture(`\n${model.explain({ predict: [2, 5, 3] })}`, PREDICT);
    assert.fixture(`\n${model.explain({ stream: true })}`, STREAM);
    assert.is(backendInfo().memoryBytes, before);
    model.dispose();
  });

  test("steps that are repeated stand once, and count as often as they run", () => {
    const model = sequential([layers.rnn({ cell: new Leaky() })], { inputShape: [null, 2], seed: 1 });
    const text = (steps: number): string => model.explain({ predict: [1, steps, 2] });
    assert.match(text(100), /^ {2}× 100\n {4}f32_copy .*\n/m);
    assert.is(text(7).split("\n").length, text(100).split("\n").length);
    const calls = (steps: number): number =>
      Number(/^each run: ([\d,]+) calls/m.exec(text(steps))![1].replace(",", ""));
    const inLoop = text(7).match(/^ {4}f32_/gm)!.length;
    assert.is(calls(100) - calls(7), 93 * inLoop);
    model.dispose();
  });

  test("several inputs by name, labels of a classifier, an 8-bit model", () => {
    const [a, b] = ["a", "b"].map((name) => input({ shape: [null, 2], name }));
    const sum = layers.add().apply([layers.gru({ units: 2, returnSequences: true }).apply(a), b]);
    const joined = functional({ inputs: { a, b }, outputs: sum }, { seed: 1 });
    assert.match(joined.explain({ predict: { a: [1, 4, 2], b: [1, 4, 2] } }), /^add\n {2}f32_vadd +n 8 /m);
    joined.dispose();
    const classifier = sequential([layers.dense({ units: 5 })], { inputShape: [3], seed: 1 });
    classifier.compile({ loss: losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
    assert.match(classifier.explain({ train: [4, 3] }), /^ {2}f32_softmax_xent_sparse_fwd +M 4, N 5 /m);
    classifier.dispose();
    const model = sequential([layers.lstm({ units: 40 })], { inputShape: [null, 3], seed: 1 });
    const small = model.quantize({ bits: 8 });
    assert.match(small.explain({ stream: true }), /^ {2}q8_lstm_seq +T 1, B 1, H 40 +[\d,]+ +6,400$/m);
    small.dispose();
    model.dispose();
  });

  test("refuses other options, extents that do not fit, and a training before compile", () => {
    const model = gru();
    refused(() => model.explain({}), "ERR_OPTION", /^explain: expected one of predict, train and stream, got none$/);
    refused(() => model.explain({ predict: [1, 2, 3], stream: true }), "ERR_OPTION", /got predict and stream$/);
    refused(() => model.explain({ predicts: [1, 2, 3] } as never), "ERR_OPTION", /did you mean "predict"\?/);
    refused(() => model.explain({ stream: true, by: "line" as never }), "ERR_OPTION", /"call" or "layer", got "line"$/);
    refused(() => model.explain({ predict: [1, 2, 4] }), "ERR_SHAPE", /^gru "gru": expected input/);
    refused(() => model.explain({ train: [1, 2, 3] }), "ERR_STATE", /call compile\(\{ optimizer, loss \}\) first/);
    model.dispose();
    refused(() => model.explain({ stream: true }), "ERR_DISPOSED", /./);
  });
});
