/** The line between what runs models and what trains them. The bundles of `infer` and `worklet` swap this file for `when_training_none.ts`. */

/** The value; nothing in a bundle that only runs models, which leaves out all that the value is made of. */
export const whenTraining = <T>(value: T): T | undefined => value;
