/** How gradients come together: tensors used more than once, not at all, or behind views. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Module, initializers, layers, ops, valueAndGrad } from "../../bindings/index.ts";
import type { Tensor } from "../../bindings/graph/tensor.ts";
import { backendOf, builds, eachBackend } from "../support/backends.ts";
import { checkGradients } from "../support/gradients/finite_difference.ts";
import { close } from "../support/numbers.ts";
import { floats, integers } from "../support/plain/arrays.ts";

const test = suite("gradients that come together");
const backends = builds.map(backendOf);

/** Functions of x [3, 4] and y [3, 4]. */
const SHARED: Record<string, (x: Tensor, y: Tensor) => Tensor | Tensor[]> = {
  thrice: (x) => ops.add(ops.add(x, x), x),
  "a cube": (x) => ops.mul(ops.mul(x, x), x),
  "x / x · x": (x) => ops.mul(ops.div(x, ops.add(ops.square(x), 1)), x),
  "a residual path": (x, y) => ops.add(ops.tanh(ops.mul(x, y)), x),
  "two residual paths": (x, y) => {
    const h = ops.add(ops.tanh(x), x);
    return ops.add(ops.sigmoid(ops.mul(h, y)), h);
  },
  "a residual path from the left": (x, y) => {
    const h = ops.add(x, ops.tanh(y));
    return ops.mul(ops.add(h, ops.square(h)), x);
  },
  "a view of x beside x": (x) => ops.add(x, ops.reshape(ops.reshape(x, [12]), [3, 4])),
  "a view beside what it views": (x, y) => {
    const h = ops.mul(x, y);
    const view = ops.reshape(h, [4, 3]);
    return [ops.tanh(view), ops.add(h, ops.reshape(view, [3, 4])), ops.square(h)];
  },
  "views of one sum": (x, y) => {
    const h = ops.add(x, y);
    return ops.add(ops.reshape(ops.tanh(ops.reshape(h, [2, 6])), [3, 4]), ops.mul(h, x));
  },
  "slices that overlap": (x) =>
    ops.concat([ops.slice(x, [0, 0], [2, 3]), ops.slice(x, [1, 1], [2, 3]), ops.slice(x, [0, 1], [2, 3])], 0),
  "a broadcast used twice": (x) => {
    const mean = ops.mean(x, { axis: 1, keepDims: true });
    return ops.mul(ops.sub(x, mean), ops.sub(mean, x));
  },
  normalisation: (x) => {
    const centred = ops.sub(x, ops.mean(x, { axis: -1, keepDims: true }));
    return ops.div(centred, ops.sqrt(ops.add(ops.mean(ops.square(centred), { axis: -1, keepDims: true }), 0.01)));
  },
  "attention over itself": (x) => ops.matmul(ops.softmax(ops.matmul(x, ops.transpose(x))), x),
  "a branch by value": (x, y) => ops.where(ops.greater(x, y), ops.mul(x, y), ops.sub(y, x)),
  "a difference with itself": (x) => ops.sub(ops.mul(x, 2), x),
  "a transpose of a transpose beside x": (x) => ops.add(ops.transpose(ops.transpose(x)), x),
  "several results, one of them x": (x, y) => [x, ops.mul(x, y), x],
};

for (const [what, fn] of Object.entries(SHARED)) {
  const inputs = [floats([3, 4]), floats([3, 4])];
  test(what, () => void checkGradients(what, backends, () => ({ fn, inputs })));
}

test("rows gathered more than once, and a table used beside its rows", () => {
  const inputs = [floats([4, 3]), integers([5], [3, 1, 3, 3, 0])];
  checkGradients("gather", backends, () => ({
    inputs,
    fn: (x, i) => [ops.gather(x, i), ops.gather(x, i), ops.tanh(x)],
  }));
});

test("dropout draws in the gradient what it drew before", () => {
  const inputs = [floats([6, 7])];
  checkGradients("dropout", backends, () => ({
    inputs,
    training: true,
    fn: (x) => ops.mul(ops.dropout(x, 0.4), ops.dropout(x, 0.2)),
  }));
});

