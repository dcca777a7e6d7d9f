/** Single steps of cells against PyTorch's RNNCell, LSTMCell and GRUCell. */
import { Module, ops, valueAndGrad, type Cell, type Tensor } from "../../../bindings/index.ts";
import { assertWithin, type OracleCase } from "../case.ts";
import { fromTorch, torchCell, torchKind, toTorch } from "./weights.ts";

class Step extends Module {
  cell: Cell;

  constructor(cell: Cell) {
    super();
    this.cell = cell;
  }
}

export function runCell(oracle: OracleCase): void {
  const {
    config: { kind: mode, hidden_size, bias },
    tensors,
  } = oracle;
  const kind = torchKind(mode);
  const names = kind === "lstm" ? ["h", "c"] : ["h"];
  const model = new Step(torchCell({ mode, hidden_size, bias }));
  const step = valueAndGrad(
    model,
    (x: Tensor, states: Tensor[], targets: Tensor[]) => {
      const [, after] = model.cell.call(x, states);
      const losses = after.map((state, i) => ops.mean(ops.square(ops.sub(state, targets[i]))));
      return [losses.reduce(ops.add), after];
    },
    { inputs: true, training: false, aux: true },
  );

  const args = [
    tensors["input.x"],
    names.map((name) => tensors[`input.${name}`]),
    names.map((name) => tensors[`target.${name}`]),
  ];
  step(...args); // builds the model
  const weights = fromTorch(kind, tensors, (name) => `param.${name}`);
  model.setWeights(Object.fromEntries(Object.entries(weights).map(([name, array]) => [`cell/${name}`, array])));

  const { value, aux, grads, inputGrads } = step(...args);
  assertWithin(oracle, "loss", [value], "output");
  assertWithin(oracle, "grad.input.x", inputGrads[0].data, "gradient");
  names.forEach((name, i) => {
    assertWithin(oracle, `output.${name}`, aux[i].data, "output");
    assertWithin(oracle, `grad.input.${name}`, inputGrads[1][i].data, "gradient");
  });
  const own = Object.fromEntries(Object.keys(weights).map((name) => [name, grads[`cell/${name}`]]));
  for (const [name, data] of Object.entries(toTorch(kind, own)))
    assertWithin(oracle, `grad.param.${name}`, data, "gradient");
  model.dispose();
}
