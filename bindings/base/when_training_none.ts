/** For bundles that only run models: the bundler drops the argument of every call, and what nobody else uses of it. */
export const whenTraining = (): undefined => undefined;
