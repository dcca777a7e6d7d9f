// ONNX Runtime Web: WebAssembly on one thread.
import * as ort from "onnxruntime-web/wasm";
import { prepareOrt } from "./ort.mjs";

export const name = () => `ONNX Runtime Web ${ort.env.versions.web ?? ort.env.versions.common}`;

export function init() {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
}

export const prepare = (job) => prepareOrt(ort, { executionProviders: ["wasm"] }, job);
