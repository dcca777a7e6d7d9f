/** The table that `summary()` prints. */
import type { Shape } from "../base/shape.ts";
import { Trace } from "../graph/trace.ts";
import type { ModuleBase } from "../module/module_base.ts";

const count = (n: number): string => n.toLocaleString("en-US");

/** Output shapes by path. @param any  extent wherever any will do */
function shapesBy(model: ModuleBase, any: number): Map<string, Shape> {
  const trace = new Trace(model.backend, { inspect: true, paths: model.modulePaths() });
  const inputs = model.inputConfigs!.map(({ shape, dtype }) =>
    trace.pinned([any, ...shape!.map((extent) => extent ?? any)], dtype),
  );
  trace.run(() => model.call(...inputs));
  const outputs = [...trace.body.exposed].filter(([name]) => name.endsWith("/output"));
  return new Map(outputs.map(([name, { value }]) => [name.slice(0, -"/output".length), value.shape]));
}

/** Output shapes by path, where those of the inputs are known; null for extents that may be anything. */
function outputShapes(model: ModuleBase): Map<string, string> {
  if (!model.inputConfigs?.every(({ shape }) => shape)) return new Map();
  const first = shapesBy(model, 1);
  let second: Map<string, Shape>;
  try {
    second = shapesBy(model, 2);
  } catch {
    second = first; // a model that takes one extent only
  }
  const extents = (path: string, shape: Shape): string =>
    shape.map((extent, axis) => (axis === 0 || second.get(path)![axis] !== extent ? "null" : extent)).join(", ");
  return new Map([...first].map(([path, shape]) => [path, `[${extents(path, shape)}]`]));
}

/** Layers with their output shapes and weights, then totals. @param joins  what each layer is applied to, by its path */
export function summary(model: ModuleBase, joins?: ReadonlyMap<string, string>): string {
  const shapes = outputShapes(model);
  const layers = [...model.modulePaths()].filter(([module]) => module.layerType);
  const rows = layers.map(([layer, path]) => [
    `${path || layer.describe()} (${layer.layerType})`,
    shapes.get(path) ?? "",
    count([...layer.ownParameters.values()].reduce((sum, { size }) => sum + size, 0)),
    ...(joins ? [joins.get(path) ?? ""] : []),
  ]);
  const table = [["layer (type)", "output", "weights", ...(joins ? ["applied to"] : [])], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const line = (row: string[]): string =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join("  ")
      .trimEnd();
  const rule = "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
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
