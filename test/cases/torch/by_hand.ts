/** Attention, layer normalization and whole padded taggers against PyTorch, written by hand from ops. */
import { losses, ops, valueAndGrad, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase, type OracleTensor } from "../case.ts";
import { fromTorch, torchKind, toTorch } from "./weights.ts";
import { BidirectionalStack, backwardPlaces } from "./stack.ts";

type Named = Record<string, Tensor>;

/** Arrays whose names start so, by the rest of their names. */
const named = (tensors: OracleCase["tensors"], prefix: string): Record<string, OracleTensor> =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );

const transposed = (x: Tensor): Tensor => ops.transpose(x, [...x.shape.slice(2).map((_, i) => i), -1, -2]);

/** x·Wᵀ + b, W as PyTorch has it. */
function projected(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const y = ops.matmul(x, transposed(weight));
  return bias ? ops.add(y, bias) : y;
}

/** Context and weights of queries over keys. */
function attention(score: (p: Named, q: Tensor, k: Tensor) => Tensor) {
  return (p: Named, { q, k, v, mask }: Named): Named => {
    const scores = score(p, q, k);
    const weights = ops.softmax(
      mask ? ops.where(ops.reshape(mask, [mask.shape[0], 1, mask.shape[1]]), scores, -1e9) : scores,
    );
    return { context: ops.matmul(weights, v), weights };
  };
}

const dot = (q: Tensor, k: Tensor): Tensor => ops.matmul(q, transposed(k));

function additive({ Wq, bq, Wk, v }: Named, q: Tensor, k: Tensor): Tensor {
  const [B, Q, K, A] = [q.shape[0], q.shape[1], k.shape[1], v.shape[0]];
  const both = ops.add(ops.reshape(projected(q, Wq, bq), [B, Q, 1, A]), ops.reshape(projected(k, Wk), [B, 1, K, A]));
  return ops.sum(ops.mul(ops.tanh(both), v), { axis: -1 });
}

const multiHead =
  (heads: number) =>
  (p: Named, { q, k }: Named): Named => {
    const [[B, , E], W, b] = [q.shape, ops.split(p.in_proj_weight, 3, 0), ops.split(p.in_proj_bias, 3)];
    const [query, key, value] = [q, k, k].map((x, i) =>
      ops.transpose(ops.reshape(projected(x, W[i], b[i]), [B, x.shape[1], heads, E / heads]), [0, 2, 1, 3]),
    );
    const weights = ops.softmax(ops.div(dot(query, key), Math.sqrt(E / heads)));
    const joined = ops.reshape(ops.transpose(ops.matmul(weights, value), [0, 2, 1, 3]), q.shape);
    return {
      y: projected(joined, p.out_proj_weight, p.out_proj_bias),
      weights_mean_over_heads: ops.mean(weights, { axis: 1 }),
    };
  };

/** Over the last axes, without the weights. */
function normalized(x: Tensor, eps: number, axes = 1): Tensor {
  const axis = Array.from({ length: axes }, (_, i) => -1 - i);
  const centred = ops.sub(x, ops.mean(x, { axis, keepDims: true }));
  return ops.div(centred, ops.sqrt(ops.add(ops.mean(ops.square(centred), { axis, keepDims: true }), eps)));
}

const layerNorm =
  (eps: number, axes: number) =>
  ({ weight, bias }: Named, { x }: Named): Named => {
    const y = normalized(x, eps, axes);
    return { y: weight ? ops.add(ops.mul(y, weight), bias) : y };
  };

/** What a case computes: outputs of parameters and inputs. */
function computation({ config: { kind, heads, eps } }: OracleCase): (params: Named, inputs: Named) => Named {
  switch (kind) {
    case "softmax(q k^T) v":
      return attention((_p, q, k) => dot(q, k));
    case "softmax(q k^T / sqrt(D)) v":
      return attention((_p, q, k) => ops.div(dot(q, k), Math.sqrt(q.shape[2])));
    case "softmax(q W k^T) v":
      return attention(({ W }, q, k) => dot(ops.matmul(q, W), k));
    case "softmax(v . tanh(Wq q + bq + Wk k)) values":
      return attention(additive);
    case "nn.MultiheadAttention, keys = values":
      return multiHead(heads);
    default:
      return layerNorm(eps, /two axes/.test(kind) ? 2 : 1);
  }
}

