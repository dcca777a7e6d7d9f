/**
 * Hyperparameters of the update kernels: the names of the floats that `hyper` points to, in order. What each means
 * stands at its kernel (assembly/kernels/training). Adagrad is f32_rmsprop with other values.
 */
export const SGD_HYPER = ["rate", "l2", "decay", "momentum", "share", "torch"] as const;
export const RMSPROP_HYPER = ["rate", "l2", "decay", "momentum", "rho", "share", "epsilon", "torch"] as const;
export const ADAM_HYPER = ["rate", "l2", "decay", "beta1", "share1", "beta2", "share2", "epsilon", "direct"] as const;
export const ADAMAX_HYPER = ["rate", "l2", "decay", "beta1", "share1", "beta2", "epsilon", "within"] as const;
export const ADADELTA_HYPER = ["rate", "l2", "decay", "rho", "share", "epsilon"] as const;
export const LION_HYPER = ["rate", "l2", "decay", "beta1", "share1", "beta2", "share2"] as const;
export const AVERAGE_HYPER = ["keep", "share", "write"] as const;
