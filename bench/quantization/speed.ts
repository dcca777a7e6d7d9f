/**
 * Steps of quantized LSTMs beside floats.
 *
 *   node --import tsx bench/quantization/speed.ts [--sizes 64,128,256,512,1024]
 *
 * One step per call of `stream.step`, as many inputs as units; the shortest of slices of 2 ms, models alternating.
 * "Of the probe" is the time of a loop that only reads as many bytes of weights and multiplies them, twice for 14 bits,
 * over the time of the step; in brackets with the time of tanh and sigmoid at the pace of the array kernel.
 */
import { parseArgs } from "node:util";
import { backendInfo, initSync, layers, sequential, type Model } from "../../bindings/index.ts";
import { Sandbox } from "../../test/support/builds.ts";
import { BUILD } from "../support/build.ts";
import { ceilingModule } from "../support/ceiling.mjs";
import { wave } from "../support/inputs.ts";
import { fastest, int8Reads, transcendentals } from "../support/probes.ts";
import { percent, table } from "../support/report.mjs";
import { MODES, titleOf } from "./modes.ts";

/** Values of tanh and sigmoid per unit of an LSTM. */
const CURVES = 5;

/** The loop that is the ceiling of int8 products, and how many products it needs for 14 bits. */
interface Ceiling {
  readonly module: WebAssembly.Module;
  readonly limbs: 1 | 2;
}

/** Seconds per step; the lists are in the order of MODES. */
interface Step {
  readonly floats: number;
  readonly quantized: readonly number[];
  readonly probes: readonly number[];
  readonly curves: number;
}

/** Whether products of int8 weights run as int16, by the test of bindings/runtime/wasm/int8.ts. */
function usesInt16(): boolean {
  if (backendInfo().build === "simd") return true;
  const model = sequential([layers.dense({ units: 1 })], { inputShape: [40] });
  const { kernels } = model.quantize().backend;
  return kernels.abi_dot(127, 255) === 5 - 4 * 127;
}

function measure(units: number, { module, limbs }: Ceiling): Step {
  const model = sequential([layers.lstm({ units })], { seed: 1, inputShape: [null, units] });
  const models: Model[] = [model, ...MODES.map((activations) => model.quantize({ activations }))];
  const frame = wave(units);
  const steps = models.map((each) => {
    const stream = each.stream();
    return () => void stream.step(frame);
  });
  // weights of the input, and as many of the state
  const bytes = 4 * units * units;
  const [once, twice] = [int8Reads(module, bytes, 1), int8Reads(module, bytes, limbs)];
  const curve = transcendentals(new Sandbox(BUILD));
  const runs = [once.run, twice.run, curve.run, ...steps];
  const [s7, s14, sCurve, floats, ...quantized] = fastest(runs, { rounds: 60, warmUp: 300 });
  for (const each of models) each.dispose();
  const [reads7, reads14] = [(s7 * bytes) / once.work, (s14 * bytes) / twice.work];
  return {
    floats,
    quantized,
    probes: [reads14 + reads7, 2 * reads7, 2 * reads14],
    curves: (CURVES * units * sCurve) / curve.work,
  };
}

function rowOf(units: number, { floats, quantized, probes, curves }: Step): (string | number)[] {
  const micro = (seconds: number): string => (seconds * 1e6).toFixed(2);
  return [
    units,
    micro(floats),
    ...quantized.map((seconds) => `${micro(seconds)} (${(floats / seconds).toFixed(2)} ×)`),
    ...quantized.map((seconds, i) => `${percent(probes[i] / seconds)} (${percent((probes[i] + curves) / seconds)})`),
  ];
}

const { values: given } = parseArgs({ options: { sizes: { type: "string", default: "64,128,256,512,1024" } } });
initSync();
const isInt16 = usesInt16();
const ceiling: Ceiling = { module: ceilingModule(isInt16 ? "simd" : "relaxed"), limbs: isInt16 ? 1 : 2 };
console.log(`Node ${process.versions.node}, ${backendInfo().build}, ${isInt16 ? "int16" : "relaxed"} dot\n`);
const titles = MODES.map(titleOf);
console.log(
  table(
    ["units", "f32, µs", ...titles, ...titles.map((title) => `of the probe: ${title}`)],
    given.sizes
      .split(",")
      .map(Number)
      .map((units) => rowOf(units, measure(units, ceiling))),
  ),
);
