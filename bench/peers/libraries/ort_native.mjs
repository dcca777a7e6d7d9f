// ONNX Runtime's native CPU provider on one thread. Its npm package contains the binary.
import ort from "onnxruntime-node";
import { prepareOrt } from "./ort.mjs";

export const name = () => `ONNX Runtime native ${ort.env.versions.node ?? ort.env.versions.common}`;

export const prepare = (job) =>
  prepareOrt(
    ort,
    { executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential" },
    job,
  );
