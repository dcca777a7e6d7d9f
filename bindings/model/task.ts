/** A turn for everything else: a macrotask, since microtasks and frames either starve a page or stop in a hidden tab. */
export function nextTask(): Promise<void> {
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
