/** Modules of several outputs: losses and metrics per output, targets and weights as lists or records, names. */
import * as assert from "uvu/assert";
import {
  Module,
  layers,
  losses,
  metrics,
  optimizers,
  trainStep,
  ops,
  type CompileOptions,
  type NDArray,
  type Tensor,
} from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { floats, rows, sameWeights, tokens } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";
import { refused, rejected } from "../support/refused.ts";

const x = floats([6, 4, 3]);
const y = { pitch: tokens([6, 4], 5), volume: floats([6, 1], 1) };
const crossEntropy = losses.sparseCategoricalCrossentropy({ fromLogits: true });
const mse = losses.meanSquaredError();

class Heads extends Module {
  lstm = layers.lstm({ units: 4, returnSequences: true, returnState: true });
  notes = layers.dense({ units: 5 });
  loudness = layers.dense({ units: 1 });

  override call(input: Tensor): Record<string, Tensor> {
    const [sequence, last] = this.lstm.call(input);
    return { pitch: this.notes.call(sequence), volume: this.loudness.call(last) };
  }
}

class ListHeads extends Heads {
  override call(input: Tensor): any {
    return Object.values(super.call(input));
  }
}

const compiled: CompileOptions = {
  loss: { pitch: crossEntropy, volume: "mse" },
  lossWeights: { volume: 0.5 },
  metrics: { pitch: ["accuracy"], volume: "mae" },
};

function make(options: CompileOptions = compiled, Heading: new (options: object) => Module = Heads): Module {
  const model = new Heading({ seed: 5 });
  model.predict(x); // builds the model
  model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), ...options });
  return model;
}

/** Cross-entropy of the pitch and squared error of the volume, as predictions tell. */
function byHand(model: Module): { pitch: number; volume: number; accuracy: number; mae: number } {
  const { pitch, volume } = model.predict(x) as unknown as Record<string, NDArray>;
  let [loss, right] = [0, 0];
  y.pitch.data.forEach((label, i) => {
    const row = Array.from(pitch.data.subarray(i * 5, i * 5 + 5));
    loss += Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[label];
    right += +(row.indexOf(Math.max(...row)) === label);
  });
  const errors = Array.from(volume.data, (value, i) => value - y.volume.data[i]);
  return {
    pitch: loss / 24,
    accuracy: right / 24,
    volume: errors.reduce((sum, e) => sum + e * e, 0) / 6,
    mae: errors.reduce((sum, e) => sum + Math.abs(e), 0) / 6,
  };
}

