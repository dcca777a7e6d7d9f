/** Metrics by their formulas, over batches of different size, over what counts. */
import * as assert from "uvu/assert";
import { layers, metrics, ops, sequential, type ArrayInput, type Metric } from "../../bindings/index.ts";
import { metricOf } from "../../bindings/metrics/index.ts";
import { eachBackend } from "../support/backends.ts";
import { close } from "../support/numbers.ts";
import { refused } from "../support/refused.ts";

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Scores of five samples over three classes, probabilities of five yes or no, and five numbers of two columns. */
const scores = [
  [0.1, 0.7, 0.2],
  [0.5, 0.3, 0.2],
  [0.2, 0.3, 0.5],
  [0.6, 0.1, 0.3],
  [0.3, 0.4, 0.3],
];
const labels = [1, 0, 1, 2, 1];
const oneHot = labels.map((label) => [0, 1, 2].map((k) => +(k === label)));
const chances = [[0.9], [0.6], [0.4], [0.2], [0.55]];
const truths = [[1], [0], [1], [0], [1]];
const numbers = [
  [1, 2],
  [3, 5],
  [-1, 0],
  [2, 2],
  [0, 1],
];
const guesses = [
  [1.5, 2],
  [2, 5.5],
  [-1, 1],
  [3, 2],
  [0, 0],
];

const flat = (rows: number[][]): number[] => rows.flat();
const errors = flat(numbers).map((t, i) => t - flat(guesses)[i]);
/** Classes rated above the right one. */
const above = scores.map((row, i) => row.filter((score) => score > row[labels[i]]).length);
const [hits, said, real] = [2, 3, 3]; // of chances above a half

/** Explained share of one column. */
function explained(column: number): number {
  const t = numbers.map((row) => row[column]);
  const residual = t.reduce((sum, x, i) => sum + (x - guesses[i][column]) ** 2, 0);
  return 1 - residual / t.reduce((sum, x) => sum + (x - mean(t)) ** 2, 0);
}

/** Share of pairs of a yes and a no that are rated in this order. */
const pairs = truths.flatMap(([yes], i) =>
  truths.flatMap(([no], j) => (yes === 1 && no === 0 ? [+(chances[i][0] > chances[j][0])] : [])),
);

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const rightLogs = scores.map((row, i) => Math.log(row[labels[i]]));
const positive = [[2], [1], [3], [0.5], [1]];
/** What the first guesses lack of 1 on the right side. */
const margins = guesses.map(([p], i) => Math.max(0, 1 - (truths[i][0] ? p : -p)));

type Case = [Metric, key: string, y: ArrayInput, p: number[][], expected: number, bound?: number];

