/** The table that `summary()` prints. */
import { Trace } from "../graph/trace.ts";
import type { LayerPart } from "./layer_module.ts";
import type { Network } from "./network.ts";
import { inputType, type SequentialLayer } from "./sequential.ts";

type Listed = Network & Partial<LayerPart>;
type Built = Network & { layers?: readonly SequentialLayer[]; inputShape?: readonly (number | null)[] };

const count = (n: number): string => n.toLocaleString("en-US");

/** Output shapes by path, where the input's shape is known; null for extents that may be anything. */
function outputShapes(model: Built): Map<string, string> {
  const { layers, inputShape } = model;
  if (!layers || !inputShape) return new Map();
  const trace = new Trace(model.backend, { inspect: true, paths: model.modulePaths() });
  trace.run(() => model.call(...[trace.pinned([1, ...inputShape.map((extent) => extent ?? 1)], inputType(model))]));
  const timed = inputShape[0] === null;
  return new Map(
    [...trace.body.exposed]
      .filter(([name]) => name.endsWith("/output"))
      .map(
        ([
          name,
          {
            value: { shape },
          },
        ]) => [
          name.slice(0, -"/output".length),
          `[${shape.map((extent, axis) => (axis === 0 || (axis === 1 && timed && shape.length > 2) ? "null" : extent)).join(", ")}]`,
        ],
      ),
  );
}

/** Layers with their output shapes and weights, then totals. */
export function summary(model: Network): string {
  const shapes = outputShapes(model as Built);
  const layers = [...model.modulePaths()].filter(([module]) => (module as Listed).definition) as [Listed, string][];
  const rows = layers.map(([layer, path]) => [
    `${path || layer.describe()} (${layer.definition!.type})`,
    shapes.get(path) ?? "",
    count([...layer.ownParameters.values()].reduce((sum, { size }) => sum + size, 0)),
  ]);
  const table = [["layer (type)", "output", "weights"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
  const line = (row: string[]): string =>
    `${row[0].padEnd(widths[0])}  ${row[1].padEnd(widths[1])}  ${row[2].padStart(widths[2])}`;
  const rule = "-".repeat(widths[0] + widths[1] + widths[2] + 4);
  const total = model.countParams();
  const bytes = model.parameters().reduce((sum, [, { floats }]) => sum + floats * 4, 0);
  const trainable = model.trainableParameters().reduce((sum, [, { size }]) => sum + size, 0);
  return [
    line(table[0]),
    rule,
    ...table.slice(1).map(line),
    rule,
    `${count(total)} weights, ${count(trainable)} trainable, ${count(bytes)} bytes`,
  ].join("\n");
}
