/** The layers of this folder: all that its files export. Values of theirs that are no layers stay unexported. */
export * from "./activation.ts";
export * from "./dense.ts";
export * from "./dropout.ts";
export * from "./embedding.ts";
export * from "./masking.ts";
export * from "./merging.ts";
export * from "./pooling.ts";
export * from "./reshaping.ts";
export * from "./wrappers.ts";
