/** From a model to a file of what it computes: the programs themselves, which need no layers and no tracing to run. */
import { OptionError, UnsupportedError } from "../base/errors.ts";
import { checkOptions, checkRecord } from "../base/options.ts";
import type { Structure } from "../graph/pytree.ts";
import { ProgramSnapshot, type SnapshotProgram } from "../program/snapshot.ts";
import { int8Text } from "../runtime/wasm/inline.ts";
import { isInt8Kernel } from "../runtime/wasm/int8.ts";
import { inputZeros, type InputShapes } from "../module/array_shape.ts";
import { encodeExport } from "./export_file.ts";
import type { ExportedPredict, ExportedStream } from "./export_format.ts";
import { inputArrays } from "../inference/model_inputs.ts";
import { isRowwise, type ModuleBase } from "../module/module_base.ts";
import { predictFunction } from "../inference/predict.ts";
import { CarriedStates, statefulStore } from "../module/state_stores.ts";
import type { StreamOptions } from "../inference/stream.ts";
import { checkStreamable, startFrom, streamOptions, traceSteps } from "../inference/model_stream.ts";

/** Options of `export`: one of them, or both. */
export interface ExportOptions {
  /** Records a stream: true, or its `batch`, `block`, and the `state` that it starts from. */
  stream?: boolean | StreamOptions | undefined;
  /** Records `predict` for an input of this shape, such as `[1, 10, 3]`; a list or record of them for several. */
  predict?: InputShapes | undefined;
}

function recordStream(snapshot: ProgramSnapshot, model: ModuleBase, options: StreamOptions): ExportedStream {
  const { batch, block, state } = streamOptions("export", options);
  const inputs = checkStreamable("export", model);
  const states = new CarriedStates(model.backend, "export");
  try {
    let structure: Structure = { kind: "leaf", index: 0 };
    const programs = [...new Set(batch === 1 ? [1, block] : [1])].map((steps): [string, SnapshotProgram] => {
      const traced = traceSteps("export", model, states, batch, steps);
      ({ structure } = traced);
      if (state && steps === 1) startFrom(states, state); // before the snapshot copies what they are
      return [String(steps), snapshot.add("export", traced.trace, traced.inputs, traced.outputs)];
    });
    const places = states
      .entries()
      .map(([name, { storage, shape }]) => [name, { ptr: snapshot.address(storage), shape }]);
    return {
      batch,
      block,
      inputs,
      structure,
      states: Object.fromEntries(places),
      programs: Object.fromEntries(programs),
    };
  } finally {
    states.dispose();
  }
}

function recordPredict(snapshot: ProgramSnapshot, model: ModuleBase, given: InputShapes): ExportedPredict {
  const arrays = inputArrays(inputZeros(given, "export: expected predict", model.inputConfigs), "export: predict");
  const traced = predictFunction(model);
  return traced.record(traced.flatten([arrays, {}]), ({ trace, inputs, outputs, structure }) => {
    if (statefulStore(model).size > 0)
      throw new UnsupportedError(
        "export: expected layers that are not stateful for predict, got some that are; " +
          "export a stream, which carries states",
      );
    const alone = structure.kind === "list" && outputs.length === 1; // as predict gives it: without the list
    return {
      ...snapshot.add("export", trace, inputs, outputs),
      names: model.inputConfigs,
      structure: alone ? { kind: "leaf", index: 0 } : structure,
      rowwise: isRowwise(model),
    };
  });
}

/** See {@link Module.export}. */
export function exportModel(model: ModuleBase, options: ExportOptions): Uint8Array {
  checkOptions("export", options, ["stream", "predict"]);
  const { stream = false, predict } = options;
  if (typeof stream !== "boolean") checkRecord("export: stream", stream);
  if (!stream && predict === undefined)
    throw new OptionError("export: expected stream, or the extents of predict's inputs, or both, got neither");
  model.throwIfUnbuilt("export");
  const snapshot = new ProgramSnapshot(model.backend);
  const recorded = {
    stream: stream ? recordStream(snapshot, model, stream === true ? {} : stream) : undefined,
    predict: predict === undefined ? undefined : recordPredict(snapshot, model, predict),
  };
  const { kernels, end, contents } = snapshot;
  const int8 = kernels.some(isInt8Kernel) ? int8Text : undefined;
  return encodeExport({ kernels, end, int8, ...recorded }, contents);
}
