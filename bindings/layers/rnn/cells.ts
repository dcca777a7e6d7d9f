/** All cells. Each is a file; with its line here, `layers` and `cells` have it under the name that it exports. */
export * from "./gru.ts";
export * from "./lstm.ts";
export * from "./simple_rnn.ts";
