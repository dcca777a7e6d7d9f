/** What runs the cases of each group, wherever they lie. */
import type { Runner } from "./case.ts";
import { runFit } from "./keras/fit.ts";
import { runLoss as runKerasLoss } from "./keras/loss.ts";
import { runModel } from "./keras/model.ts";
import { runLayer } from "./keras/objects.ts";
import { runStateful } from "./keras/stateful.ts";
import { runSystem } from "./keras/systems.ts";
import { runTraining as runKerasTraining } from "./keras/train.ts";
import { runActivation } from "./torch/activation.ts";
import { runByHand, runTagger } from "./torch/by_hand.ts";
import { runCell } from "./torch/cell.ts";
import { runEmbedding } from "./torch/embedding.ts";
import { runLinear } from "./torch/linear.ts";
import { runLoss as runTorchLoss } from "./torch/loss.ts";
import { runRecurrent } from "./torch/rnn.ts";
import { runTraining as runTorchTraining } from "./torch/train.ts";

export const KERAS: Readonly<Record<string, Runner>> = {
  /** Both directions in one layer: ways to merge, masks, states, another backward layer. */
  "keras/bidirectional": runLayer,
  "keras/fit": runFit,
  /** Recurrent layers: sequences, states, directions, activations, both GRU resets. */
  "keras/layer": runLayer,
  "keras/loss": runKerasLoss,
  /** Padding on either side, holes, rows without a valid step. */
  "keras/mask": runLayer,
  "keras/model": runModel,
  /** Dense and embedding layers, and their activations. */
  "keras/other": runLayer,
  /** Stacks of cells in one layer. */
  "keras/stacked_cells": runLayer,
  "keras/stateful": runStateful,
  "keras/systems": runSystem,
  "keras/train": runKerasTraining,
};

export const TORCH: Readonly<Record<string, Runner>> = {
  "torch/activation": runActivation,
  "torch/attention": runByHand,
  "torch/cell": runCell,
  "torch/embedding": runEmbedding,
  "torch/layernorm": runByHand,
  "torch/linear": runLinear,
  "torch/loss": runTorchLoss,
  "torch/model": runTagger,
  "torch/rnn": runRecurrent,
  "torch/train": runTorchTraining,
};
