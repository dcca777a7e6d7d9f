/** Numbers written into Keras' own tests, and fixtures of Keras 2.0. */
import { WRITTEN } from "../cases/keras/written.ts";
import { eachBackend } from "../support/backends.ts";
import { eachListed } from "./left_out.ts";

for (const [file, run] of Object.entries(WRITTEN)) eachBackend(file, (test) => eachListed(test, file, run));
