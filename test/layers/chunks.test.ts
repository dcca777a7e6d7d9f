/** Long sequences, which run in chunks of steps, against the same sequences with lengths, which run in one piece. */
import * as assert from "uvu/assert";
import { jit, layers, sequential, type Layer, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { real, same } from "../support/numbers.ts";

const array = (shape: number[], salt: number): NDArray => ({
  data: real(
    shape.reduce((a, b) => a * b, 1),
    salt,
  ),
  shape,
});

/** Long enough for three chunks and more, and no multiple of any. */
const [B, T, I, H] = [8, 601, 64, 16];
const x = array([B, T, I], 1);
const lengths = new Int32Array(B).fill(T);

type Options = { units: number; returnSequences: boolean; returnState?: boolean; goBackwards?: boolean };
const CELLS: [name: string, states: number, make: (options: Options) => Layer][] = [
  ["simpleRNN", 1, layers.simpleRNN],
  ["simpleRNN of relu", 1, (options) => layers.simpleRNN({ ...options, activation: "relu" })],
  ["lstm", 2, layers.lstm],
  ["lstm with peepholes", 2, (options) => layers.lstm({ ...options, peepholes: true })],
  ["gru", 1, layers.gru],
  ["gru, reset before", 1, (options) => layers.gru({ ...options, resetAfter: false })],
];

const equal = (a: readonly NDArray[], b: readonly NDArray[]): void => {
  assert.is(a.length, b.length);
  a.forEach(({ data, shape }, i) => {
    assert.equal(shape, b[i].shape);
    same([...data], [...b[i].data], `result ${i}`);
  });
};

eachBackend("sequences in chunks", (test) => {
  for (const [name, count, make] of CELLS) {
    test(`${name} gives the outputs and states of one piece`, () => {
      for (const goBackwards of [false, true]) {
        const layer = make({ units: H, returnSequences: true, returnState: true, goBackwards });
        const states = Array.from({ length: count }, (_, k) => array([B, H], 2 + k));
        const run = jit(layer, (input: Tensor, initial: Tensor[], given: object) =>
          layer.call(input, { ...(initial.length > 0 ? { initialState: initial } : {}), ...given }),
        );
        for (const initial of [[], states])
          equal(run(x, initial, {}) as NDArray[], run(x, initial, { lengths }) as NDArray[]);
        layer.dispose();
      }
    });
  }

  test("stacked layers, both directions, the last output alone", () => {
    const model = sequential(
      [
        layers.lstm({ units: H, returnSequences: true }),
        layers.bidirectional({ layer: layers.gru({ units: H, returnSequences: true }) }),
        layers.simpleRNN({ units: H }),
      ],
      { inputShape: [null, I], seed: 3 },
    );
    same([...model.predict(x).data], [...model.predict(x, { lengths }).data]);
    model.dispose();
  });

  test("a stateful layer goes on where it ended", () => {
    const [whole, parts] = [false, true].map((stateful) =>
      sequential([layers.gru({ units: H, returnSequences: true, stateful })], { inputShape: [null, I], seed: 3 }),
    );
    const twice = {
      data: Float32Array.from(
        [...Array(B).keys()].flatMap((b) => {
          const row = [...x.data.subarray(b * T * I, (b + 1) * T * I)];
          return [...row, ...row];
        }),
      ),
      shape: [B, 2 * T, I],
    };
    const expected = whole.predict(twice).data;
    for (const half of [0, 1]) {
      const { data } = parts.predict(x);
      for (let b = 0; b < B; b++)
        same(
          [...data.subarray(b * T * H, (b + 1) * T * H)],
          [...expected.subarray((2 * b + half) * T * H, (2 * b + half + 1) * T * H)],
        );
    }
    [whole, parts].forEach((model) => model.dispose());
  });

  test("one long row, and int8 weights", () => {
    const model = sequential([layers.lstm({ units: H, returnSequences: true })], { inputShape: [null, I], seed: 3 });
    const row = array([1, 2001, I], 4);
    same([...model.predict(row).data], [...model.predict(row, { lengths: [2001] }).data]);
    const small = model.quantize();
    same([...small.predict(x).data], [...small.predict(x, { lengths }).data]);
    [model, small].forEach((each) => each.dispose());
  });

  test("inputs are projected for a chunk, not for all steps", () => {
    const model = sequential([layers.lstm({ units: H, returnSequences: true })], { inputShape: [null, I], seed: 3 });
    const bytes = (columns: number): number => 4 * B * T * columns;
    const input = bytes(I),
      outputs = bytes(2 * H),
      projected = bytes(4 * H),
      order = bytes(2);
    assert.ok(model.memory([B, T, I]).program < input + outputs + order + projected / 2);
    model.dispose();
  });
});
