/** What is said, once, when threads were asked for and there are none. */

let warned = false;

export function warnOneThread(threads: number, got: string): undefined {
  if (!warned) console.warn(`gatewise: expected to run on ${threads} threads, got ${got}; running on one`);
  warned = true;
  return undefined;
}
