/** Recurrent layers against PyTorch: outputs, final states and all gradients, of stacks and of both directions. */
import { ops, valueAndGrad, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";
import { fromTorch, torchKind, toTorch } from "./weights.ts";
import { BatchFirst, BidirectionalStack, Stack, backwardPlaces, type StackInput } from "./stack.ts";

const squaredDistance = (y: Tensor, target: Tensor): Tensor => ops.mean(ops.square(ops.sub(y, target)));

function hold(oracle: OracleCase, model: Stack | BidirectionalStack): void {
  const { config, tensors } = oracle;
  const kind = torchKind(config.mode);
  const outputs = kind === "lstm" ? ["y", "hn", "cn"] : ["y", "hn"];
  const layout = new BatchFirst(config);
  const step = valueAndGrad(
    model,
    (input: StackInput, targets: Tensor[]) => {
      const results = model.call(input);
      return [results.map((result, i) => squaredDistance(result, targets[i])).reduce(ops.add), results];
    },
    { inputs: true, training: false, aux: true },
  );

  const { x, h0, c0, lengths } = {
    x: tensors["input.x"],
    h0: tensors["input.h0"],
    c0: tensors["input.c0"],
    lengths: config.lengths,
  };
  const input = {
    x: layout.sequence(x),
    h0: layout.states(h0),
    c0: layout.states(c0),
    lengths: lengths && Int32Array.from(lengths),
    places: backwardPlaces(layout.B, layout.T, lengths ?? new Array(layout.B).fill(layout.T)),
  };
  const targets = outputs.map((name, i) =>
    i === 0 ? layout.sequence(tensors[`target.${name}`]) : layout.states(tensors[`target.${name}`]),
  );
  step(input, targets); // builds the model
  for (const [path, suffix] of model.names()) {
    const translated = fromTorch(kind, tensors, (name) => `param.${name}${suffix}`);
    model.setWeights(Object.fromEntries(Object.entries(translated).map(([name, array]) => [`${path}/${name}`, array])));
  }

  const { value, aux, grads, inputGrads } = step(input, targets);
  assertWithin(oracle, "loss", [value], "output");
  outputs.forEach((name, i) =>
    assertWithin(oracle, `output.${name}`, i === 0 ? layout.asGiven(aux[i].data) : aux[i].data, "output"),
  );
  assertWithin(oracle, "grad.input.x", layout.asGiven(inputGrads[0].x.data), "gradient");
  for (const name of ["h0", "c0"]) {
    if (tensors[`input.${name}`]) assertWithin(oracle, `grad.input.${name}`, inputGrads[0][name].data, "gradient");
  }
  for (const [path, suffix] of model.names()) {
    const own = Object.fromEntries(
      ["kernel", "recurrent_kernel", "bias", "projection_kernel"].map((name) => [name, grads[`${path}/${name}`]]),
    );
    for (const [name, data] of Object.entries(toTorch(kind, own)))
      assertWithin(oracle, `grad.param.${name}${suffix}`, data, "gradient");
  }
  model.dispose();
}

export function runRecurrent(oracle: OracleCase): void {
  hold(oracle, new Stack(oracle.config));
  if (oracle.config.bidirectional) hold(oracle, new BidirectionalStack(oracle.config));
}