const CASES: Record<Exclude<keyof typeof metrics, "confusionMatrix">, Case[]> = {
  accuracy: [
    [metrics.accuracy(), "accuracy", labels, scores, 3 / 5],
    [metrics.accuracy(), "accuracy", oneHot, scores, 3 / 5],
    [metrics.accuracy(), "accuracy", truths, chances, 3 / 5],
    [metrics.accuracy(), "accuracy", Int32Array.from(flat(truths)), chances, 3 / 5],
  ],
  binaryAccuracy: [
    [metrics.binaryAccuracy(), "binary_accuracy", truths, chances, 3 / 5],
    [metrics.binaryAccuracy({ threshold: 0.3 }), "binary_accuracy", truths, chances, 4 / 5],
  ],
  categoricalAccuracy: [[metrics.categoricalAccuracy(), "categorical_accuracy", oneHot, scores, 3 / 5]],
  sparseCategoricalAccuracy: [
    [metrics.sparseCategoricalAccuracy(), "sparse_categorical_accuracy", labels, scores, 3 / 5],
  ],
  topKCategoricalAccuracy: [1, 2, 3].map((k) => [
    metrics.topKCategoricalAccuracy({ k }),
    "top_k_categorical_accuracy",
    oneHot,
    scores,
    mean(above.map((n) => +(n < k))),
  ]),
  sparseTopKCategoricalAccuracy: [1, 2].map((k) => [
    metrics.sparseTopKCategoricalAccuracy({ k }),
    "sparse_top_k_categorical_accuracy",
    labels,
    scores,
    mean(above.map((n) => +(n < k))),
  ]),
  precision: [
    [metrics.precision(), "precision", truths, chances, hits / said],
    [metrics.precision({ threshold: 0.95 }), "precision", truths, chances, 0],
  ],
  recall: [
    [metrics.recall(), "recall", truths, chances, hits / real],
    [metrics.recall({ threshold: 0.1 }), "recall", truths, chances, 1],
  ],
  f1Score: [[metrics.f1Score(), "f1_score", truths, chances, (2 * hits) / (said + real)]],
  auc: [[metrics.auc(), "auc", truths, chances, mean(pairs), 1e-3]],
  meanSquaredError: [
    [metrics.meanSquaredError(), "mean_squared_error", numbers, guesses, mean(errors.map((e) => e * e))],
  ],
  meanAbsoluteError: [
    [metrics.meanAbsoluteError(), "mean_absolute_error", numbers, guesses, mean(errors.map(Math.abs))],
  ],
  rootMeanSquaredError: [
    [
      metrics.rootMeanSquaredError(),
      "root_mean_squared_error",
      numbers,
      guesses,
      Math.sqrt(mean(errors.map((e) => e * e))),
    ],
  ],
  r2Score: [[metrics.r2Score(), "r2_score", numbers, guesses, mean([explained(0), explained(1)])]],
  perplexity: [
    [
      metrics.perplexity(),
      "perplexity",
      labels,
      scores,
      Math.exp(-mean(scores.map((row, i) => Math.log(row[labels[i]])))),
    ],
    ...[{ ignoreIndex: -100 }, { ignoreClass: -100 }].map((ignoring): Case => [
      metrics.perplexity(ignoring),
      "perplexity",
      labels.map((label, i) => (i === 1 || i === 4 ? -100 : label)),
      scores,
      Math.exp(-mean([0, 2, 3].map((i) => Math.log(scores[i][labels[i]])))),
    ]),
  ],
  binaryCrossentropy: [
    [
      metrics.binaryCrossentropy(),
      "binary_crossentropy",
      truths,
      chances,
      -mean(chances.map(([p], i) => Math.log(truths[i][0] ? p : 1 - p))),
    ],
    [
      metrics.binaryCrossentropy({ fromLogits: true, labelSmoothing: 1 }),
      "binary_crossentropy",
      truths,
      guesses.map(([p]) => [p]),
      mean(guesses.map(([p]) => Math.log(1 + Math.exp(p)) - p / 2)),
    ],
  ],
  categoricalCrossentropy: [
    [metrics.categoricalCrossentropy(), "categorical_crossentropy", oneHot, scores, -mean(rightLogs)],
  ],
  sparseCategoricalCrossentropy: [
    [metrics.sparseCategoricalCrossentropy(), "sparse_categorical_crossentropy", labels, scores, -mean(rightLogs)],
    [
      metrics.sparseCategoricalCrossentropy({ ignoreClass: 1 }),
      "sparse_categorical_crossentropy",
      labels,
      scores,
      -mean([rightLogs[1], rightLogs[3]]),
    ],
  ],
  klDivergence: [
    [
      metrics.klDivergence(),
      "kl_divergence",
      [...scores].reverse(),
      scores,
      mean(scores.map((row, i) => sum(row.map((p, k) => scores[4 - i][k] * Math.log(scores[4 - i][k] / p))))),
    ],
  ],
  poisson: [
    [metrics.poisson(), "poisson", positive, chances, mean(chances.map(([p], i) => p - positive[i][0] * Math.log(p)))],
  ],
  hinge: [[metrics.hinge(), "hinge", truths, guesses.map(([p]) => [p]), mean(margins)]],
  squaredHinge: [
    [metrics.squaredHinge(), "squared_hinge", truths, guesses.map(([p]) => [p]), mean(margins.map((m) => m * m))],
  ],
  meanAbsolutePercentageError: [
    [
      metrics.meanAbsolutePercentageError(),
      "mean_absolute_percentage_error",
      positive,
      chances,
      100 * mean(chances.map(([p], i) => Math.abs(p - positive[i][0]) / positive[i][0])),
    ],
  ],
  meanSquaredLogarithmicError: [
    [
      metrics.meanSquaredLogarithmicError(),
      "mean_squared_logarithmic_error",
      positive,
      chances,
      mean(chances.map(([p], i) => Math.log((1 + p) / (1 + positive[i][0])) ** 2)),
    ],
  ],
  logCoshError: [
    [metrics.logCoshError(), "logcosh", numbers, guesses, mean(errors.map((e) => Math.log(Math.cosh(e)))), 1e-5],
  ],
  cosineSimilarity: [
    [
      metrics.cosineSimilarity(),
      "cosine_similarity",
      [...scores].reverse(),
      scores,
      mean(
        scores.map(
          (row, i) => sum(row.map((p, k) => p * scores[4 - i][k])) / Math.hypot(...row) / Math.hypot(...scores[4 - i]),
        ),
      ),
    ],
  ],
};

