/**
 * Whatever `save` returns, `loadModel` reads: random models with random names and histories.
 * GATEWISE_MODELS=100000 npm test -- any_model tries more of them.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layers, loadModel, optimizers, sequential, type Layer, type Model } from "../../bindings/index.ts";
import { Random } from "../../bindings/base/random.ts";
import { floats, sameWeights } from "../support/models.ts";
import { refused } from "../support/refused.ts";

const COUNT = Number(process.env.GATEWISE_MODELS ?? 400);

const test = suite("any model");

/** Names that mean something to files, to JavaScript or to nobody. */
const NAMES = [
  ...["optimizer", "optimizer/m", "_optimizer", "__metadata__", "gatewise", "scale", "kernel/scale", "kernel", "input"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "0",
    "-1",
    " ",
    "a b",
    "a/b",
    "a.b",
    '"',
    "\\",
    "\n",
    "\0",
  ],
  ...["ß", "模型", "🎹", "e\u0301", "\u202e", "\ud800", "\udfff x", "ﬀ", "x".repeat(300)],
];

function randomName(random: Random): string {
  if (random.uniform() < 0.6) return NAMES[random.below(NAMES.length)];
  const length = 1 + random.below(6);
  return String.fromCodePoint(...Array.from({ length }, () => random.below(0x10ffff)));
}

function randomLayer(random: Random, name: string | undefined, last: boolean): Layer {
  const common = { ...(name !== undefined && { name }), ...(random.uniform() < 0.2 && { trainable: false }) };
  const units = 1 + random.below(3);
  const returnSequences = !last;
  const choices = [
    () => layers.simpleRNN({ units, returnSequences, ...common }),
    () => layers.lstm({ units, returnSequences, peepholes: random.uniform() < 0.5, ...common }),
    () => layers.gru({ units, returnSequences, resetAfter: random.uniform() < 0.5, ...common }),
    () => layers.bidirectional({ layer: layers.gru({ units, returnSequences, name: randomName(random) }), ...common }),
  ];
  return choices[random.below(choices.length)]();
}

/** A model with a history: perhaps trained, perhaps with an optimizer whose state is saved. */
function randomModel(random: Random): { model: Model; withOptimizer: boolean } {
  const count = 1 + random.below(3);
  const names = new Set<string>();
  while (names.size < count) names.add(randomName(random));
  const list = [...names].map((name, i) =>
    randomLayer(random, random.uniform() < 0.9 ? name : undefined, i === count - 1),
  );
  const model = sequential([...list, layers.dense({ units: 1, name: `${[...names].join("")} out` })], {
    inputShape: [null, 2],
    seed: random.below(1e6),
  });
  if (random.uniform() < 0.4) return { model, withOptimizer: false };
  const rules = [optimizers.adam(), optimizers.sgd({ momentum: 0.9 }), optimizers.rmsprop({ centered: true })];
  model.compile({ loss: "mse", optimizer: rules[random.below(rules.length)] });
  for (let i = random.below(2); i >= 0; i--) model.trainOnBatch(floats([2, 3, 2]), floats([2, 1], 1));
  return { model, withOptimizer: random.uniform() < 0.7 };
}

test(`${COUNT} of them`, () => {
  for (let n = 0; n < COUNT; n++) {
    const { model, withOptimizer } = randomModel(new Random(n));
    const bytes = model.save({ optimizer: withOptimizer });
    const again = loadModel(bytes);
    sameWeights(again.getWeights(), model.getWeights());
    assert.equal(again.predict(floats([2, 3, 2])).data, model.predict(floats([2, 3, 2])).data, `model ${n}`);
    if (!withOptimizer) assert.equal(again.save(), bytes, `model ${n}`);
    model.dispose();
    again.dispose();
  }
});

test("two weights of one name are refused when they are made", () => {
  const inner = layers.bidirectional({ layer: layers.gru({ units: 2, returnSequences: true }), name: "b" });
  refused(
    () => sequential([inner, layers.gru({ units: 2, name: "b/forward_gru" })], { inputShape: [null, 1] }),
    "ERR_OPTION",
    /expected different names, got "b\/forward_gru\/kernel" twice; give one of the layers another name/,
  );
});

test.run();
