// The picture of a forecast, drawn by Vega-Lite into an SVG file: no browser needed.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as vega from "vega";
import { compile } from "vega-lite";

const COLOURS = { actual: "#9aa5b1", predicted: "#d1495b", training: "#30638e", validation: "#edae49" };

/** Two lines over the same axis, told apart by colour and legend. */
function lines(title, values, names, x, y) {
  return {
    title: { text: title, anchor: "start", frame: "group", fontSize: 15, offset: 10 },
    width: 900,
    height: 220,
    data: { values },
    mark: { type: "line", strokeWidth: 1.6, clip: true },
    encoding: {
      x: { ...x, axis: { labelOverlap: true, tickCount: 10, grid: false, ...x.axis } },
      y: { scale: { zero: false }, ...y },
      color: {
        field: "line",
        type: "nominal",
        sort: names,
        scale: { domain: names, range: names.map((name) => COLOURS[name]) },
        legend: { title: null, orient: "top", labelFontSize: 12, symbolStrokeWidth: 3, symbolSize: 300 },
      },
    },
  };
}

const ZOOM = 60;

/** Actual and predicted values by time; times are dates, or numbers of rows. */
function forecastLines(title, unit, points, format) {
  const dated = points[0].time instanceof Date;
  const values = points.flatMap(({ time, actual, predicted }) =>
    [
      ["actual", actual],
      ["predicted", predicted],
    ].map(([line, value]) => ({ at: Number(time), line, value })),
  );
  const x = dated
    ? { title: "date", type: "temporal", scale: { type: "utc" }, axis: { format } }
    : { title: "row", type: "quantitative", scale: { zero: false, nice: false } };
  return lines(
    title,
    values,
    ["actual", "predicted"],
    { field: "at", ...x },
    { field: "value", type: "quantitative", title: unit },
  );
}

/** The losses of `fit` by epoch, from 1. Their axis is logarithmic: the first ones are far above the rest. */
function lossLines(title, { loss, val_loss: validation }) {
  const values = loss.flatMap((value, epoch) =>
    [
      ["training", value],
      ["validation", validation[epoch]],
    ].map(([line, one]) => ({ at: epoch + 1, line, value: one })),
  );
  return lines(
    title,
    values,
    ["training", "validation"],
    {
      field: "at",
      type: "quantitative",
      title: "epoch",
      scale: { domain: [1, Math.max(2, loss.length)], nice: false },
      axis: { tickMinStep: 1 },
    },
    {
      field: "value",
      type: "quantitative",
      title: "mean squared error",
      scale: { type: "log", nice: false },
      axis: { tickCount: 6, format: "~g" },
    },
  );
}

/**
 * Writes the picture of a forecast: what came and what was predicted, its end once more from near, and the losses.
 *
 * @param file      where to, made with its folder
 * @param forecast  { title, unit, points: { time, actual, predicted }[] }, times as Date, or as numbers of rows
 * @param history   losses per epoch, of `fit`: { loss, val_loss }
 */
export async function drawForecast(file, { title, unit, points }, history) {
  const spec = {
    background: "white",
    padding: 20,
    spacing: 36,
    config: { axis: { labelFontSize: 11, titleFontSize: 12, gridColor: "#eceff1" }, view: { stroke: null } },
    resolve: { scale: { color: "independent" } },
    vconcat: [
      forecastLines(title, unit, points, "%b %Y"),
      ...(points.length > ZOOM
        ? [forecastLines(`The last ${ZOOM} of it, from near`, unit, points.slice(-ZOOM), "%d %b %Y")]
        : []),
      lossLines("Loss while training, of scaled values", history),
    ],
  };
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await view.toSVG());
  view.finalize();
}
