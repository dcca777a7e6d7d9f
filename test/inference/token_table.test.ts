/** Embeddings of few tokens, whose products with the kernel behind them are kept as a table. */
import * as assert from "uvu/assert";
import { cells, jit, layers, Module, ops, sequential } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";

const [V, D, H] = [5, 8, 6];
const tokens = { data: Int32Array.from([0, 1, 2, 3, 4, 4, 2, 0]), shape: [2, 4] };

/** The rows of an embedding as floats, by which no layer behind them can tell what they are. */
class Plain extends Module {
  constructor(embedding: unknown, layer: unknown) {
    super({ seed: 1 });
    Object.assign(this, { embedding, layer });
  }

  override call(x: unknown): unknown {
    const { embedding, layer } = this as unknown as Record<string, { call(x: unknown): any }>;
    return layer.call(ops.add(embedding.call(x), 0));
  }
}

const LAYERS: Record<string, (options?: object) => any> = {
  simpleRNN: () => layers.simpleRNN({ units: H, returnSequences: true }),
  lstm: () => layers.lstm({ units: H }),
  "gru without bias": () => layers.gru({ units: H, useBias: false }),
  "gru, reset before": () => layers.gru({ units: H, resetAfter: false, returnSequences: true }),
  // two kernels of one shape behind one embedding
  bidirectional: () => layers.bidirectional({ layer: layers.lstm({ units: H, returnSequences: true }) }),
  "a cell in rnn": () => layers.rnn({ cell: cells.gru({ units: H }) }),
};

/** Largest difference of two arrays. */
const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

eachBackend("token table", (test) => {
  for (const [name, make] of Object.entries(LAYERS)) {
    test(`${name}: predicts as with rows of floats, before and after weights change`, () => {
      const [embedding, layer] = [layers.embedding({ inputDim: V, outputDim: D }), make()];
      const plain = new Plain(embedding, layer);
      const expected = plain.predict(tokens);
      class Tabled extends Module {
        embedding = embedding;
        layer = layer;
        override call(x: unknown): unknown {
          return this.layer.call(this.embedding.call(x as never));
        }
      }
      const tabled = new Tabled();
      assert.ok(apart(tabled.predict(tokens).data, expected.data) < 1e-6);
      for (const weight of Object.keys(plain.getWeights())) {
        const { data, shape } = plain.getWeights()[weight];
        plain.setWeights({ [weight]: { data: data.map((value, i) => value * 0.5 + 0.1 * (i % 3)), shape } });
        assert.ok(apart(tabled.predict(tokens).data, plain.predict(tokens).data) < 1e-6, `after ${weight} has changed`);
      }
      plain.dispose();
      tabled.dispose();
    });
  }

  test("weights that lie in blocks of their own count all", () => {
    const [embedding, layer] = [layers.embedding({ inputDim: V, outputDim: D }), layers.gru({ units: H })];
    embedding.predict(tokens); // has its weights from now on
    layer.predict({ data: new Float32Array(8 * D), shape: [2, 4, D] });
    class Both extends Module {
      parts = [embedding, layer];
      override call(x: unknown): unknown {
        return layer.call(embedding.call(x as never) as never);
      }
    }
    const both = new Both();
    const before = both.predict(tokens).data;
    layer.setWeights({ kernel: { data: new Float32Array(D * 3 * H).fill(0.3), shape: [D, 3 * H] } });
    const after = both.predict(tokens).data;
    assert.ok(apart(before, after) > 0.01);
    const rows = jit(both, ((x: never) => layer.call(ops.add(embedding.call(x) as never, 0))) as never) as unknown as (
      x: unknown,
    ) => { data: Float32Array };
    assert.ok(apart(rows(tokens).data, after) < 1e-6);
    both.dispose();
  });

  test("int8: two directions behind one embedding keep tables of their own", () => {
    const model = sequential(
      [
        layers.embedding({ inputDim: V, outputDim: 64 }),
        layers.bidirectional({ layer: layers.lstm({ units: 64, returnSequences: true }) }),
      ],
      { inputShape: [null], seed: 2 },
    );
    const small = model.quantize({ bits: 8 });
    assert.ok(apart(small.predict(tokens).data, model.predict(tokens).data) < 0.02);
    small.dispose();
    model.dispose();
  });
});