export function runByHand(oracle: OracleCase): void {
  const { tensors } = oracle;
  const compute = computation(oracle);
  const step = valueAndGrad(
    null,
    (params: Named, inputs: Named, cotangents: Named) => {
      const outputs = compute(params, inputs);
      return [
        Object.entries(outputs)
          .map(([name, y]) => ops.sum(ops.mul(y, cotangents[name])))
          .reduce(ops.add),
        outputs,
      ];
    },
    { inputs: true, aux: true },
  );
  const {
    aux,
    inputGrads: [params, inputs],
  } = step(named(tensors, "param."), named(tensors, "input."), named(tensors, "cotangent."));
  for (const name of Object.keys(named(tensors, "output.")))
    assertWithin(oracle, `output.${name}`, aux[name].data, "output");
  for (const name of Object.keys(named(tensors, "grad.param.")))
    assertWithin(oracle, `grad.param.${name}`, params[name].data, "gradient");
  for (const name of Object.keys(named(tensors, "grad.input.")))
    assertWithin(oracle, `grad.input.${name}`, inputs[name].data, "gradient");
}

/** Embedding with constant padding, two bidirectional layers over ragged rows, layer normalization, ignored labels. */
export function runTagger(oracle: OracleCase): void {
  const {
    config: { kind: description, H, lengths, target },
    tensors,
  } = oracle;
  const mode = /-> (\w+)\(/.exec(description)![1];
  const kind = torchKind(mode);
  const model = new BidirectionalStack({ mode, hidden_size: H, num_layers: 2, bidirectional: true });
  const loss = losses.sparseCategoricalCrossentropy({ fromLogits: true, ignoreIndex: -100 });
  const step = valueAndGrad(
    model,
    (p: Named, ids: Tensor, steps: Tensor, places: Tensor, labels: Tensor) => {
      const vectors = ops.gather(p["embedding.weight"], ids);
      const x = ops.where(ops.reshape(ops.equal(ids, 0), [...ids.shape, 1]), ops.stopGradient(vectors), vectors);
      const [y] = model.call({ x, lengths: steps, places });
      const normal = ops.add(ops.mul(normalized(y, 1e-5), p["norm.weight"]), p["norm.bias"]);
      return loss(labels, projected(normal, p["head.weight"], p["head.bias"]));
    },
    { inputs: true, training: false },
  );
  const { "input.ids": ids } = tensors;
  const [B, T] = ids.shape;
  const params = Object.fromEntries(
    Object.entries(named(tensors, "param.")).filter(([name]) => !name.startsWith("rnn.")),
  );
  const args = [
    params,
    ids,
    Int32Array.from(lengths),
    backwardPlaces(B, T, lengths),
    { data: Int32Array.from(target.flat()), shape: [B, T] },
  ];
  step(...args); // builds the model
  for (const [path, suffix] of model.names()) {
    const weights = fromTorch(kind, tensors, (name) => `param.rnn.${name}${suffix}`);
    model.setWeights(Object.fromEntries(Object.entries(weights).map(([name, array]) => [`${path}/${name}`, array])));
  }
  const { value, grads, inputGrads } = step(...args);
  const scale = tensors["cotangent.loss"].data[0];
  const gradient = (name: string, data: Float32Array): void =>
    assertWithin(
      oracle,
      `grad.param.${name}`,
      data.map((x) => x * scale),
      "gradient",
    );
  assertWithin(oracle, "output.loss", [value], "output");
  for (const name of Object.keys(params)) gradient(name, inputGrads[0][name].data);
  for (const [path, suffix] of model.names()) {
    const own = Object.fromEntries(
      ["kernel", "recurrent_kernel", "bias"].map((name) => [name, grads[`${path}/${name}`]]),
    );
    for (const [name, data] of Object.entries(toTorch(kind, own))) gradient(`rnn.${name}${suffix}`, data);
  }
  model.dispose();
}
