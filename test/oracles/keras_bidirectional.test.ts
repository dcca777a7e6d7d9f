/** Both directions in one layer against Keras: ways to merge, masks, states, another backward layer. */
import { eachBackend } from "../support/backends.ts";
import { runLayer } from "../support/keras.ts";
import { eachSupported } from "./left_out.ts";

eachBackend("bidirectional layers against Keras", (test) => eachSupported(test, "keras/bidirectional", runLayer));
