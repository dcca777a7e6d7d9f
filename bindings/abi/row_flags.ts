/** Flags of i32_pack_rows, to be added up. */
export const ROW_FLAGS = {
  /** Rows are read from their end. */
  backwards: 1,
  /** Outputs go to the time their input came from, otherwise to their place in the order they were computed in. */
  asRead: 2,
  /** Invalid steps repeat the output of the valid one before them. */
  hold: 4,
} as const;
