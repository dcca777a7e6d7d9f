/** Losses by their formulas: values, gradients, reductions, all forms of targets, numbers at the ends of the range. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { jit, losses, ops, valueAndGrad, type Loss, type Tensor } from "../../bindings/index.ts";
import { lossOf } from "../../bindings/losses/index.ts";
import type { Normalized } from "../../bindings/base/ndarray.ts";
import { currentTrace } from "../../bindings/graph/trace.ts";
import { backendOf, builds, eachBackend } from "../support/backends.ts";
import { checkGradients } from "../support/gradients/finite_difference.ts";
import { close } from "../support/numbers.ts";
import { apart, at, floats, integers, positives, tabulate, total, type Plain } from "../support/plain/arrays.ts";
import { refused } from "../support/refused.ts";

const [B, T, N] = [2, 3, 4];
const cube = [B, T, N];

interface LossCase {
  readonly what: string;
  readonly loss: Loss;
  readonly targets: Normalized;
  readonly predictions: Normalized;
  /** The loss of the sample at an index of [B, T]. */
  plain(t: Plain, p: Plain, ...sample: number[]): number;
}

const EPSILON = 1e-7;
const clip = (p: number): number => Math.max(EPSILON, Math.min(1 - EPSILON, p));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const unit = (x: Plain, s: number[], i: number): number =>
  at(x, ...s, i) / Math.sqrt(total(N, (k) => at(x, ...s, k) ** 2));
const softmax = (x: Plain, s: number[], i: number): number =>
  Math.exp(at(x, ...s, i)) / total(N, (k) => Math.exp(at(x, ...s, k)));
const share = (x: Plain, s: number[], i: number): number => clip(at(x, ...s, i) / total(N, (k) => at(x, ...s, k)));

/** The mean over the last axis of a formula of target and prediction. */
const each = (
  what: string,
  loss: Loss,
  f: (t: number, p: number) => number,
  targets = floats(cube),
  predictions = floats(cube, 2),
): LossCase => ({
  what,
  loss,
  targets,
  predictions,
  plain: (t, p, ...s) => total(N, (i) => f(at(t, ...s, i), at(p, ...s, i))) / N,
});

/** The sum over the last axis. */
const row = (
  what: string,
  loss: Loss,
  f: (t: Plain, p: Plain, s: number[], i: number) => number,
  targets: Normalized,
  predictions: Normalized,
): LossCase => ({ what, loss, targets, predictions, plain: (t, p, ...s) => total(N, (i) => f(t, p, s, i)) });

const labels = integers([B, T], [0, 3, 1, 2, 2, 0]);
const logits = floats(cube, 3);
const probabilities = positives(cube);
const bits = integers(
  cube,
  Array.from({ length: B * T * N }, (_, i) => ((i * 7) % 3 === 0 ? 1 : 0)),
);
const inside = { ...probabilities, data: probabilities.data.map((x) => x / 1.3) };
const right = (t: Plain, s: number[], i: number): number => +(at(t, ...s) === i);
const bce = (t: number, p: number): number => -(t * Math.log(clip(p)) + (1 - t) * Math.log(1 - clip(p)));
const weighed = (t: Plain, _p: Plain, s: number[], i: number, p: number): number =>
  -([3, 1, 0.5, 2][i] * at(t, ...s, i) * Math.log(p) + (1 - at(t, ...s, i)) * Math.log(1 - p)) / N;
const divergence = (t: number, p: number): number => (t === 0 ? 0 : t * Math.log(t / p));
const rightOf = (t: number, p: number): number => t * p + (1 - t) * (1 - p);

const WEIGHTS = [0.5, 2, 1, 3];
const POSITIVE = [3, 1, 0.5, 2];

