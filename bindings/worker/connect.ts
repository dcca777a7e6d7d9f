/** The side of the page: starts or takes a worker and asks it for a model. */
import { builtin } from "../base/builtin.ts";
import { OptionError, ValueError, WorkerError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { checkOptions } from "../base/options.ts";
import { Connection } from "./connection.ts";
import { VERSION, listen, type Emitter, type Greeting } from "./protocol.ts";
import { RemoteModel } from "./remote.ts";

/** A worker as pages, Node, Deno and Bun have it. */
export interface WorkerLike {
  /** Sends a message. */
  postMessage(message: any, transfer?: any): void;
  /** Ends the worker. */
  terminate(): unknown;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** What the function given to `serve` is given: a saved model's bytes, options; anything that can be sent. */
  data?: unknown;
  /** Milliseconds that the worker has to answer: one that never calls `serve` never does. @default 10000 */
  timeout?: number | undefined;
}

const TIMEOUT = 10_000;

/** Rejects after some time. */
function late(milliseconds: number): { promise: Promise<never>; stop(): void } {
  let timer: ReturnType<typeof setTimeout>;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new WorkerError(
            `connect: expected a worker that calls serve, got no answer in ${milliseconds} ms; give more as the option timeout`,
          ),
        ),
      milliseconds,
    );
  });
  return { promise, stop: () => clearTimeout(timer) };
}

/** Starts a module in a worker of the kind there is here. */
function start(url: URL | string): WorkerLike {
  const { Worker: WebWorker } = globalThis as {
    Worker?: new (url: URL | string, options: { type: "module" }) => WorkerLike;
  };
  try {
    if (WebWorker) return new WebWorker(url, { type: "module" });
    const { Worker } = builtin()!("node:worker_threads");
    return new Worker(url);
  } catch (cause) {
    throw new WorkerError(
      `connect: expected a module to start a worker with, got ${String(url)}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The error of a worker: an Error in Node, an event elsewhere, which is empty if the file could not be loaded. */
interface Failure {
  readonly message?: string;
  readonly filename?: string;
  readonly lineno?: number;
  preventDefault?(): void;
}

/** Calls `fail` when the worker ends or throws what nobody catches. @returns what stops watching */
function watch(worker: WorkerLike, fail: (error: WorkerError) => void): () => void {
  const gone = (what: string, cause?: unknown): void =>
    fail(new WorkerError(`connect: expected a worker that runs, got one that ${what}`, { cause }));
  const stops = [
    listen(worker as Emitter, "error", (failure: Failure) => {
      const { message, filename, lineno } = failure;
      failure.preventDefault?.(); // told by our error; Deno would end the whole program
      gone(
        message ? `failed: ${message}${filename ? ` at ${filename}:${lineno}` : ""}` : "could not be loaded",
        failure instanceof Error ? failure : undefined,
      );
    }),
    listen(worker as Emitter, "exit", (code: number) => gone(`ended with code ${code}`)), // Node
    listen(worker as Emitter, "close", () => gone("ended")), // Bun
  ];
  return () => stops.forEach((stop) => stop());
}

/** Says hello until the worker answers. @returns the port to talk over */
function greet(worker: WorkerLike, data: unknown): { port: Promise<MessagePort>; stop(): void } {
  const id = `${Date.now()} ${Math.random()}`;
  const hello = (): void => worker.postMessage({ gatewise: "hello", version: VERSION, id, data } satisfies Greeting);
  let stop = (): void => {};
  const port = new Promise<MessagePort>((resolve, reject) => {
    stop = listen(worker as Emitter, "message", (message: Greeting | undefined) => {
      if (message?.gatewise === "serving") hello();
      else if (message?.gatewise === "port" && message.id === id) resolve(message.port);
    });
    try {
      hello();
    } catch (cause) {
      reject(
        new ValueError(`connect: expected data that can be sent to a worker, got: ${(cause as Error).message}`, {
          cause,
        }),
      );
    }
  });
  return { port, stop };
}

/**
 * Connects to a worker that calls `serve`, and has it make a model.
 *
 * @param worker  the worker, or the URL of its module: then it is started here, and ended by `dispose`
 * @throws WorkerError when the worker does not start, ends before it answers, or does not answer in time
 * @throws what the function given to `serve` throws
 * @example
 * const remote = await connect(new Worker(new URL("./model.worker.js", import.meta.url), { type: "module" }));
 */
export async function connect(worker: WorkerLike | URL | string, options: ConnectOptions = {}): Promise<RemoteModel> {
  checkOptions("connect", options, ["data", "timeout"]);
  const { data, timeout = TIMEOUT } = options;
  if (!(typeof timeout === "number" && timeout > 0))
    throw new OptionError(`connect: expected timeout in milliseconds, got ${shown(timeout)}`);
  const started = typeof worker === "string" || worker instanceof URL;
  const target = started ? start(worker) : worker;
  if (typeof target?.postMessage !== "function")
    throw new OptionError(`connect: expected a worker or its URL, got ${target === null ? "null" : typeof target}`);
  let connection: Connection | undefined;
  let unwatch = (): void => {};
  const release = (): unknown => {
    unwatch();
    return started ? target.terminate() : undefined;
  };
  try {
    const { port, stop } = greet(target, data);
    const ended = new Promise<never>(
      (_, reject) =>
        (unwatch = watch(target, (error) => {
          reject(error);
          connection?.fail(error);
        })),
    );
    const limit = late(timeout);
    const answered = Promise.race([port, ended, limit.promise]).finally(() => (stop(), limit.stop()));
    connection = new Connection(await answered, release);
    await connection.opened();
    return new RemoteModel(connection);
  } catch (error) {
    await release();
    throw error;
  }
}
