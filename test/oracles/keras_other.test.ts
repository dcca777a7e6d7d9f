/** Dense and embedding layers against Keras, and their activations. */
import { eachBackend } from "../support/backends.ts";
import { runLayer } from "../support/keras.ts";
import { eachSupported } from "./left_out.ts";

eachBackend("dense and embedding layers against Keras", (test) => eachSupported(test, "keras/other", runLayer));
