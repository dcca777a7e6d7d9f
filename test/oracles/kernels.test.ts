/** Cell kernels against PyTorch, on every build. */
import { isOfOneKernel, runKernel } from "../cases/torch/kernels.ts";
import { eachBuild } from "../support/builds.ts";
import { eachCase } from "../support/oracles.ts";

eachBuild("cells against PyTorch", (test, sandbox) => {
  eachCase(test, "torch/cell", (oracle) => runKernel(sandbox, oracle));
  eachCase(test, "torch/rnn", (oracle) => runKernel(sandbox, oracle), isOfOneKernel);
});
