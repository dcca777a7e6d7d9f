/** For bundles that only run models: the bundler drops the argument of every call, with all that only it needs. */
export const whenTraining = (): undefined => undefined;
