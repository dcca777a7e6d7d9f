/** Pauses in long work, so that a page stays responsive and timers run. */

/** Milliseconds of work between two pauses: a page draws a frame every 16. */
const INTERVAL = 10;

/** When the last pause ended. One for all trainings of a thread: many short ones block a page as one long one does. */
let last = -Infinity;

/** Lets the browser or Node handle events, when the last time is a while ago. */
export async function yieldToHost(): Promise<void> {
  if (performance.now() - last < INTERVAL) return;
  await nextTask();
  last = performance.now();
}

/** Resolves in a later macrotask: microtasks would not let anything else run, and frames stop in a hidden tab. */
function nextTask(): Promise<void> {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (fn: () => void) => unknown };
  if (immediate) return new Promise((resolve) => immediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
