/** Marks what only training needs. The bundles of `infer` and `worklet` replace it by `when_training_none.ts`. */

/** The value; undefined in bundles that only run models, which leave out all that the value needs. */
export const whenTraining = <T>(value: T): T | undefined => value;
