/** The cases of Keras that the repository carries: one suite per group and build. */
import { KERAS } from "../cases/runners.ts";
import { eachBackend } from "../support/backends.ts";
import { eachGolden } from "../support/goldens.ts";

for (const [group, run] of Object.entries(KERAS)) eachBackend(group, (test) => eachGolden(test, group, run));
