// What run.mjs times: gatewise in its variants, and the other libraries.

/** TensorFlow.js' GRU always resets before the product: it is compared with ours of that kind. */
const withResetBefore = (workload) => ({
  ...workload,
  layers: workload.layers.map((layer) => (layer.type === "gru" ? { ...layer, resetAfter: false } : layer)),
});

/** PyTorch's optimizers add epsilon in another place: they are compared with ours in that convention. */
const withTorchOptimizer = (workload) => (workload.kind === "train" ? { ...workload, convention: "torch" } : workload);

/**
 * The contenders; the first one is gatewise.
 *
 * - `key`: its column in the report
 * - `command`: program and arguments of its process
 * - `kinds`: the kinds of workloads it runs; all without it
 * - `variant`: the workload that it computes instead of a given one
 * - `isRounded`: its outputs are not held to ours
 * - `isBound`: it has no outputs
 */
export function contendersOf({ node, python }) {
  const library = (...args) => [node, ["--import", "tsx", "bench/peers/worker.mjs", ...args]];
  const int8 = (activations) => ({
    command: library("gatewise", `int8-${activations}`),
    isRounded: true,
    kinds: ["stream", "predict"],
  });
  return [
    { key: "ours", command: library("gatewise") },
    { key: "bound", command: library("ceiling"), isBound: true },
    { key: "simd", command: library("gatewise", "simd") },
    { key: "threads", command: library("gatewise", "threads-2"), kinds: ["predict", "train"] },
    { key: "int8", ...int8("mixed") },
    { key: "int8-7", ...int8("7") },
    { key: "int8-14", ...int8("14") },
    { key: "ort-web", command: library("ort_web") },
    { key: "ort-native", command: library("ort_native") },
    { key: "torch", command: [python, ["bench/peers/libraries/torch_peer.py"]], variant: withTorchOptimizer },
    { key: "tfjs-wasm", command: library("tfjs", "wasm"), variant: withResetBefore },
    { key: "tfjs-cpu", command: library("tfjs", "cpu"), variant: withResetBefore },
    { key: "brain", command: library("brain") },
    { key: "naive", command: library("naive") },
  ];
}
