/** The layers of this folder, under the names that their files export. */
export * from "./activation.ts";
export * from "./dense.ts";
export * from "./dropout.ts";
export * from "./embedding.ts";
export * from "./masking.ts";
export * from "./merging.ts";
export * from "./pooling.ts";
export * from "./reshaping.ts";
export * from "./wrappers.ts";
