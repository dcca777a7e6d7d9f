/** Elements of scratch that kernels ask for. Those of int8 products are in int8_panel.ts. */
import { GRU_GATES } from "./gates.ts";
import { panelWidth } from "./panel.ts";

/**
 * Rows that f32_gemm_tn_acc packs at a time, and the row stride of the columns that it copies
 * (lib/linear/transposed.ts).
 */
const TRANSPOSED_ROWS = 256;
const COPY_STRIDE = 100;

/** Floats for f32_gemm_tn_acc: a chunk of D [M, N] in panels, and one of some columns of A. */
export const transposedScratch = (N: number): number => TRANSPOSED_ROWS * (panelWidth(N) + COPY_STRIDE);

/** Floats for any of the f32 sequence kernels: at most a product of three gates and a state. */
export const sequenceScratch = (B: number, H: number): number => B * (GRU_GATES.length * panelWidth(H) + H);

/** Floats for the product of an int8 sequence kernel, which follow the scratch of the product itself. */
export const stepProductScratch = (B: number, H: number): number => B * GRU_GATES.length * panelWidth(H);

/** Integers for i32_pack_rows. */
export const rowsScratch = (B: number, T: number): number => B + T + 1;
