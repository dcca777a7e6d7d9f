/** Cells and layers on top of each other in one layer: states in order, masks through all, dropout between. */
import * as assert from "uvu/assert";
import { cells, jit, layers, type Layer, type NDArray, type Tensor } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { callLayer, disposeSeeded, maskOf, rowOf, seeded, stepOf } from "../support/layers.ts";
import { floats } from "../support/models.ts";
import { close, same } from "../support/numbers.ts";

const [B, T, I, H] = [3, 5, 4, 3];
const x = floats([B, T, I], 1);
const ALL = { returnSequences: true, returnState: true };

eachBackend("stacked layers", (test) => {
  disposeSeeded(test);

  test("a stack of cells has states of its own sizes, and carries masks and states through all of them", () => {
    const stack = (options: object): Layer =>
      seeded(
        layers.rnn({
          cell: [cells.lstm({ units: 3 }), cells.gru({ units: 4 }), cells.simpleRNN({ units: 2 })],
          ...options,
        } as never),
      ) as Layer;
    const mask = maskOf([
      [1, 1, 0, 1, 1],
      [0, 1, 1, 0, 0],
      [1, 1, 1, 1, 1],
    ]);
    const [output, ...states] = callLayer(stack(ALL), x, { mask });
    assert.equal(
      states.map(({ shape }) => shape),
      [
        [3, 3],
        [3, 3],
        [3, 4],
        [3, 2],
      ],
    );
    same(rowOf(states[3], 1), stepOf(output, 1, 2), "the last state of a masked row");
    const stateful = stack({ ...ALL, stateful: true });
    const calls = [stateful.predict(x), stateful.predict(x)] as unknown as NDArray[][];
    const [once, ...ends] = callLayer(stack(ALL), x);
    same(calls[0][0].data, once.data);
    close(calls[1][0].data, callLayer(stack(ALL), x, { initialState: ends })[0].data, 1e-6);
  });

  test("dropout of stacked layers acts between them, not after the last one; states are in the order of layers", () => {
    const layer = seeded(layers.gru({ units: H, numLayers: 2, dropout: 0.9, biasInitializer: "ones", ...ALL }));
    const plain = seeded(layers.gru({ units: H, numLayers: 2, ...ALL }));
    const [, first, second] = callLayer(layer, x);
    plain.predict(x);
    plain.setWeights(layer.getWeights());
    const training = jit(layer, (input: Tensor) => layer.call(input), { training: true })(x) as NDArray[];
    same(training[1].data, first.data, "the first layer sees all of its input");
    assert.ok(
      training[2].data.some((value, i) => value !== second.data[i]),
      "the second one does not",
    );
    assert.ok(
      training[0].data.every((value) => value !== 0),
      "nothing is dropped from the output",
    );
    callLayer(plain, x).forEach(({ data }, i) => same(data, [callLayer(layer, x)[0], first, second][i].data));
  });
});
