/** Warnings: said once, so that a loop does not repeat them. */

const said = new Set<string>();

/** Writes a warning to the console, unless it has been written before. */
export function warnOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  console.warn(`gatewise: ${message}`);
}
