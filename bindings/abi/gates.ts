/** The gates of a unit in the order of weights, biases and gate buffers, which is Keras' (a file may have another). */

/** Input gate, forget gate, candidate, output gate. */
export const LSTM_GATES = ["i", "f", "g", "o"] as const;

/** Update gate, reset gate, candidate. */
export const GRU_GATES = ["z", "r", "n"] as const;
