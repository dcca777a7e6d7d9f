/** Cell kernels against cases of PyTorch that the repository carries, on every build. */
import { isOfOneKernel, runKernel } from "../cases/torch/kernels.ts";
import { eachBuild } from "../support/builds.ts";
import { eachGolden } from "../support/goldens.ts";

eachBuild("cells against PyTorch", (test, sandbox) => {
  eachGolden(test, "torch/cell", (golden) => runKernel(sandbox, golden));
  eachGolden(test, "torch/rnn", (golden) => runKernel(sandbox, golden), isOfOneKernel);
});
