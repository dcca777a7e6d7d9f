/** The account of what was asked of a worker and not answered yet. */
import { DisposedError, ValueError, WorkerError } from "../base/errors.ts";
import type { TrainEvent } from "../training/events.ts";
import { MODEL, listen, pack, unpackError, type Reply, type Request } from "./protocol.ts";

/** How a call is made, beside its arguments. */
export interface RequestOptions {
  /** The model, or a stream by its number. */
  readonly target?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TrainEvent) => void) | undefined;
  /** Whether arrays are handed over instead of copied. */
  readonly transfer?: boolean | undefined;
}

interface Pending {
  readonly method: string;
  readonly call: RequestOptions;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Milliseconds for a worker to say why it ended. */
const GRACE = 100;

const disposed = (method: string): DisposedError =>
  new DisposedError(`${method}: expected a live remote model, got one that was disposed of`);

export class Connection {
  private readonly port: MessagePort;
  private readonly pending = new Map<number, Pending>();
  private readonly release: () => unknown;
  private last = 0;
  private failure: Error | undefined;
  private disposing: Promise<void> | undefined;

  /** @param release  called when the connection is disposed of */
  constructor(port: MessagePort, release: () => unknown) {
    this.port = port;
    this.release = release;
    port.onmessage = ({ data }: MessageEvent<Reply>) => this.receive(data);
    listen(port, "messageerror", () =>
      this.fail(new WorkerError("connect: expected answers that can be read, got one that cannot")),
    );
    listen(port, "close", () => {
      // all that a page hears of a worker that somebody terminates; others say more, a moment later
      if (!this.disposing)
        setTimeout(() => this.fail(new WorkerError("connect: expected a worker that runs, got one that ended")), GRACE);
    });
  }

  /** Resolves when the worker has made its model, rejects with why it did not. */
  opened(): Promise<void> {
    return new Promise(
      (resolve, reject) => void this.pending.set(0, { method: "connect", call: {}, resolve: () => resolve(), reject }),
    );
  }

  /**
   * Asks for a method of the model or of a stream.
   *
   * @throws DisposedError, WorkerError when nobody answers any more
   * @throws ValueError for arguments that cannot be sent
   * @throws the signal's reason when it is aborted
   */
  call(method: string, args: readonly unknown[], call: RequestOptions = {}): Promise<any> {
    return new Promise((resolve, reject) => {
      if (this.disposing) throw disposed(method);
      this.ask(method, args, call, resolve, reject);
    });
  }

  private ask(
    method: string,
    args: readonly unknown[],
    call: RequestOptions,
    resolve: (result: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    if (this.failure) throw this.failure;
    const { target = MODEL, signal, onEvent, transfer = false } = call;
    signal?.throwIfAborted();
    const id = ++this.last;
    this.send(method, { id, target, method, args, events: onEvent !== undefined }, transfer);
    const abort = (): void => this.port.postMessage({ id, abort: true } satisfies Request);
    signal?.addEventListener("abort", abort, { once: true });
    const settle =
      (then: (value: unknown) => void) =>
      (value: unknown): void => {
        signal?.removeEventListener("abort", abort);
        then(value);
      };
    this.pending.set(id, { method, call, resolve: settle(resolve), reject: settle(reject) });
  }

  private send(method: string, request: Request, transfer: boolean): void {
    const { value, buffers } = pack(method, request, transfer);
    try {
      this.port.postMessage(value, buffers);
    } catch (cause) {
      throw new ValueError(
        `${method}: expected arguments that can be sent to a worker, such as arrays and plain objects, ` +
          `got: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  private receive(reply: Reply | undefined | null): void {
    const pending = this.pending.get(reply?.id as number);
    if (!pending) return; // it was rejected here already, or is no reply
    const { id } = reply!;
    if ("event" in reply!) {
      try {
        pending.call.onEvent!(reply.event);
      } catch (error) {
        this.pending.delete(id);
        this.port.postMessage({ id, abort: true } satisfies Request);
        pending.reject(error);
      }
      return;
    }
    this.pending.delete(id);
    if ("result" in reply!) pending.resolve(reply.result);
    else pending.reject("error" in reply! ? unpackError(reply.error) : pending.call.signal?.reason);
  }

  private rejectAll(error: (method: string) => Error): void {
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { method, reject } of waiting) reject(error(method));
  }

  /** The worker is gone: rejects all that waits and all that comes. */
  fail(error: Error): void {
    this.failure ??= error;
    this.rejectAll(() => error);
  }

  /** Rejects all that waits, frees the model, then lets go of the worker. May be called again. */
  dispose(): Promise<void> {
    return (this.disposing ??= this.close());
  }

  private async close(): Promise<void> {
    this.rejectAll(disposed);
    if (!this.failure) {
      // a worker that ends meanwhile has freed the model too
      await new Promise((resolve) => this.ask("dispose", [], {}, resolve, resolve));
    }
    this.port.close();
    await this.release();
  }
}
