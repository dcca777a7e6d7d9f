/** Draws measured points as SVG: a column per cell, above the time per call, below the rate; dashed the ceiling. */
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** One measurement. */
export interface Point {
  readonly cell: string;
  /** The value of what varies. */
  readonly at: number;
  /** Seconds per call. */
  readonly seconds: number;
  /** Billions of multiply-adds per second: of the layer, and of its ceiling. */
  readonly rate: number;
  readonly ceiling: number;
}

export interface Picture {
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  /** What varies. */
  readonly axis: string;
  readonly points: readonly Point[];
}

const COLOURS = ["#4269d0", "#d9720f", "#2f8f4e"];

const CONFIG = {
  font: "sans-serif",
  axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", gridColor: "#e6e6e6" },
  axisY: { minExtent: 40 },
  view: { stroke: "#ccc" },
  concat: { spacing: 14 },
};

const TITLE = { anchor: "start", fontSize: 16, subtitleFontSize: 12, subtitleColor: "#555", offset: 16 };

/** A row of panels: the fields that it draws and its vertical axis. */
interface Row {
  readonly reached: string;
  readonly ceiling: string;
  readonly scale: object;
  readonly axis: object;
}

/** The powers of ten around some numbers. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/** The horizontal axis; labels stand below the last row only. */
function horizontal(points: readonly Point[], title: string, hasLabels: boolean): object {
  const values = [...new Set(points.map(({ at }) => at))].filter((_, i) => i % 2 === 0);
  return {
    field: "at",
    type: "quantitative",
    scale: { type: "log", nice: false },
    axis: {
      title: hasLabels ? title : null,
      values,
      labels: hasLabels,
      labelOverlap: false,
      format: ",d",
      grid: false,
    },
  };
}

/** One cell in one row; the vertical axis has labels in the first column only. */
function panel({ reached, ceiling, scale, axis }: Row, x: object, cell: string, column: number): object {
  const color = COLOURS[column];
  const y = (field: string): object => ({
    field,
    type: "quantitative",
    scale,
    axis: column === 0 ? axis : { ...axis, title: null, labels: false, ticks: false, minExtent: 0 },
  });
  const line = { type: "line", strokeWidth: 2.5, point: { size: 36, filled: true, color }, color };
  return {
    transform: [{ filter: { field: "cell", equal: cell } }],
    width: 250,
    height: 170,
    layer: [
      { mark: { type: "line", strokeDash: [5, 4], color: "#777" }, encoding: { x, y: y(ceiling) } },
      { mark: line, encoding: { x, y: y(reached) } },
    ],
  };
}

function specification({ title, subtitle, axis, points }: Picture): TopLevelSpec {
  const values = points.map((each) => ({ ...each, least: (each.seconds * each.rate) / each.ceiling }));
  const cells = [...new Set(points.map(({ cell }) => cell))];
  const times = decades(values.flatMap(({ seconds, least }) => [seconds, least]));
  const highest = Math.ceil(Math.max(...values.flatMap(({ rate, ceiling }) => [rate, ceiling])) / 5) * 5;
  const time: Row = {
    reached: "seconds",
    ceiling: "least",
    scale: { type: "log", domain: [times[0], times.at(-1)] },
    axis: { title: "time per call", values: times, labelExpr: "format(datum.value, '~s') + 's'" },
  };
  const rate: Row = {
    reached: "rate",
    ceiling: "ceiling",
    scale: { domain: [0, highest] },
    axis: { title: "G multiply-adds per s", tickCount: 6 },
  };
  const [above, below] = [horizontal(points, axis, false), horizontal(points, axis, true)];
  const heading = (text: string): object => ({ text, anchor: "middle", frame: "group", fontSize: 13 });
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 12,
    title: { text: title, subtitle, ...TITLE },
    data: { values },
    vconcat: [
      { hconcat: cells.map((cell, i) => ({ ...panel(time, above, cell, i), title: heading(cell) })) },
      { hconcat: cells.map((cell, i) => panel(rate, below, cell, i)) },
    ],
    config: CONFIG,
  } as TopLevelSpec;
}

/** The picture as SVG text. */
export async function svgOf(picture: Picture): Promise<string> {
  const view = new vega.View(vega.parse(compile(specification(picture)).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
