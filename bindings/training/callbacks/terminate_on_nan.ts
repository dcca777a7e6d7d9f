/** `callbacks.terminateOnNaN`: ends the training normally when a loss or a gradient is not finite. */
import type { Callback } from "../callback.ts";

export const terminateOnNaN = (): Callback => ({ onNonFinite: () => true });
