/** Every layer and cell there is, by the name of its factory. The docblocks are those that users see. */
import {
  add,
  concatenate,
  flatten,
  globalAveragePooling,
  globalMaxPooling,
  masking,
  permute,
  repeatVector,
  reshape,
} from "./core/arrange.ts";
import { activation, dense, dropout, embedding } from "./core/simple.ts";
import { gru, gruCellLayer, lstm, lstmCellLayer, simpleRNN, simpleRNNCell } from "./rnn/recurrent_layer.ts";
import { rnn } from "./rnn/rnn.ts";
import { bidirectional, timeDistributed } from "./core/wrappers.ts";

export const layerDefinitions = {
  /** An activation on its own: any shape to the same. */
  activation,
  /** The sum of several tensors: `call([a, b])`, in a Module. */
  add,
  /**
   * A recurrent layer in both directions (Schuster and Paliwal 1997): [batch, time, features] to [batch, 2·units], or
   * [batch, time, 2·units], unless `mergeMode` is another. States are the forward ones, then the backward ones.
   * Weights `forward_<layer>/…` and `backward_<layer>/…`.
   */
  bidirectional,
  /** Several tensors one after the other along an axis: `call([a, b])`, in a Module. */
  concatenate,
  /** activation(x·kernel + bias) over the last axis: [batch, .., features] to [batch, .., units]. Weights: kernel [features, units], bias [units]. */
  dense,
  /** Zeroes elements at random in training, and scales the others up; passes everything on otherwise. */
  dropout,
  /** Tokens [batch, time] to vectors [batch, time, outputDim]. Weights: embeddings [inputDim, outputDim]. */
  embedding,
  /** Each sample as one vector: [batch, ..] to [batch, features]. */
  flatten,
  /** Mean over time, of the valid steps: [batch, time, features] to [batch, features]. */
  globalAveragePooling,
  /** Maximum over time, of the valid steps: [batch, time, features] to [batch, features]. */
  globalMaxPooling,
  /**
   * Gated recurrent units (Cho et al. 2014): [batch, time, features] to the last output [batch, units], or to all
   * [batch, time, units] by `returnSequences`.
   *
   *     z, r = σ(x·W + h·U + b)    n = tanh(x·Wn + r⊙(h·Un))    h = z⊙h + (1 − z)⊙n
   *
   * Weights: kernel [features, 3·units], recurrent_kernel [units, 3·units], bias [2, 3·units], or [3·units] without
   * `resetAfter`; gates in the order z r n. State: h [batch, units].
   */
  gru,
  /**
   * Long short-term memory (Hochreiter and Schmidhuber 1997): [batch, time, features] to the last output [batch, units], or
   * to all [batch, time, units] by `returnSequences`.
   *
   *     i, f, o = σ(x·W + h·U + b)    g = tanh(x·Wg + h·Ug + bg)    c = f⊙c + i⊙g    h = o⊙tanh(c)
   *
   * Weights: kernel [features, 4·units], recurrent_kernel [units, 4·units], bias [4·units]; gates in the order i f g o.
   * With `peepholes` peephole_i, peephole_f, peephole_o [units]; with `projection` projection_kernel [units, projection],
   * and h, the outputs and the rows of recurrent_kernel are `projection` wide. States: h, c [batch, units].
   */
  lstm,
  /** Masks steps [batch, time, features] by their value; the values of masked steps become 0. */
  masking,
  /** The axes of each sample in another order. */
  permute,
  /** [batch, features] to [batch, n, features]. */
  repeatVector,
  /** The same numbers of each sample under another shape. */
  reshape,
  /** Runs a cell, or a stack of cells, over time: [batch, time, features] to the last output, or to all by `returnSequences`. */
  rnn,
  /**
   * The simple recurrent layer (Elman 1990): [batch, time, features] to the last output [batch, units], or to all
   * [batch, time, units] by `returnSequences`.
   *
   *     h = tanh(x·W + h·U + b)
   *
   * Weights: kernel [features, units], recurrent_kernel [units, units], bias [units]. State: h [batch, units].
   */
  simpleRNN,
  /** A layer on every step alike: [batch, time, ..] to [batch, time, ..]. */
  timeDistributed,
};

export const cellDefinitions = {
  /** One step of `layers.gru`, with its weights. State: h [batch, units]. */
  gru: gruCellLayer,
  /** One step of `layers.lstm`, with its weights. States: h, c [batch, units]. */
  lstm: lstmCellLayer,
  /** One step of `layers.simpleRNN`, with its weights. State: h [batch, units]. */
  simpleRNN: simpleRNNCell,
};
