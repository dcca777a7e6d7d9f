/** Masks against Keras: padding on either side, holes, rows without a valid step. */
import { eachBackend } from "../support/backends.ts";
import { runLayer } from "../support/keras.ts";
import { eachSupported } from "./left_out.ts";

eachBackend("masks against Keras", (test) => eachSupported(test, "keras/mask", runLayer));