eachBackend("several outputs", (test) => {
  test("predict gives them as call does: a record, a list", () => {
    const [record, list] = [make(), make(undefined as never, ListHeads)];
    const { pitch, volume } = record.predict(x, { batchSize: 4 }) as unknown as Record<string, NDArray>;
    assert.equal(
      [pitch.shape, volume.shape],
      [
        [6, 4, 5],
        [6, 1],
      ],
    );
    const outputs = list.predict(x, { batchSize: 4 }) as unknown as NDArray[];
    same(outputs[0].data, pitch.data);
    same(outputs[1].data, volume.data);
    record.dispose();
    list.dispose();
  });

  test("scores are the weighted sum, the loss of each and the metrics of each", () => {
    const model = make();
    const { pitch, volume, accuracy, mae } = byHand(model);
    for (const batchSize of [6, 4, 1]) {
      const logs = model.evaluate(x, y, { batchSize });
      assert.equal(Object.keys(logs), ["loss", "pitch_loss", "volume_loss", "pitch_accuracy", "volume_mae"]);
      close(Object.values(logs), [pitch + 0.5 * volume, pitch, volume, accuracy, mae], 1e-5);
    }
    assert.equal(model.testOnBatch(x, y), model.evaluate(x, y));
    model.dispose();
  });

  test("an update is that of the weighted sum", () => {
    const [model, twin] = [make(), make()];
    model.trainOnBatch(x, y);
    trainStep(twin, optimizers.sgd({ learningRate: 0.1 }), (input: Tensor, pitch: Tensor, volume: Tensor) => {
      const out = (twin as Heads).call(input);
      return ops.add(crossEntropy(pitch, out.pitch), ops.mul(mse(volume, out.volume), 0.5));
    })(x, y.pitch, y.volume);
    const expected = twin.getWeights();
    for (const [name, { data }] of Object.entries(model.getWeights())) close(data, expected[name].data, 1e-6, name);
    model.dispose();
    twin.dispose();
  });

  test("lists go by their order, and their outputs are called output_0, output_1", async () => {
    const list = make(
      { loss: [crossEntropy, "mse"], lossWeights: [1, 0.5], metrics: [["accuracy"], metrics.meanAbsoluteError()] },
      ListHeads,
    );
    const record = make();
    const [listed, recorded] = [
      await list.fit(x, [y.pitch, y.volume], { epochs: 2, batchSize: 4, validationSplit: 0.5 }),
      await record.fit(x, y, { epochs: 2, batchSize: 4, validationSplit: 0.5 }),
    ];
    const keys = ["loss", "output_0_loss", "output_1_loss", "output_0_accuracy", "output_1_mean_absolute_error"];
    assert.equal(Object.keys(listed.history), [...keys, ...keys.map((key) => `val_${key}`)]);
    assert.equal(Object.values(listed.history), Object.values(recorded.history));
    sameWeights(list.getWeights(), record.getWeights());
    list.dispose();
    record.dispose();
  });

  test("one loss is for all; an output without a loss is not trained, and needs no targets", () => {
    class Twice extends Module {
      a = layers.dense({ units: 1 });
      b = layers.dense({ units: 1 });
      override call(input: Tensor): Record<string, Tensor> {
        return { a: this.a.call(input), b: this.b.call(input) };
      }
    }
    const [input, a, b] = [floats([5, 3]), floats([5, 1], 1), floats([5, 1], 2)];
    const fit = (
      loss: CompileOptions["loss"],
      targets: Record<string, NDArray>,
    ): [Record<string, NDArray>, Record<string, NDArray>, object] => {
      const model = new Twice({ seed: 1 });
      model.compile({ loss, optimizer: "sgd" });
      model.predict(input);
      const before = model.getWeights();
      const logs = model.trainOnBatch(input, targets);
      const after = model.getWeights();
      model.dispose();
      return [before, after, logs];
    };
    const [before, both, logs] = fit("mse", { a, b });
    assert.equal(Object.keys(logs), ["loss", "a_loss", "b_loss"]);
    const [, one, alone] = fit({ a: "mse" }, { a });
    assert.equal(Object.keys(alone), ["loss"]);
    same(one["a/kernel"].data, both["a/kernel"].data);
    same(one["b/kernel"].data, before["b/kernel"].data);
    assert.ok(both["b/kernel"].data.some((value, i) => value !== before["b/kernel"].data[i]));
    fit({ a: "mse", b: null }, { a });
  });

  test("sample weights are for all outputs, or for each", () => {
    const model = make({ loss: { pitch: crossEntropy, volume: mse } });
    const ones = new Float32Array(6).fill(1);
    const plain = model.evaluate(x, y);
    const all = model.evaluate(x, y, { sampleWeight: new Float32Array(6).fill(2) });
    close(
      [all.loss, all.pitch_loss, all.volume_loss],
      [2 * plain.loss, 2 * plain.pitch_loss, 2 * plain.volume_loss],
      1e-5,
    );
    const some = model.evaluate(x, y, { sampleWeight: { pitch: new Float32Array(6).fill(3), volume: ones } });
    close([some.pitch_loss, some.volume_loss], [3 * plain.pitch_loss, plain.volume_loss], 1e-5);
    const first = model.evaluate(x, y, { sampleWeight: { volume: Float32Array.of(6, 0, 0, 0, 0, 0) } });
    close(
      [first.volume_loss, first.pitch_loss],
      [
        model.evaluate(rows(x, 0, 1), { pitch: rows(y.pitch, 0, 1), volume: rows(y.volume, 0, 1) }).volume_loss,
        plain.pitch_loss,
      ],
      1e-5,
    );
    model.dispose();
  });

  test("lengths count where an output has steps", () => {
    const model = make();
    const lengths = [4, 1, 2, 3, 4, 1];
    const { pitch, volume } = model.predict(x, { lengths }) as unknown as Record<string, NDArray>;
    const logs = model.evaluate(x, y, { lengths });
    let [loss, count] = [0, 0];
    lengths.forEach((length, b) => {
      for (let t = 0; t < length; t++, count++) {
        const row = Array.from(pitch.data.subarray((b * 4 + t) * 5, (b * 4 + t + 1) * 5));
        loss += Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[y.pitch.data[b * 4 + t]];
      }
    });
    close(
      [logs.pitch_loss, logs.volume_loss],
      [loss / count, volume.data.reduce((sum, v, i) => sum + (v - y.volume.data[i]) ** 2, 0) / 6],
      1e-5,
    );
    model.dispose();
  });

  test("streams of batches, saving and going on keep them apart", async () => {
    const [model, twin] = [make(), make()];
    const cut = (start: number, end: number) =>
      [rows(x, start, end), { pitch: rows(y.pitch, start, end), volume: rows(y.volume, start, end) }] as const;
    await model.fit(() => [cut(0, 4), cut(4, 6)], { epochs: 2 });
    await twin.fit(x, y, { epochs: 1, batchSize: 4, shuffle: false });
    const again = make();
    again.load(twin.save({ optimizer: true }));
    await again.fit(x, y, { initialEpoch: 1, epochs: 2, batchSize: 4, shuffle: false });
    sameWeights(again.getWeights(), model.getWeights());
    for (const each of [model, twin, again]) each.dispose();
  });

  test("inspect gives gradients of the sum", () => {
    const model = make();
    assert.ok(model.inspect(x, { y, gradients: true })["loudness/kernel/grad"].data.some((g) => g !== 0));
    model.dispose();
  });

  test("what does not go with the outputs is refused, and nothing has changed", async () => {
    const model = make();
    const before = model.getWeights();
    await rejected(
      model.fit(x, y.volume),
      "ERR_OPTION",
      /^Heads: expected y for a record of pitch, volume outputs, got one$/,
    );
    await rejected(
      model.fit(x, [y.pitch, y.volume]),
      "ERR_OPTION",
      /^Heads: expected y for a record of pitch, volume outputs, got a list of 2$/,
    );
    await rejected(model.fit(x, { ...y, tempo: y.volume }), "ERR_OPTION", /got a record of pitch, volume, tempo$/);
    await rejected(
      model.fit(x, { pitch: y.pitch }),
      "ERR_OPTION",
      /^Heads: expected y of volume, which has a loss or metrics, got none$/,
    );
    await rejected(
      model.fit(x, { pitch: y.pitch, volume: rows(y.volume, 0, 2) }),
      "ERR_SHAPE",
      /^fit: expected y\.volume with 6 rows as x \[6, 4, 3\], got \[2, 1\]$/,
    );
    await rejected(
      model.fit(x, {}),
      "ERR_VALUE",
      /^fit: y: expected an array, or a list or a record of arrays, got an empty one$/,
    );
    await rejected(
      model.fit(x, y, { sampleWeight: { pitch: [1, 2] } }),
      "ERR_SHAPE",
      /^fit: expected sampleWeight\.pitch with 6 rows, got \[2\]$/,
    );
    await rejected(
      model.fit(x, y, { sampleWeight: [new Float32Array(6)] }),
      "ERR_OPTION",
      /^Heads: expected sampleWeight for a record of pitch, volume outputs, got a list of 1$/,
    );
    await rejected(
      model.fit(x, y, { classWeight: { 1: 2 } }),
      "ERR_OPTION",
      /^fit: expected classWeight with one output, got it with several; give a sampleWeight for each$/,
    );
    refused(
      () => model.trainOnBatch(x, { ...y, pitch: tokens([6, 4], 9) }),
      "ERR_VALUE",
      /^trainOnBatch: y\.pitch: expected labels of 0…4, got [5-8] at/,
    );
    sameWeights(model.getWeights(), before);
    model.trainOnBatch(x, y);
    model.dispose();
    const of = (options: CompileOptions, message: RegExp, targets: unknown = y): void => {
      const other = make(options);
      const weights = other.getWeights();
      refused(() => other.trainOnBatch(x, targets as never), "ERR_OPTION", message);
      sameWeights(other.getWeights(), weights);
      other.dispose();
    };
    of({ loss: ["mse", "mse"] }, /^compile: expected losses for a record of pitch, volume outputs, got a list of 2$/);
    of(
      { loss: { pich: crossEntropy, volume: "mse" } },
      /^compile: expected losses of pitch, volume, got "pich", did you mean "pitch"\?$/,
    );
    of(
      { ...compiled, lossWeights: [1, 2] },
      /^compile: expected lossWeights for a record of pitch, volume outputs, got a list of 2$/,
    );
    of(
      { ...compiled, metrics: ["accuracy"] },
      /^compile: expected metrics for a record of pitch, volume outputs, got a list of 1$/,
    );
    of({ loss: {} }, /^compile: expected a loss of at least one output, got none$/);
    refused(
      () => make({ loss: { pitch: "mes" } }),
      "ERR_OPTION",
      /^compile: expected a known loss, got "mes", did you mean "mse"\?|^compile: expected a known loss, got "mes"/,
    );
    refused(
      () => make({ loss: "mse", metrics: { volume: ["mea"] } }),
      "ERR_OPTION",
      /^compile: expected a known metric, got "mea"/,
    );
    refused(
      () => make({ loss: "mse", lossWeights: { volume: NaN } }),
      "ERR_OPTION",
      /^compile: expected finite numbers as lossWeights, got NaN at \.volume$/,
    );
  });
});