const CASES: Record<keyof typeof losses, LossCase[]> = {
  meanSquaredError: [each("", losses.meanSquaredError(), (t, p) => (t - p) ** 2)],
  meanAbsoluteError: [each("", losses.meanAbsoluteError(), (t, p) => Math.abs(t - p))],
  meanAbsolutePercentageError: [
    each("", losses.meanAbsolutePercentageError(), (t, p) => 100 * Math.abs((t - p) / t), apart(cube)),
  ],
  meanSquaredLogarithmicError: [
    each(
      "",
      losses.meanSquaredLogarithmicError(),
      (t, p) => (Math.log1p(t) - Math.log1p(p)) ** 2,
      positives(cube),
      positives(cube),
    ),
  ],
  huber: [0.5, 1].map((delta) =>
    each(`delta ${delta}`, losses.huber({ delta }), (t, p) =>
      Math.abs(t - p) <= delta ? 0.5 * (t - p) ** 2 : delta * Math.abs(t - p) - 0.5 * delta * delta,
    ),
  ),
  smoothL1: [0, 0.5, 1].map((beta) =>
    each(`beta ${beta}`, losses.smoothL1({ beta }), (t, p) =>
      Math.abs(t - p) < beta ? (0.5 * (t - p) ** 2) / beta : Math.abs(t - p) - 0.5 * beta,
    ),
  ),
  logCosh: [each("", losses.logCosh(), (t, p) => Math.log(Math.cosh(p - t)))],
  poisson: [
    each("", losses.poisson(), (t, p) => p - t * Math.log(p + EPSILON), positives(cube), positives(cube)),
    each(
      "of logarithms",
      losses.poisson({ logRate: true }),
      (t, p) => Math.exp(p) - t * p,
      positives(cube),
      floats(cube),
    ),
  ],
  hinge: [each("", losses.hinge(), (t, p) => Math.max(0, 1 - (2 * t - 1) * p), bits)],
  squaredHinge: [each("", losses.squaredHinge(), (t, p) => Math.max(0, 1 - (2 * t - 1) * p) ** 2, bits)],
  cosineSimilarity: [
    row("", losses.cosineSimilarity(), (t, p, s, i) => -unit(t, s, i) * unit(p, s, i), floats(cube), floats(cube)),
  ],
  klDivergence: [
    row("", losses.klDivergence(), (t, p, s, i) => divergence(at(t, ...s, i), at(p, ...s, i)), inside, {
      ...inside,
      data: inside.data.map((x) => 1 - x),
    }),
    row(
      "logits",
      losses.klDivergence({ fromLogits: true }),
      (t, p, s, i) => divergence(at(t, ...s, i), softmax(p, s, i)),
      inside,
      logits,
    ),
    row(
      "logits, no and all weight",
      losses.klDivergence({ fromLogits: true }),
      (t, p, s, i) => divergence(at(t, ...s, i), softmax(p, s, i)),
      bits,
      floats(cube, 30),
    ),
  ],
  gaussianNll: [
    {
      what: "of log-variances",
      loss: losses.gaussianNll({ logVariance: true }),
      targets: floats([B, T, 2]),
      predictions: floats(cube, 3),
      plain: (t, p, ...s) =>
        total(
          2,
          (i) => 0.5 * (at(p, ...s, i + 2) + (at(t, ...s, i) - at(p, ...s, i)) ** 2 / Math.exp(at(p, ...s, i + 2))),
        ) / 2,
    },
    {
      what: "full",
      loss: losses.gaussianNll({ full: true }),
      targets: floats([B, T, 2]),
      predictions: positives(cube),
      plain: (t, p, ...s) =>
        total(
          2,
          (i) =>
            0.5 *
            (Math.log(2 * Math.PI * at(p, ...s, i + 2)) + (at(t, ...s, i) - at(p, ...s, i)) ** 2 / at(p, ...s, i + 2)),
        ) / 2,
    },
  ],
  sparseCategoricalCrossentropy: [
    row(
      "logits",
      losses.sparseCategoricalCrossentropy({ fromLogits: true }),
      (t, p, s, i) => -right(t, s, i) * Math.log(softmax(p, s, i)),
      labels,
      logits,
    ),
    row(
      "probabilities",
      losses.sparseCategoricalCrossentropy(),
      (t, p, s, i) => -right(t, s, i) * Math.log(share(p, s, i)),
      labels,
      inside,
    ),
    row(
      "weighted",
      losses.sparseCategoricalCrossentropy({ fromLogits: true, classWeights: WEIGHTS }),
      (t, p, s, i) => -WEIGHTS[i] * right(t, s, i) * Math.log(softmax(p, s, i)),
      labels,
      logits,
    ),
    row(
      "smoothed and weighted",
      losses.sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.2, classWeights: WEIGHTS }),
      (t, p, s, i) => -WEIGHTS[i] * (0.8 * right(t, s, i) + 0.05) * Math.log(softmax(p, s, i)),
      labels,
      logits,
    ),
    row(
      "smoothed",
      losses.sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.2 }),
      (t, p, s, i) => -(0.8 * right(t, s, i) + 0.05) * Math.log(softmax(p, s, i)),
      labels,
      logits,
    ),
  ],
  categoricalCrossentropy: [
    row(
      "logits",
      losses.categoricalCrossentropy({ fromLogits: true }),
      (t, p, s, i) => -at(t, ...s, i) * Math.log(softmax(p, s, i)),
      probabilities,
      logits,
    ),
    row(
      "weighted",
      losses.categoricalCrossentropy({ fromLogits: true, classWeights: WEIGHTS }),
      (t, p, s, i) => -WEIGHTS[i] * at(t, ...s, i) * Math.log(softmax(p, s, i)),
      probabilities,
      logits,
    ),
    row(
      "smoothed",
      losses.categoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.3 }),
      (t, p, s, i) => -(0.7 * at(t, ...s, i) + 0.3 / N) * Math.log(softmax(p, s, i)),
      probabilities,
      logits,
    ),
    row(
      "probabilities",
      losses.categoricalCrossentropy(),
      (t, p, s, i) => -at(t, ...s, i) * Math.log(share(p, s, i)),
      probabilities,
      positives(cube),
    ),
  ],
  binaryCrossentropy: [
    each("logits", losses.binaryCrossentropy({ fromLogits: true }), (t, p) => bce(t, sigmoid(p)), bits, logits),
    each("probabilities", losses.binaryCrossentropy(), bce, bits, inside),
    each("smoothed", losses.binaryCrossentropy({ labelSmoothing: 0.4 }), (t, p) => bce(0.6 * t + 0.2, p), bits, inside),
    row(
      "positives weighted, logits",
      losses.binaryCrossentropy({ fromLogits: true, positiveWeight: POSITIVE }),
      (t, p, s, i) => weighed(t, p, s, i, sigmoid(at(p, ...s, i))),
      bits,
      logits,
    ),
    row(
      "positives weighted, probabilities",
      losses.binaryCrossentropy({ positiveWeight: POSITIVE }),
      (t, p, s, i) => weighed(t, p, s, i, at(p, ...s, i)),
      bits,
      inside,
    ),
    each(
      "targets between 0 and 1",
      losses.binaryCrossentropy({ fromLogits: true }),
      (t, p) => bce(t, sigmoid(p)),
      inside,
      logits,
    ),
  ],
  binaryFocalCrossentropy: [2, 1.5]
    .map((gamma) =>
      each(
        `gamma ${gamma}`,
        losses.binaryFocalCrossentropy({ gamma }),
        (t, p) => (1 - rightOf(t, p)) ** gamma * bce(t, p),
        bits,
        inside,
      ),
    )
    .concat(
      each(
        "logits, balanced",
        losses.binaryFocalCrossentropy({ fromLogits: true, applyClassBalancing: true, alpha: 0.3 }),
        (t, p) => (0.3 * t + 0.7 * (1 - t)) * (1 - rightOf(t, sigmoid(p))) ** 2 * bce(t, sigmoid(p)),
        bits,
        logits,
      ),
      each(
        "smoothed",
        losses.binaryFocalCrossentropy({ labelSmoothing: 0.2 }),
        (t, p) => (1 - rightOf(0.8 * t + 0.1, p)) ** 2 * bce(0.8 * t + 0.1, p),
        bits,
        inside,
      ),
    ),
  categoricalFocalCrossentropy: [
    row(
      "probabilities, alpha, gamma 1.5, smoothed",
      losses.categoricalFocalCrossentropy({ alpha: 0.6, gamma: 1.5, labelSmoothing: 0.2 }),
      (t, p, s, i) => -0.6 * (1 - share(p, s, i)) ** 1.5 * (0.8 * at(t, ...s, i) + 0.05) * Math.log(share(p, s, i)),
      bits,
      inside,
    ),
    row(
      "logits",
      losses.categoricalFocalCrossentropy({ fromLogits: true }),
      (t, p, s, i) => -0.25 * (1 - softmax(p, s, i)) ** 2 * at(t, ...s, i) * Math.log(softmax(p, s, i)),
      bits,
      floats(cube),
    ),
  ],
  negativeLogLikelihood: [
    row(
      "weighted",
      losses.negativeLogLikelihood({ classWeights: WEIGHTS }),
      (t, p, s, i) => -WEIGHTS[i] * right(t, s, i) * at(p, ...s, i),
      labels,
      floats(cube),
    ),
    row("", losses.negativeLogLikelihood(), (t, p, s, i) => -right(t, s, i) * at(p, ...s, i), labels, floats(cube)),
  ],
};

