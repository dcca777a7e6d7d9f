// The two charts.
import uPlot from "../../node_modules/uplot/dist/uPlot.esm.js";

const INK = "#33415c";
const GRID = { stroke: "#e3e7ee", width: 1 };
const axis = (label, more = {}) => ({
  label,
  stroke: INK,
  grid: GRID,
  ticks: GRID,
  labelSize: 24,
  font: "12px system-ui",
  labelFont: "12px system-ui",
  ...more,
});
const HEIGHT = 260;

function chart(element, options, data) {
  const size = () => ({ width: element.clientWidth, height: HEIGHT });
  const plot = new uPlot({ ...size(), cursor: { show: false }, legend: { live: false }, ...options }, data, element);
  new ResizeObserver(() => plot.setSize(size())).observe(element);
  return plot;
}

export const lossChart = (element, epochs) =>
  chart(
    element,
    {
      scales: { x: { time: false, range: [1, epochs] }, y: { distr: 3, range: [1e-4, 1] } },
      axes: [
        axis("epoch"),
        axis("mean squared error", {
          size: 64,
          values: (_, values) =>
            values.map((value) => (Number.isInteger(Math.log10(value)) ? value.toExponential(0) : "")),
        }),
      ],
      series: [{}, { label: "loss", stroke: "#c2410c", width: 2, points: { show: false } }],
    },
    [[1], [null]],
  );

export const waveChart = (element, [first, last]) =>
  chart(
    element,
    {
      scales: { x: { time: false, range: [first, last] }, y: { range: [-1.2, 1.2] } },
      axes: [axis("time step (the model writes from 0 on)"), axis("value", { size: 64 })],
      series: [
        {},
        { label: "the wave", stroke: "#94a3b8", width: 4, points: { show: false } },
        { label: "the model", stroke: "#1d4ed8", width: 2, points: { show: false } },
      ],
    },
    [[first], [null], [null]],
  );
