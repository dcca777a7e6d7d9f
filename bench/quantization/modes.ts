/** What `quantize` takes as `activations`. */
export const MODES = ["mixed", 7, 14] as const;

export type Mode = (typeof MODES)[number];

export const titleOf = (mode: Mode): string => (mode === "mixed" ? "mixed" : `${mode} bits`);
