// A worker as a user writes it: `data` says which model, as the tests need it.
import { Module, callbacks, layers, loadModel, optimizers, sequential } from "../../dist/index.js";
import { serve } from "../../dist/worker.js";

const compiled = (model, learningRate = 0.01) => {
  model.compile({ optimizer: optimizers.adam({ learningRate }), loss: "mse" });
  return model;
};
const small = () =>
  sequential([layers.gru({ units: 4, returnSequences: true }), layers.dense({ units: 1 })], {
    inputShape: [null, 1],
    seed: 3,
  });

/** A model without `stream`. */
class Last extends Module {
  rnn = layers.lstm({ units: 3 });
  call(x) {
    return this.rnn.call(x);
  }
}

const later = (act) => new Promise(() => setTimeout(act, 1));

const MAKE = {
  small: () => compiled(small()),
  saved: ({ bytes }) => compiled(loadModel(bytes)),
  explodes: () => compiled(small(), 1e30),
  last: () => new Last({ seed: 1 }),
  none: () => undefined,
  unknownOption: () => layers.gru({ unit: 4 }),
  broken: () => {
    throw new RangeError("no model today", { cause: "weather" });
  },
  ends: () => later(() => process.exit(3)),
  throws: () =>
    later(() => {
      throw new Error("nobody caught this");
    }),
  endsInTraining: () => Object.assign(compiled(small()), { fit: () => later(() => process.exit(4)) }),
};

await null; // listens later than it was greeted
const fewEpochs = callbacks.lambda({ onEpochEnd: ({ epoch }, model) => (model.stopTraining = epoch === 500) });
serve((data) => MAKE[data?.make ?? "small"](data), { callbacks: [fewEpochs] });
