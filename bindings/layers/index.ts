/** Every layer and cell there is, by the name of its factory. */
import {
  add, concatenate, flatten, globalAveragePooling, globalMaxPooling, masking, permute, repeatVector, reshape,
} from "./arrange.ts";
import { activation, dense, dropout, embedding } from "./simple.ts";
import { gru, gruCellLayer, lstm, lstmCellLayer, simpleRNN, simpleRNNCell } from "./recurrent.ts";
import { rnn } from "./rnn.ts";
import { bidirectional, timeDistributed } from "./wrappers.ts";

export const layerDefinitions = {
  activation, add, bidirectional, concatenate, dense, dropout, embedding, flatten, globalAveragePooling, globalMaxPooling, gru, lstm,
  masking, permute, repeatVector, reshape, rnn, simpleRNN, timeDistributed,
};

export const cellDefinitions = { gru: gruCellLayer, lstm: lstmCellLayer, simpleRNN: simpleRNNCell };
