/** What `gatewise/infer` and `gatewise/worklet` have instead of `module.ts`: modules that run and do not train. */
export { Network as Module } from "./network.ts";
