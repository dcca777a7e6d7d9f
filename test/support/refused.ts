/** Errors are part of the interface: their code, and the words of their message. */
import * as assert from "uvu/assert";
import { GatewiseError } from "../../bindings/base/errors.ts";

/** Holds that a call throws one of our errors, with this code and a message that matches. */
export function refused(run: () => unknown, code: string, message: RegExp): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof GatewiseError, String((error as Error).stack));
    assert.is(error.code, code, error.message);
    assert.match(error.message, message);
    return;
  }
  assert.unreachable(`expected an error with ${code}, got none`);
}

/** {@link refused} for a promise. */
export async function rejected(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const outcome = await promise.then(
    () => () => undefined,
    (error: unknown) => () => {
      throw error;
    },
  );
  refused(outcome, code, message);
}
