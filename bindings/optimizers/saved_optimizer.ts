/** What a file keeps of an optimizer. */

/** The entry in the file's metadata; the slots are tensors of the file. */
export interface SavedOptimizer {
  /** Name of its factory: "adam". */
  readonly kind: string;
  /** Steps done. */
  readonly step: number;
  readonly slots: readonly string[];
}

/** The state of an optimizer as it was read from a file. */
export interface LoadedOptimizer {
  readonly saved: SavedOptimizer;
  /** Numbers by slot, then by weight. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<string, Float32Array>>;
}
