/** The cells: all that these files export. `layers` and `cells` have them under the same names. */
export * from "./gru.ts";
export * from "./lstm.ts";
export * from "./simple_rnn.ts";