/** A model that passes predictions on, judged by one metric. */
function judge(metric: Metric | string) {
  const model = sequential([layers.activation({ activation: "linear" })]);
  model.compile({ loss: "mse", metrics: [metric] });
  return model;
}

eachBackend("metrics", (test) => {
  test("are all here", () =>
    assert.equal(
      Object.keys(CASES).sort(),
      Object.keys(metrics)
        .filter((name) => name !== "confusionMatrix")
        .sort(),
    ));

  for (const [name, cases] of Object.entries(CASES)) {
    test(`${name}: by formula, in whatever batches`, () => {
      for (const [metric, key, y, p, expected, bound = 2e-6] of cases) {
        assert.is(metric.metricName, key);
        // the loss of class numbers is none of this test's
        const model = sequential([layers.activation({ activation: "linear" })]);
        model.compile({ loss: (_t, prediction) => prediction, metrics: [metric] });
        for (const batchSize of [1, 2, 5, 32])
          close([model.evaluate(p, y, { batchSize })[key]], [expected], bound, `batches of ${batchSize}`);
        model.dispose();
      }
    });
  }

  test("are means over valid steps", () => {
    const model = sequential([layers.activation({ activation: "linear" })], { inputShape: [null, 1] });
    model.compile({ loss: "mse", metrics: ["mae", metrics.binaryAccuracy()] });
    const [x, y] = [
      [
        [[1], [0], [5]],
        [[0], [9], [9]],
      ],
      [
        [[0], [0], [0]],
        [[1], [0], [0]],
      ],
    ];
    const result = model.evaluate(x, y, { lengths: Int32Array.of(2, 1) });
    close([result.mae, result.binary_accuracy, result.loss], [2 / 3, 1 / 3, 2 / 3], 1e-6);
    const masked = model.evaluate(x, y, {
      mask: [
        [1, 1, 0],
        [1, 0, 0],
      ],
      batchSize: 1,
    });
    close([masked.mae, masked.binary_accuracy], [2 / 3, 1 / 3], 1e-6);
    model.dispose();
  });

  test("have names, and the key is the one that was given", () => {
    assert.equal(
      ["MSE", "bce", "MeanSquaredError", "AUC", "KLDivergence", "cosine_similarity"].map(
        (name) => metricOf(name).metricName,
      ),
      ["MSE", "bce", "mean_squared_error", "auc", "kl_divergence", "cosine_similarity"],
    );
    assert.equal(
      ["acc", "mse", "mae", "rmse", "accuracy", "meanAbsoluteError", "mean_absolute_error"].map(
        (name) => metricOf(name).metricName,
      ),
      ["acc", "mse", "mae", "rmse", "accuracy", "mean_absolute_error", "mean_absolute_error"],
    );
    refused(
      () => judge("accurracy"),
      "ERR_OPTION",
      /^compile: expected a known metric, got "accurracy", did you mean "accuracy"\?/,
    );
  });

  test("may have names of their own, and are numbered where several have one", () => {
    const model = layers.activation({ activation: "linear" });
    model.compile({
      loss: "mse",
      metrics: [
        metrics.precision({ thresholds: 0.3 }),
        metrics.precision({ threshold: 0.7 }),
        metrics.precision({ thresholds: 0.5, name: "half" }),
        "mse",
        "mse",
      ],
    });
    const { loss, ...rest } = model.evaluate(chances, truths, { batchSize: 2 });
    assert.equal(rest, { precision: 3 / 4, precision_1: 1, half: 2 / 3, mse: loss, mse_1: loss });
    model.dispose();
  });

  test("r2Score of targets that are all the same is 0, and 1 without error", () => {
    const model = layers.activation({ activation: "linear" });
    model.compile({ loss: "mse", metrics: [metrics.r2Score()] });
    const constant = [[1.1], [1.1], [1.1]];
    assert.is(model.evaluate([[1], [2], [1.1]], constant).r2_score, 0);
    assert.is(model.evaluate(constant, constant).r2_score, 1);
    assert.is(model.evaluate([[2]], [[1.1]]).r2_score, 0);
    close([model.evaluate([[1.1], [1.1], [1.1]], [[1.1], [1.1], [2]]).r2_score], [1 - 0.81 / 0.54], 1e-5);
    model.dispose();
  });

  test("refuse options they have not, and targets of another shape", () => {
    refused(
      () => metrics.accuracy({ threshold: 0.5 } as never),
      "ERR_OPTION",
      /^metrics\.accuracy: expected one of the options name, got "threshold"$/,
    );
    refused(
      () => metrics.recall({ thresholds: [0.1, 0.5] as never }),
      "ERR_OPTION",
      /^metrics\.recall: expected thresholds to be a number, got a list; give one metric for each$/,
    );
    refused(
      () => metrics.binaryAccuracy({ threshold: "0.5" as never }),
      "ERR_OPTION",
      /^metrics\.binaryAccuracy: expected threshold to be a number, got "0\.5"$/,
    );
    refused(
      () => metrics.topKCategoricalAccuracy({ k: 0 }),
      "ERR_OPTION",
      /^metrics\.topKCategoricalAccuracy: expected k to be a positive integer, got 0$/,
    );
    refused(() => metrics.auc({ name: "" }), "ERR_OPTION", /^metrics\.auc: expected name to be some text, got ""$/);
    const model = layers.activation({ activation: "linear" });
    const p = [
      [
        [0.1, 0.9],
        [0.4, 0.6],
      ],
    ];
    for (const [metric, y, message] of [
      [
        metrics.accuracy(),
        [1],
        /^sparseCategoricalAccuracy: expected labels \[1, 2\] for predictions \[1, 2, 2\], got \[1\]$/,
      ],
      [
        metrics.categoricalAccuracy(),
        [[0, 1]],
        /^categoricalAccuracy: expected targets \[1, 2, 2\] as the predictions, got \[1, 2\]; class numbers are for sparseCategoricalAccuracy$/,
      ],
      [
        metrics.sparseTopKCategoricalAccuracy({ k: 1 }),
        [[0]],
        /^sparseTopKCategoricalAccuracy: expected labels \[1, 2\]/,
      ],
      [metrics.topKCategoricalAccuracy({ k: 1 }), [[0, 1]], /^topKCategoricalAccuracy: expected targets \[1, 2, 2\]/],
    ] as const) {
      model.compile({ loss: (_yTrue, yPred) => ops.mean(yPred), metrics: [metric] });
      refused(() => model.evaluate(p, y), "ERR_SHAPE", message);
    }
    model.dispose();
  });

  test("a confusion matrix counts truths by rows", () => {
    assert.equal(metrics.confusionMatrix([0, 1, 1, 2], [0, 1, 2, 2]), {
      data: Float32Array.of(1, 0, 0, 0, 1, 1, 0, 0, 1),
      shape: [3, 3],
    });
    assert.equal(metrics.confusionMatrix(Int32Array.of(1), Int32Array.of(0), 2).shape, [2, 2]);
    refused(
      () => metrics.confusionMatrix([0, 1], [0]),
      "ERR_SHAPE",
      /^confusionMatrix: expected 2 predictions as there are labels, got 1/,
    );
    refused(() => metrics.confusionMatrix([0, 3], [0, 1], 3), "ERR_VALUE", /expected classes of 0…2, got 3 at 1/);
  });
});
