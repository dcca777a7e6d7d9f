/** All models of `test/fixtures/older_files`. Their files are there, so they do not change. */
import { LSTM_MODELS } from "./lstm_models.ts";
import type { OlderModel } from "./model.ts";
import { OTHER_MODELS } from "./other_models.ts";
import { RECURRENT_MODELS } from "./recurrent_models.ts";

export const OLDER_MODELS: readonly OlderModel[] = [...RECURRENT_MODELS, ...LSTM_MODELS, ...OTHER_MODELS];
