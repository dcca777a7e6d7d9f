// A workload as an ONNX model. Inputs are [T, B, …], the order of ONNX' recurrent operators, so it needs no transposes.
import { createRequire } from "node:module";

const { onnx } = createRequire(import.meta.url)("onnx-proto");

const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;

/** The gates of Keras in the order of ONNX. */
const ORDER = { simpleRNN: [0], lstm: [0, 3, 1, 2], gru: [0, 1, 2] };
const OPERATOR = { simpleRNN: "RNN", lstm: "LSTM", gru: "GRU" };

/** [K, G·H] as [1, G·H, K], gates in the order of ONNX; a bias has K = 1. */
function gatesOf({ data }, K, H, order) {
  const G = order.length;
  const out = new Float32Array(K * G * H);
  order.forEach((from, to) => {
    for (let k = 0; k < K; k++) for (let j = 0; j < H; j++) out[(to * H + j) * K + k] = data[k * G * H + from * H + j];
  });
  return out;
}

class Graph {
  constructor() {
    this.nodes = [];
    this.initializers = [];
  }

  constant(name, dims, data) {
    const dataType = data instanceof Float32Array ? FLOAT : INT64;
    const array = dataType === FLOAT ? data : BigInt64Array.from(data, BigInt);
    this.initializers.push({
      name,
      dims,
      dataType,
      rawData: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    });
    return name;
  }

  node(opType, input, output, attributes = {}) {
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, type: 2, i: value }));
    this.nodes.push({ opType, input, output, attribute });
    return output[0];
  }
}

const info = (name, elemType, shape) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});

/** A recurrent layer. In a stream its states are inputs and outputs of the model. */
function recurrent(graph, layer, i, x, weights, states) {
  const { type, units: H } = layer;
  const order = ORDER[type];
  const [kernel, recurrentKernel, bias] = weights;
  const G = order.length;
  const w = graph.constant(`w${i}`, [1, G * H, kernel.shape[0]], gatesOf(kernel, kernel.shape[0], H, order));
  const r = graph.constant(`r${i}`, [1, G * H, H], gatesOf(recurrentKernel, H, H, order));
  const both = new Float32Array(2 * G * H); // the bias of the input, then of the state
  both.set(layer.resetAfter ? bias.data : gatesOf(bias, 1, H, order));
  const b = graph.constant(`b${i}`, [1, 2 * G * H], both);
  const initial = states.filter(({ layer: at }) => at === i).map(({ input }) => input);
  const last = [`h${i}`, ...(type === "lstm" ? [`c${i}`] : [])];
  const options = { hidden_size: H, ...(type === "gru" ? { linear_before_reset: Number(layer.resetAfter) } : {}) };
  graph.node(
    OPERATOR[type],
    [x, w, r, b, ...(initial.length > 0 ? ["", ...initial] : [])],
    [`y${i}`, ...last],
    options,
  );
  return layer.sequences === false || states.length > 0
    ? graph.node("Squeeze", [last[0], "axis0"], [`last${i}`])
    : graph.node("Squeeze", [`y${i}`, "axis1"], [`all${i}`]);
}

/**
 * The bytes of a model with input `x` and output `y`, and the names and sizes of the states of a stream.
 *
 * Between layers a stream has rows [1, features]; a recurrent layer takes them as [1, 1, features].
 */
export function onnxModel({ kind, B, T, features, layers }, weights) {
  const graph = new Graph();
  const isStream = kind === "stream";
  const states = !isStream
    ? []
    : layers.flatMap(({ type, units }, layer) =>
        (({ lstm: ["h", "c"], gru: ["h"], simpleRNN: ["h"] })[type] ?? []).map((state) => ({
          layer,
          units,
          input: `${state}${layer}_in`,
          output: `${state}${layer}`,
        })),
      );
  graph.constant("axis0", [1], [0]);
  graph.constant("axis1", [1], [1]);
  let value = "x";
  let isFlat = false; // [1, features] in a stream
  layers.forEach((layer, i) => {
    if (layer.type === "embedding") {
      value = graph.node(
        "Gather",
        [graph.constant(`table${i}`, weights[i][0].shape, weights[i][0].data), value],
        [`embedded${i}`],
      );
    } else if (layer.type === "dense") {
      const [kernel, bias] = weights[i];
      value = graph.node("MatMul", [value, graph.constant(`kernel${i}`, kernel.shape, kernel.data)], [`product${i}`]);
      value = graph.node("Add", [value, graph.constant(`bias${i}`, bias.shape, bias.data)], [`sum${i}`]);
      if (layer.activation === "sigmoid") value = graph.node("Sigmoid", [value], [`sigmoid${i}`]);
    } else {
      if (isStream && isFlat) value = graph.node("Unsqueeze", [value, "axis0"], [`row${i}`]);
      value = recurrent(graph, layer, i, value, weights[i], states);
      isFlat = isStream;
    }
  });
  graph.node("Identity", [value], ["y"]);
  const state = ({ units }) => [1, 1, units];
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: "", version: 14 }],
    graph: {
      name: "workload",
      node: graph.nodes,
      initializer: graph.initializers,
      input: [
        info("x", features > 0 ? FLOAT : INT32, features > 0 ? [T, B, features] : [T, B]),
        ...states.map((each) => info(each.input, FLOAT, state(each))),
      ],
      output: [info("y", FLOAT, []), ...states.map((each) => info(each.output, FLOAT, state(each)))].map((each, k) =>
        k === 0 ? { name: "y", type: { tensorType: { elemType: FLOAT } } } : each,
      ),
    },
  });
  return { bytes: onnx.ModelProto.encode(model).finish(), states };
}
