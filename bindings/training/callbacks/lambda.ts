/** `callbacks.lambda`: a callback of functions of the caller's own. */
import { checkOptions } from "../../base/options.ts";
import { HOOKS, checkCallback, type Callback } from "../callback.ts";

export function lambda(functions: Callback): Callback {
  checkOptions("callbacks.lambda", functions, HOOKS);
  checkCallback("callbacks.lambda", functions);
  return functions;
}
