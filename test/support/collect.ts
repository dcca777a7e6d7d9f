/** Garbage collections on demand, with the turns that finalizers need. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Collects until `done` says so, or gives up. */
export async function collectUntil(done: () => boolean, rounds = 50): Promise<void> {
  for (let i = 0; i < rounds && !done(); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What `console.warn` is given while `run` runs. */
export async function warnings(run: () => unknown): Promise<string[]> {
  const { warn } = console;
  const given: string[] = [];
  console.warn = (...texts: unknown[]) => void given.push(texts.join(" "));
  try {
    await run();
    return given;
  } finally {
    console.warn = warn;
  }
}
