/** Milliseconds of work after which others get a turn: a frame of a page is 16. */
const TURN = 10;

/** When others had their last turn. One for all trainings of a thread: many short ones starve a page as one long one does. */
let since = -Infinity;

/** Lets others run when it has been a while. */
export async function pause(): Promise<void> {
  if (performance.now() - since < TURN) return;
  await nextTask();
  since = performance.now();
}

/** A turn for everything else: a macrotask, since microtasks and frames either starve a page or stop in a hidden tab. */
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
