/** Recurrent layers against Keras: sequences, states, directions, activations, both GRU resets. */
import { eachBackend } from "../support/backends.ts";
import { runLayer } from "../support/keras.ts";
import { eachSupported } from "./left_out.ts";

eachBackend("recurrent layers against Keras", (test) => eachSupported(test, "keras/layer", runLayer));
