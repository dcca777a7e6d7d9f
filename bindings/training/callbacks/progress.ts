/** `callbacks.progress`: a bar of cli-progress where that is installed and there is a terminal, else a line per epoch. */
import { builtin } from "../../base/builtin.ts";
import type { Callback } from "../callback.ts";
import type { Logs } from "../events.ts";

interface Bar {
  start(total: number, value: number, payload: object): void;
  update(value: number, payload: object): void;
  stop(): void;
}

/** The optional peer of whoever runs the program. It is no import, so that bundlers of pages have nothing to resolve. */
function cliProgress(): { SingleBar: new (options: object) => Bar } | undefined {
  const { createRequire } = builtin()?.("node:module") ?? {};
  try {
    const load = createRequire?.(process.argv[1] ?? `${process.cwd()}/`);
    return load?.("cli-progress") as ReturnType<typeof cliProgress>;
  } catch {
    return undefined;
  }
}

const BAR = {
  format: "epoch {epoch}/{epochs} {bar} {value}/{total} batches  {text}",
  clearOnComplete: true,
};

const formatLogs = (logs: Logs): string =>
  Object.entries(logs)
    .map(([key, value]) => `${key} ${value.toPrecision(4)}`)
    .join("  ");

const isTerminal = (): boolean =>
  (globalThis as { process?: { stdout?: { isTTY?: boolean } } }).process?.stdout?.isTTY === true;

export function progress(): Callback {
  let bar: Bar | undefined;
  return {
    onTrainBegin() {
      const library = isTerminal() ? cliProgress() : undefined;
      bar = library && new library.SingleBar(BAR);
    },
    onBatchEnd({ epoch, epochs, batch, batches, logs }) {
      if (!bar || batches === undefined) return; // without a total there is no bar
      const payload = { epoch: epoch + 1, epochs, text: formatLogs(logs) };
      if (batch === 1) bar.start(batches, batch, payload);
      else bar.update(batch, payload);
    },
    onEpochEnd({ epoch, epochs, logs }) {
      bar?.stop();
      console.log(`epoch ${epoch + 1}/${epochs}  ${formatLogs(logs)}`);
    },
    onTrainEnd: () => bar?.stop(),
  };
}
