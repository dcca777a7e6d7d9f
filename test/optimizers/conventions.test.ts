/** Where the conventions of Keras and PyTorch put epsilon, momentum and decay, and what clipping takes together. */
import { layers, optimizers, sequential, type NDArray, type Optimizer } from "../../bindings/index.ts";
import { eachBackend } from "../support/backends.ts";
import { close } from "../support/numbers.ts";

/** A model of two weights, 1 and −2, after updates by given gradients. */
function updated(optimizer: Optimizer, ...gradients: [number, number][]): Float32Array {
  const model = sequential([layers.dense({ units: 2, useBias: false })], { inputShape: [1] });
  model.setWeights({ "dense/kernel": { data: Float32Array.of(1, -2), shape: [1, 2] } });
  for (const gradient of gradients)
    optimizer.apply(model, { "dense/kernel": { data: Float32Array.from(gradient), shape: [1, 2] } });
  const { data } = model.getWeights()["dense/kernel"];
  model.dispose();
  return data;
}

const torch = { convention: "torch" } as const;

eachBackend("conventions of optimizers", (test) => {
  test("clipping by the global norm: the coefficient is min(1, max / (norm + 1e-6))", () => {
    const clip = { learningRate: 1, globalClipNorm: 1, ...torch };
    close(updated(optimizers.sgd(clip), [3, 4]), [1 - 3 / 5.000001, -2 - 4 / 5.000001], 1e-7);
    close(updated(optimizers.sgd(clip), [0.3, 0.4]), [0.7, -2.4], 1e-7);
    close(updated(optimizers.sgd(clip), [0, 0]), [1, -2], 0);
  });

  test("clipping takes all weights together, or each by itself", () => {
    const run = (clipping: object): Record<string, NDArray> => {
      const model = sequential([layers.dense({ units: 1 })], { inputShape: [1] });
      model.setWeights({ "dense/kernel": [[0]], "dense/bias": [0] });
      optimizers.sgd({ learningRate: 1, ...clipping }).apply(model, {
        "dense/kernel": { data: Float32Array.of(3), shape: [1, 1] },
        "dense/bias": { data: Float32Array.of(4), shape: [1] },
      });
      const weights = model.getWeights();
      model.dispose();
      return weights;
    };
    const stepOf = ({ "dense/kernel": kernel, "dense/bias": bias }: Record<string, NDArray>): number[] => [
      -kernel.data[0],
      -bias.data[0],
    ];
    close(stepOf(run({ globalClipNorm: 1 })), [0.6, 0.8], 1e-6);
    close(stepOf(run({ clipNorm: 1 })), [1, 1], 1e-6);
    close(stepOf(run({ clipValue: 3.5 })), [3, 3.5], 1e-6);
  });

  test("SGD: PyTorch's first momentum buffer is the gradient itself", () => {
    const rate = { learningRate: 0.1, momentum: 0.9 };
    close(updated(optimizers.sgd({ ...rate, ...torch }), [1, 2], [1, 2]), [1 - 0.1 - 0.19, -2 - 0.2 - 0.38], 1e-6);
    close(updated(optimizers.sgd({ ...rate, nesterov: true, ...torch }), [1, 2]), [1 - 0.19, -2 - 0.38], 1e-6);
  });

  test("Adam: epsilon is added after the bias correction in PyTorch, before it in Keras", () => {
    const options = { learningRate: 0.1, epsilon: 1e-3, beta1: 0.9, beta2: 0.999 };
    const g = 1e-3; // so that epsilon counts: the corrected moments are g and g²
    close(
      updated(optimizers.adam({ ...options, ...torch }), [g, -g]),
      [1 - (0.1 * g) / (g + 1e-3), -2 + (0.1 * g) / (g + 1e-3)],
      1e-6,
    );
    const root = Math.sqrt(1 - 0.999);
    close(
      updated(optimizers.adam(options), [g, -g]),
      [1 - (0.1 * root * g) / (root * g + 1e-3), -2 + (0.1 * root * g) / (root * g + 1e-3)],
      1e-6,
    );
  });

  test("RMSprop: epsilon stands outside the root in PyTorch, inside in Keras", () => {
    const options = { learningRate: 0.1, rho: 0.9, epsilon: 1e-3 };
    const [g, v] = [1e-2, 0.1 * 1e-4];
    close(
      updated(optimizers.rmsprop({ ...options, ...torch }), [g, -g]),
      [1 - (0.1 * g) / (Math.sqrt(v) + 1e-3), -2 + (0.1 * g) / (Math.sqrt(v) + 1e-3)],
      1e-6,
    );
    close(
      updated(optimizers.rmsprop(options), [g, -g]),
      [1 - (0.1 * g) / Math.sqrt(v + 1e-3), -2 + (0.1 * g) / Math.sqrt(v + 1e-3)],
      1e-6,
    );
  });

  test("decay is taken off the weights by AdamW, and added to the gradient by PyTorch's Adam", () => {
    const options = { learningRate: 0.1, weightDecay: 0.5, ...torch };
    close(updated(optimizers.adamw(options), [0, 0]), [0.95, -1.9], 1e-6);
    // Adam normalizes the gradient of L2, so its step is the learning rate
    close(updated(optimizers.adam(options), [0, 0]), [0.9, -1.9], 1e-5);
  });
});
