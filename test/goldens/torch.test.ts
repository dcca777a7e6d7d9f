/** The cases of PyTorch that the repository carries: one suite per group and build. */
import { TORCH } from "../cases/runners.ts";
import { eachBackend } from "../support/backends.ts";
import { eachGolden } from "../support/goldens.ts";

for (const [group, run] of Object.entries(TORCH)) eachBackend(group, (test) => eachGolden(test, group, run));
