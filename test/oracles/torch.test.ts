/** The cases of PyTorch outside the repository: one suite per group and build. */
import { TORCH } from "../cases/runners.ts";
import { eachBackend } from "../support/backends.ts";
import { eachSupported } from "./left_out.ts";

for (const [group, run] of Object.entries(TORCH)) eachBackend(group, (test) => eachSupported(test, group, run));
