/** Every kernel: the module behind `gatewise`. */
export * from "./kernels/copy";
