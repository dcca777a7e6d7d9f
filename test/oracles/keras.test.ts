/** The cases of Keras outside the repository: one suite per group and build. */
import { KERAS } from "../cases/runners.ts";
import { eachBackend } from "../support/backends.ts";
import { eachSupported } from "./left_out.ts";

for (const [group, run] of Object.entries(KERAS)) eachBackend(group, (test) => eachSupported(test, group, run));