/** A weight that is used as it is, reshaped, transposed and as two factors at once. */
class Tied extends Module {
  first = layers.dense({
    units: 4,
    kernelInitializer: initializers.glorotUniform({ seed: 5 }),
    biasInitializer: "zeros",
  });

  override call(x: Tensor): Tensor {
    return this.first.call(ops.tanh(this.first.call(ops.tanh(this.first.call(x)))));
  }
}

test("a layer called three times adds up its gradients", () => {
  const inputs = [floats([3, 4])];
  checkGradients("tied", backends, () => {
    const root = new Tied({ seed: 1 });
    return { inputs, root, fn: (x) => root.call(x) };
  });
});

test.run();

eachBackend("what no gradient reaches", (edge) => {
  const x = floats([3, 4]);
  const y = floats([3, 4]);

  edge("an input not used has zeros, integers have null", () => {
    const step = valueAndGrad(null, (a: Tensor) => ops.sum(a), { inputs: true });
    const { inputGrads } = step(x, y, integers([2], [1, 2]));
    close(inputGrads[0].data, new Float32Array(12).fill(1), 0);
    close(inputGrads[1].data, new Float32Array(12), 0);
    assert.equal(inputGrads[1].shape, [3, 4]);
    assert.is(inputGrads[2], null);
  });

  edge("stopGradient stops it, on one path of two", () => {
    const step = valueAndGrad(null, (a: Tensor) => ops.sum(ops.mul(ops.stopGradient(a), a)), { inputs: true });
    close(step(x).inputGrads[0].data, x.data, 0);
    const none = valueAndGrad(null, (a: Tensor) => ops.sum(ops.stopGradient(ops.square(a))), { inputs: true });
    close(none(x).inputGrads[0].data, new Float32Array(12), 0);
  });

  edge("comparisons and choices of an index pass none on", () => {
    const step = valueAndGrad(
      null,
      (a: Tensor, b: Tensor) => ops.add(ops.sum(ops.greater(a, b)), ops.sum(ops.oneHot(ops.argmax(a), 4))),
      { inputs: true },
    );
    const { inputGrads } = step(x, y);
    for (const { data } of inputGrads) close(data, new Float32Array(12), 0);
  });

  edge("a constant has zeros everywhere", () => {
    const step = valueAndGrad(null, (a: Tensor) => ops.sum(ops.mul(ops.stopGradient(a), 2)), { inputs: true });
    close(step(x).inputGrads[0].data, new Float32Array(12), 0);
  });

  edge("the maximum of equals: a takes it all from b, the first place from later ones", () => {
    const both = valueAndGrad(null, (a: Tensor, b: Tensor) => ops.sum(ops.maximum(a, b)), { inputs: true });
    const {
      inputGrads: [da, db],
    } = both([1, 2, 3], [1, 2, 0]);
    assert.equal(
      [[...da.data], [...db.data]],
      [
        [1, 1, 1],
        [0, 0, 0],
      ],
    );
    const row = valueAndGrad(null, (a: Tensor) => ops.max(a), { inputs: true });
    assert.equal([...row([1, 3, 3]).inputGrads[0].data], [0, 1, 0]);
  });

  edge("weights that the function leaves out have zeros, whatever another function left there", (): void => {
    class Two extends Module {
      first = layers.dense({ units: 2 });
      second = layers.dense({ units: 2 });
      override call(a: Tensor): Tensor {
        return this.second.call(this.first.call(a));
      }
    }
    const module = new Two({ seed: 3 });
    const first = valueAndGrad(module, (a: Tensor) => ops.sum(module.first.call(a)));
    const all = valueAndGrad(module, (a: Tensor) => ops.sum(module.call(a)));
    first(x);
    assert.equal(Object.keys(first(x).grads), ["first/kernel", "first/bias"]);
    assert.ok(all(x).grads["second/bias"].data.some((value) => value !== 0));
    const { grads } = first(x);
    assert.equal([...grads["second/bias"].data], [0, 0]);
    assert.equal([...grads["second/kernel"].data], [0, 0, 0, 0]);
    close(grads["first/bias"].data, [3, 3], 1e-6);
    module.dispose();
  });
});
