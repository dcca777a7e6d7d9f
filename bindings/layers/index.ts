/** Every layer and cell there is, by the name of its factory. */
import { activation, dense, dropout, embedding } from "./simple.ts";
import { gru, gruCellLayer, lstm, lstmCellLayer, simpleRNN, simpleRNNCell } from "./recurrent.ts";
import { rnn } from "./rnn.ts";

export const layerDefinitions = { activation, dense, dropout, embedding, gru, lstm, rnn, simpleRNN };

export const cellDefinitions = { gru: gruCellLayer, lstm: lstmCellLayer, simpleRNN: simpleRNNCell };
