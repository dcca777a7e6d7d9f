/** Starting and ending workers, in Node and the like as in pages. */
import { builtin } from "../../base/builtin.ts";
import type * as Threads from "node:worker_threads";
import { text } from "../../generated/worker.ts";
import type { WorkerSetup } from "./protocol.ts";

/** A worker, whatever it is here. */
interface WorkerHandle {
  /** Resolves when it has ended, as far as that can be known. */
  end(): Promise<unknown>;
  /** Lets the process end while the worker sleeps. */
  unref(): void;
}

interface WorkerEvents {
  ready(): void;
  /** It has ended, or never began. */
  lost(why: string): void;
}

/** Milliseconds that a page's worker may go on after it was told to end; nobody says when it has. */
const PAGE_GRACE = 5000;

function spawnThread({ Worker }: typeof Threads, workerData: WorkerSetup, { ready, lost }: WorkerEvents): WorkerHandle {
  // nothing of how the process was started: a loader of modules would be loaded in every worker
  const worker = new Worker(text, { eval: true, workerData, execArgv: [], env: {}, name: "gatewise" });
  worker.once("message", ready);
  worker.on("error", (error) => lost(String(error)));
  worker.on("exit", (code) => lost(`it ended with ${code}`));
  return { end: () => worker.terminate(), unref: () => worker.unref() };
}

function spawnPageWorker(setup: WorkerSetup, { ready, lost }: WorkerEvents): WorkerHandle {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "gatewise" });
  worker.onmessage = () => {
    URL.revokeObjectURL(url);
    ready();
  };
  worker.onerror = ({ message }) => lost(message || "it could not be started, maybe for the page's content policy");
  worker.postMessage(setup);
  const end = (): Promise<void> => {
    worker.terminate();
    return new Promise((resolve) => setTimeout(resolve, PAGE_GRACE));
  };
  return { end, unref: () => undefined };
}

/** Ends workers whose backend nobody has any more. */
const abandoned =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<WorkerGroup>((group) => void group.end());

/** Milliseconds that workers may take to start. */
const START_TIMEOUT = 20_000;

/** The workers of one backend. */
export class WorkerGroup {
  /** Why it is of no use any more, once one of them has ended. */
  lost: string | undefined;
  private readonly handles: WorkerHandle[] = [];
  private ending: Promise<unknown> | undefined;

  /**
   * Starts workers and waits until all are ready.
   *
   * @throws whatever the engine says when it does not let them start
   */
  static async start(setups: readonly WorkerSetup[]): Promise<WorkerGroup> {
    const group = new WorkerGroup();
    try {
      await Promise.all(setups.map((setup) => group.add(setup)));
    } catch (error) {
      await group.end();
      throw error;
    }
    for (const handle of group.handles) handle.unref();
    return group;
  }

  private add(setup: WorkerSetup): Promise<void> {
    const threads = builtin()?.("node:worker_threads");
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("a worker that did not start")), START_TIMEOUT);
      const events: WorkerEvents = {
        ready: () => {
          clearTimeout(timer);
          resolve();
        },
        lost: (why) => {
          clearTimeout(timer);
          this.lost ??= why;
          reject(new Error(why));
        },
      };
      this.handles.push(threads ? spawnThread(threads, setup, events) : spawnPageWorker(setup, events));
    });
  }

  /** Ends the workers when nobody holds `owner` any more. */
  endWith(owner: object): void {
    abandoned?.register(owner, this);
  }

  /** Ends the workers. Resolves when none of them can write to memory any more. */
  end(): Promise<unknown> {
    this.lost ??= "it was told to end";
    return (this.ending ??= Promise.all(this.handles.map((handle) => handle.end())));
  }
}
