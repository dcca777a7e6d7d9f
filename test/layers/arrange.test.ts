/** What joins and pools make of steps that do not count, as Keras has it, and where it leaves a row with nothing. */
import { Module, layers, type Layer, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { close, same } from "../support/numbers.ts";

const [B, T, F] = [2, 4, 1];
const nothing = 0;
/** Row 0 lacks steps 0 and 2, row 1 lacks all but the last. */
const a: NDArray = { data: Float32Array.of(nothing, 2, nothing, 4, nothing, nothing, nothing, 8), shape: [B, T, F] };
/** Row 0 lacks step 0, row 1 lacks all. */
const b: NDArray = { data: Float32Array.of(nothing, -2, 3, -4, nothing, nothing, nothing, nothing), shape: [B, T, F] };
const whole: NDArray = { data: Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1), shape: [B, T, F] };

/** The mean over the steps that count after a join of what was masked, or not. */
class Joined extends Module {
  masking = layers.masking();
  pooling = layers.globalAveragePooling();
  join: Layer;
  masked: readonly boolean[];

  constructor(join: Layer, masked: readonly boolean[]) {
    super({ seed: 1 });
    this.join = join;
    this.masked = masked;
  }

  override call(...xs: Tensor[]): Tensor {
    const parts = xs.map((x, i) => (this.masked[i] ? this.masking.call(x) : x));
    return this.pooling.call(this.join.call(parts as never) as Tensor) as Tensor;
  }
}

const means = (join: Layer, parts: readonly (readonly [NDArray, boolean])[], steps = {}): Float32Array => {
  const model = new Joined(
    join,
    parts.map(([, masked]) => masked),
  );
  const { data } = model.predict(
    parts.map(([part]) => part),
    steps,
  ) as NDArray;
  model.dispose();
  return data;
};

eachBackend("steps that do not count, joined and pooled", (test) => {
  test("a step of joined tensors counts where it does in any of them", () => {
    close(
      means(layers.add(), [
        [a, true],
        [b, true],
      ]),
      [(0 + 3 + 0) / 3, 8],
      1e-6,
    );
    close(
      means(layers.concatenate(), [
        [a, true],
        [b, true],
      ]),
      [2, -1, 8, 0],
      1e-6,
    );
  });

  test("all steps count where one of them is not masked", () => {
    close(
      means(layers.add(), [
        [a, true],
        [whole, false],
      ]),
      [(6 + 4) / 4, (8 + 4) / 4],
      1e-6,
    );
    close(
      means(layers.add(), [
        [whole, false],
        [a, true],
      ]),
      [(6 + 4) / 4, (8 + 4) / 4],
      1e-6,
    );
    close(
      means(layers.concatenate(), [
        [whole, false],
        [a, true],
      ]),
      [1, 6 / 4, 1, 8 / 4],
      1e-6,
    );
  });

  test("along time they count one after the other", () => {
    close(
      means(layers.concatenate({ axis: 1 }), [
        [a, true],
        [whole, false],
      ]),
      [(6 + 4) / 6, (8 + 4) / 5],
      1e-6,
    );
    close(
      means(layers.concatenate({ axis: -2 }), [
        [b, true],
        [a, true],
      ]),
      [(-3 + 6) / 5, 8],
      1e-6,
    );
  });

  test("lengths of the batch hold for parts that say nothing", () => {
    const lengths = Int32Array.of(2, 1);
    close(
      means(
        layers.add(),
        [
          [whole, false],
          [a, false],
        ],
        { lengths },
      ),
      [(2 + 2) / 2, 1],
      1e-6,
    );
  });

  for (const [name, make] of Object.entries({
    globalAveragePooling: layers.globalAveragePooling,
    globalMaxPooling: layers.globalMaxPooling,
  })) {
    test(`${name}: a row without a step that counts gives 0`, () => {
      const pooled = make();
      const mask = [
        [0, 0, 0, 0],
        [0, 0, 1, 1],
      ];
      same((pooled.predict(whole, { mask }) as NDArray).data, [0, 1]);
      same(
        (
          pooled.predict(
            { ...whole, data: whole.data.map((value) => -value) },
            { lengths: Int32Array.of(0, 3) },
          ) as NDArray
        ).data,
        [0, -1],
      );
      pooled.dispose();
    });
  }
});
