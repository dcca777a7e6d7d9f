/** Progress of `fit` on the terminal, by cli-progress where it is installed, else a line per epoch. */
import type { Callback } from "./callbacks/callbacks.ts";
import type { Logs } from "./score_means.ts";
import type { TrainEvent } from "./fit.ts";

interface Bar {
  start(total: number, value: number, payload: object): void;
  update(value: number, payload: object): void;
  stop(): void;
}

/** The optional peer. Its name is a variable so that bundlers of pages leave it alone. */
async function cliProgress(): Promise<{ SingleBar: new (options: object) => Bar } | undefined> {
  const peer = "cli-progress";
  try {
    const loaded = (await import(/* @vite-ignore */ /* webpackIgnore: true */ peer)) as { default?: unknown };
    return (loaded.default ?? loaded) as { SingleBar: new (options: object) => Bar };
  } catch {
    return undefined;
  }
}

export const formatLogs = (logs: Logs): string =>
  Object.entries(logs)
    .map(([key, value]) => `${key} ${value.toPrecision(4)}`)
    .join("  ");

const isTerminal = (): boolean =>
  (globalThis as { process?: { stdout?: { isTTY?: boolean } } }).process?.stdout?.isTTY === true;

/** A callback that shows epochs as they go by. */
export async function progressOf(): Promise<Callback> {
  const library = isTerminal() ? await cliProgress() : undefined;
  const line = ({ epoch, epochs, logs }: TrainEvent): string => `epoch ${epoch + 1}/${epochs}  ${formatLogs(logs)}`;
  if (!library) return { onEpochEnd: (event) => console.log(line(event)) };
  const bar = new library.SingleBar({
    format: "epoch {epoch}/{epochs} {bar} {value}/{total} batches  {text}",
    clearOnComplete: true,
  });
  return {
    onBatchEnd({ epoch, epochs, batch, batches, logs }) {
      if (batches === undefined) return; // of an end that nobody knows there is no share
      const payload = { epoch: epoch + 1, epochs, text: formatLogs(logs) };
      if (batch === 1) bar.start(batches, batch, payload);
      else bar.update(batch, payload);
    },
    onEpochEnd(event) {
      bar.stop();
      console.log(line(event));
    },
    onTrainEnd: () => bar.stop(),
  };
}