const backends = builds.map(backendOf);
const formulas = suite("losses by formula");

formulas("there is a case for each", () => assert.equal(Object.keys(CASES).sort(), Object.keys(losses).sort()));

for (const [name, cases] of Object.entries(CASES)) {
  for (const { what, loss, targets, predictions, plain } of cases) {
    formulas(`${name} ${what}`, () => {
      // targets are constants: they come in from outside the differentiated inputs
      const subject = () => ({
        inputs: [predictions],
        fn: (p: Tensor) => loss.terms!(currentTrace("test").constant(targets.data, targets.shape), p).values,
      });
      const [{ data, shape }] = checkGradients(name, backends, subject);
      assert.equal([...shape], [B, T]);
      close(data, tabulate([B, T], (...s) => plain(targets, predictions, ...s)).data, 2e-7);
    });
  }
}

formulas.run();

eachBackend("losses", (test) => {
  const [t, p] = [
    [[1], [2], [4]],
    [[1.5], [2], [3]],
  ];
  const run = (loss: Loss, yTrue: unknown, yPred: unknown): any =>
    jit(null, (a: Tensor, b: Tensor) => loss(a, b))(yTrue, yPred);

  test("are means, sums, or one number per sample or step", () => {
    close([run(losses.meanSquaredError(), t, p)], [1.25 / 3], 1e-6);
    close([run(losses.meanSquaredError({ reduction: "sum" }), t, p)], [1.25], 1e-6);
    assert.equal(run(losses.meanSquaredError({ reduction: "none" }), t, p), {
      data: Float32Array.of(0.25, 0, 1),
      shape: [3],
    });
    assert.equal(run(losses.meanAbsoluteError({ reduction: "none" }), floats(cube), floats(cube)).shape, [B, T]);
    refused(
      () => losses.huber({ reduction: "average" as never }),
      "ERR_OPTION",
      /^losses\.huber: expected reduction of mean, sum, none, got "average"/,
    );
  });

  test("take targets without the last axis of size 1, integers, and labels with one", () => {
    const expected = run(losses.meanSquaredError(), t, p);
    assert.is(run(losses.meanSquaredError(), [1, 2, 4], p), expected);
    assert.is(run(losses.meanSquaredError(), Int32Array.of(1, 2, 4), p), expected);
    const sparse = losses.sparseCategoricalCrossentropy({ fromLogits: true });
    const x = [
      [1, 2],
      [3, 4],
    ];
    const value = run(sparse, Int32Array.of(0, 1), x);
    assert.is(run(sparse, [0, 1], x), value);
    assert.is(run(sparse, [[0], [1]], x), value);
  });

  test("refuse targets of another shape and labels there are not", () => {
    refused(
      () => run(losses.meanSquaredError(), [1, 2], p),
      "ERR_SHAPE",
      /^meanSquaredError: expected targets \[3, 1\] as the predictions, got \[2\]/,
    );
    refused(
      () =>
        run(
          losses.categoricalCrossentropy(),
          [0, 1, 2],
          [
            [1, 2],
            [1, 2],
            [1, 2],
          ],
        ),
      "ERR_SHAPE",
      /^categoricalCrossentropy: expected targets \[3, 2\]/,
    );
    const sparse = losses.sparseCategoricalCrossentropy({ fromLogits: true });
    refused(
      () =>
        run(
          sparse,
          [0, 1, 1],
          [
            [1, 2],
            [3, 4],
          ],
        ),
      "ERR_SHAPE",
      /^sparseCategoricalCrossentropy: expected labels \[2\] for predictions \[2, 2\], got \[3\]/,
    );
    const rows = [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [1, 2],
        [3, 4],
      ],
    ];
    for (const options of [
      {},
      { fromLogits: true },
      { labelSmoothing: 0.1 },
      { ignoreIndex: 0 },
      { classWeights: [1, 2] },
    ]) {
      for (const bad of [[0, 1], [[0], [1]], [[0, 1]]])
        refused(
          () => run(losses.sparseCategoricalCrossentropy(options), bad, rows),
          "ERR_SHAPE",
          /^sparseCategoricalCrossentropy: expected labels \[2, 2\] for predictions \[2, 2, 2\], got \[/,
        );
      refused(
        () =>
          run(
            losses.sparseCategoricalCrossentropy(options),
            [
              [0, 1],
              [0, 3],
            ],
            rows,
          ),
        "ERR_VALUE",
        /expected labels of 0…1, got 3 at \[1, 1\]$/,
      );
    }
    refused(
      () => run(losses.negativeLogLikelihood(), [[0], [1]], rows),
      "ERR_SHAPE",
      /^negativeLogLikelihood: expected labels \[2, 2\]/,
    );
    for (const bad of [
      [0, 2],
      [0, -1],
      [0, 0.5],
    ])
      refused(
        () =>
          run(sparse, bad, [
            [1, 2],
            [3, 4],
          ]),
        "ERR_VALUE",
        /expected labels of 0…1, got/,
      );
  });

  test("see targets as constants, whose gradient is null", () => {
    for (const [loss, yTrue, yPred] of [
      [losses.meanSquaredError(), t, p],
      [
        losses.sparseCategoricalCrossentropy({ fromLogits: true }),
        [0, 1],
        [
          [1, 2],
          [3, 4],
        ],
      ],
      [losses.binaryCrossentropy(), [0, 1, 1], [[0.1], [0.2], [0.3]]],
    ] as const) {
      const { inputGrads } = valueAndGrad(null, (a: Tensor, b: Tensor) => loss(a, b), { inputs: true })(yTrue, yPred);
      assert.is(inputGrads[0], null);
      assert.ok(inputGrads[1].data.some((g: number) => g !== 0));
    }
    const both = valueAndGrad(null, (a: Tensor) => losses.meanSquaredError()(a, ops.mul(a, 2)), { inputs: true })([
      [1],
      [2],
    ]);
    close(both.inputGrads[0].data, [2, 4], 1e-6, "what comes by the predictions is given");
  });

  test("stay finite for extreme logits, with gradients that point the right way", () => {
    for (const [loss, yTrue, yPred] of [
      [
        losses.sparseCategoricalCrossentropy({ fromLogits: true }),
        Int32Array.of(0, 1, 0),
        [
          [1e4, -1e4],
          [1e4, -1e4],
          [-3e38, 0],
        ],
      ],
      [
        losses.categoricalCrossentropy({ fromLogits: true }),
        [
          [1, 0],
          [0, 1],
          [1, 0],
        ],
        [
          [1e4, -1e4],
          [1e4, -1e4],
          [-1e30, 0],
        ],
      ],
      [losses.binaryCrossentropy({ fromLogits: true }), [[1], [0], [1]], [[1e4], [1e4], [-1e30]]],
    ] as const) {
      const loud: Loss = loss;
      const step = valueAndGrad(
        null,
        (a: Tensor, b: Tensor) => [ops.mean(loud.terms!(a, b).values), loud.terms!(a, b).values],
        { inputs: true, aux: true },
      );
      const { aux, inputGrads } = step(yTrue, yPred);
      assert.is(aux.data[0], 0, "right and sure");
      assert.ok(aux.data[1] >= 1e4 && aux.data[2] > 1e29, String(aux.data));
      const gradient = inputGrads[1].data as Float32Array;
      assert.ok(gradient.every(Number.isFinite), String(gradient));
      assert.is(gradient[0], 0);
      assert.ok(gradient.some((g) => Math.abs(g) > 0.3));
    }
  });

  test("keep probabilities within [1e-7, 1 − 1e-7]", () => {
    const lowest = -Math.log(1e-7);
    const highest = -Math.log(Math.fround(1 - 1e-7));
    close([run(losses.binaryCrossentropy(), [[1]], [[0]])], [lowest], 1e-6);
    // 1 − (1 − 1e-7) is 1.19e-7 in single precision
    close([run(losses.binaryCrossentropy(), [[0]], [[1]])], [-Math.log(1 - Math.fround(1 - 1e-7))], 1e-6);
    close([run(losses.binaryCrossentropy(), [[1]], [[1]])], [highest], 1e-2);
    close([run(losses.categoricalCrossentropy(), [[1, 0]], [[0, 1]])], [lowest], 1e-6);
    close([run(losses.sparseCategoricalCrossentropy(), [1], [[1, 0]])], [lowest], 1e-5);
    const { value, inputGrads } = valueAndGrad(
      null,
      (b: Tensor) => losses.binaryCrossentropy()(currentTrace("test").constant(Float32Array.of(1, 0), [2, 1]), b),
      { inputs: true },
    )([[0], [1]]);
    assert.ok(Number.isFinite(value));
    close(inputGrads[0].data, [0, 0], 0, "no gradient beyond the ends");
  });

  test("do not count ignored labels, nor give them a gradient", () => {
    const loss = losses.sparseCategoricalCrossentropy({ fromLogits: true, ignoreIndex: -100 });
    const x = [
      [1, 2],
      [3, 5],
      [7, 9],
    ];
    const value = run(losses.sparseCategoricalCrossentropy({ fromLogits: true }), [0, 1], [x[0], x[2]]);
    close([run(loss, Int32Array.of(0, -100, 1), x)], [value], 1e-6);
    const { inputGrads } = valueAndGrad(null, (a: Tensor, b: Tensor) => loss(a, b), { inputs: true })(
      Int32Array.of(0, -100, 1),
      x,
    );
    close(inputGrads[1].data.slice(2, 4), [0, 0], 0);
    assert.is(run(loss, Int32Array.of(-100, -100, -100), x), 0);
    const two = losses.sparseCategoricalCrossentropy({ ignoreIndex: -100, ignoreClass: 0 });
    refused(
      () => run(two, Int32Array.of(1, 0, 1), x),
      "ERR_OPTION",
      /^losses\.sparseCategoricalCrossentropy: expected one label to ignore, got ignoreIndex -100 and ignoreClass 0$/,
    );
  });

  test("divide by the weights of the classes that occur, and by the rows for targets that are probabilities", () => {
    const x = [
      [1, 2, 0],
      [3, 5, 1],
      [7, 9, 2],
      [1, 1, 1],
    ];
    const [classWeights, ignoreIndex] = [[1, 2, 4], -1];
    const y = Int32Array.of(0, -1, 1, 2);
    const nll = (row: number, label: number): number => Math.log(total(3, (k) => Math.exp(x[row][k]))) - x[row][label];
    const expected = (nll(0, 0) + 2 * nll(2, 1) + 4 * nll(3, 2)) / 7;
    close(
      [run(losses.sparseCategoricalCrossentropy({ fromLogits: true, classWeights, ignoreIndex }), y, x)],
      [expected],
      1e-6,
    );
    const logged = x.map((row) => row.map((z) => z - Math.log(total(3, (k) => Math.exp(row[k])))));
    close([run(losses.negativeLogLikelihood({ classWeights, ignoreIndex }), y, logged)], [expected], 1e-6);
    const soft = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0.5, 0.5],
      [0, 0, 1],
    ];
    close(
      [run(losses.categoricalCrossentropy({ fromLogits: true, classWeights }), soft, x)],
      [(nll(0, 0) + 2 * nll(1, 1) + nll(2, 1) + 2 * nll(2, 2) + 4 * nll(3, 2)) / 4],
      1e-6,
    );
    for (const loss of [losses.sparseCategoricalCrossentropy, losses.negativeLogLikelihood]) {
      refused(
        () => run(loss({ classWeights: [1, 2] }), Int32Array.of(0, 1, 1, 2), x),
        "ERR_OPTION",
        /: expected 3 class weights, got 2$/,
      );
    }
    refused(
      () => run(losses.categoricalCrossentropy({ classWeights: [1, 2] }), soft, x),
      "ERR_OPTION",
      /^categoricalCrossentropy: expected 3 class weights, got 2$/,
    );
  });

  test("take variances as at least epsilon, but keep their gradient, as PyTorch does", () => {
    const loss = losses.gaussianNll({ epsilon: 0.1 });
    const { value, inputGrads } = valueAndGrad(null, (a: Tensor, b: Tensor) => loss(a, b), { inputs: true })(
      [[1]],
      [[3, -5]],
    );
    close([value], [0.5 * (Math.log(0.1) + 4 / 0.1)], 1e-5);
    close(inputGrads[1].data, [2 / 0.1, 0.5 * (1 / 0.1 - 4 / 0.01)], 1e-3);
  });

  test("of focus, of weights and of rows without a direction stay finite at the ends", () => {
    const ends: [Loss, unknown, unknown][] = [
      [
        losses.binaryFocalCrossentropy({ fromLogits: true, gamma: 1.5 }),
        [[1], [0], [1], [0]],
        [[1e4], [1e4], [-1e30], [-1e30]],
      ],
      [
        losses.categoricalFocalCrossentropy({ fromLogits: true }),
        [
          [1, 0],
          [0, 1],
        ],
        [
          [1e4, -1e4],
          [1e4, -1e4],
        ],
      ],
      [losses.binaryCrossentropy({ fromLogits: true, positiveWeight: 5 }), [[1], [0], [1]], [[1e4], [1e4], [-1e30]]],
      [losses.binaryCrossentropy({ positiveWeight: 5 }), [[1], [0]], [[0], [1]]],
      [
        losses.sparseCategoricalCrossentropy({ fromLogits: true, labelSmoothing: 0.1, classWeights: [1, 2] }),
        Int32Array.of(0, 1),
        [
          [1e4, -1e4],
          [1e30, -1e30],
        ],
      ],
      [
        losses.negativeLogLikelihood(),
        Int32Array.of(0, 1),
        [
          [0, -Infinity],
          [-Infinity, -1],
        ],
      ],
      [
        losses.cosineSimilarity(),
        [
          [0, 0],
          [1, 0],
        ],
        [
          [1, 0],
          [0, 0],
        ],
      ],
      [losses.klDivergence(), [[1, 0]], [[0, 1]]],
      [
        losses.klDivergence({ fromLogits: true }),
        [
          [1, 0],
          [0, 0],
        ],
        [
          [-1e30, 1e30],
          [1e4, -1e4],
        ],
      ],
      [losses.logCosh(), [[0], [0]], [[1e30], [-1e30]]],
      [losses.poisson(), [[3]], [[0]]],
      [losses.meanAbsolutePercentageError(), [[0]], [[1]]],
      [losses.meanSquaredLogarithmicError(), [[1]], [[-5]]],
      [losses.gaussianNll(), [[1]], [[2, 0]]],
    ];
    for (const [i, [loss, yTrue, yPred]] of ends.entries()) {
      const { value, inputGrads } = valueAndGrad(null, (a: Tensor, b: Tensor) => loss(a, b), { inputs: true })(
        yTrue,
        yPred,
      );
      assert.ok(Number.isFinite(value), `${i}: ${value}`);
      assert.ok(inputGrads[1].data.every(Number.isFinite), `${i}: ${inputGrads[1].data}`);
    }
  });

  test("refuse options out of their range", () => {
    const wrong: [() => unknown, RegExp][] = [
      [() => losses.huber({ delta: 0 }), /^losses\.huber: expected delta > 0, got 0$/],
      [() => losses.smoothL1({ beta: -1 }), /^losses\.smoothL1: expected beta ≥ 0, got -1$/],
      [
        () => losses.categoricalCrossentropy({ labelSmoothing: 1.5 }),
        /^losses\.categoricalCrossentropy: expected labelSmoothing of 0…1, got 1\.5$/,
      ],
      [() => losses.binaryCrossentropy({ positiveWeight: [1, NaN] }), /expected positiveWeight ≥ 0, got NaN$/],
      [() => losses.binaryFocalCrossentropy({ gamma: -2 }), /expected gamma ≥ 0, got -2$/],
      [() => losses.categoricalFocalCrossentropy({ alpha: 2 }), /expected alpha of 0…1, got 2$/],
      [
        () => losses.sparseCategoricalCrossentropy({ ignoreIndex: 0.5 }),
        /expected a whole number as ignoreIndex, got 0\.5$/,
      ],
      [() => losses.sparseCategoricalCrossentropy({ classWeights: [1, -1] }), /expected classWeights ≥ 0, got -1$/],
      [() => losses.gaussianNll({ epsilon: 0 }), /expected epsilon > 0, got 0$/],
      [() => losses.huber({ delta: "1" as never }), /expected delta > 0, got "1"$/],
    ];
    for (const [make, message] of wrong) refused(make, "ERR_OPTION", message);
  });

  test("have names", () => {
    for (const name of ["mse", "meanSquaredError", "mean_squared_error"])
      assert.is(run(lossOf(name), t, p), run(losses.meanSquaredError(), t, p));
    refused(() => lossOf("crossentropy"), "ERR_OPTION", /^compile: expected a known loss, got "crossentropy"/);
    refused(() => lossOf("meanSquaredEror"), "ERR_OPTION", /did you mean "meanSquaredError"\?/);
    refused(
      () => losses.sparseCategoricalCrossentropy({ fromLogit: true } as never),
      "ERR_OPTION",
      /^losses\.sparseCategoricalCrossentropy: expected one of .*, got "fromLogit", did you mean "fromLogits"\?/,
    );
  });
});
