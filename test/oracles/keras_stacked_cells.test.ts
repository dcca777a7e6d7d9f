/** Stacks of cells in one layer against Keras. */
import { eachBackend } from "../support/backends.ts";
import { runLayer } from "../support/keras.ts";
import { eachSupported } from "./left_out.ts";

eachBackend("stacked cells against Keras", (test) => eachSupported(test, "keras/stacked_cells", runLayer));
