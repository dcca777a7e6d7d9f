/** The worker's side: makes a model for each connection and does what is asked of it. */
import { builtin } from "../base/builtin.ts";
import type { Callback } from "../training/callback.ts";
import { OptionError, StateError, UnsupportedError } from "../base/errors.ts";
import type { FitOptions } from "../training/training_options.ts";
import type { Stream, StreamOptions } from "../inference/stream.ts";
import { checkOptions } from "../base/options.ts";
import {
  MODEL,
  VERSION,
  isRequest,
  listen,
  pack,
  packError,
  type Emitter,
  type Greeting,
  type Hello,
  type Reply,
  type Request,
  type StreamFacts,
} from "./protocol.ts";

/** A model as `serve` takes it: of `gatewise`, or of `gatewise/infer` where it only runs. */
export interface ServedModel {
  /** Runs the model on arrays. */
  predict(...args: any[]): unknown;
  /** Frees the model. */
  dispose(): void;
}

/** Options of `serve`. */
export interface ServeOptions {
  /** Callbacks of every `fit`, such as `callbacks.earlyStopping()`: they need the model, so they live where it is. */
  callbacks?: readonly Callback[] | undefined;
}

/** What may be asked of the model besides `fit` and `stream`, and of a stream. */
const METHODS = {
  model: [
    "predict",
    "evaluate",
    "trainOnBatch",
    "testOnBatch",
    "inspect",
    "getWeights",
    "setWeights",
    "save",
    "load",
    "resetStates",
    "summary",
    "countParams",
  ],
  stream: ["process", "reset", "getState", "setState", "dispose"],
};

type Methods = Readonly<Record<string, ((...args: any[]) => any) | undefined>>;

/** One connection: a port, its model and the streams of that. */
class Service {
  private readonly port: MessagePort;
  private readonly model: ServedModel;
  private readonly callbacks: readonly Callback[];
  private readonly streams = new Map<number, Stream>();
  private made = 0;
  /** Trainings that run. */
  private readonly trainings = new Map<number, { controller: AbortController; done: Promise<unknown> }>();

  constructor(port: MessagePort, model: ServedModel, callbacks: readonly Callback[]) {
    this.port = port;
    this.model = model;
    this.callbacks = callbacks;
  }

  private reply(message: Reply): void {
    const { value, buffers } = pack("serve", message, true); // results are copies of nobody else's
    this.port.postMessage(value, buffers);
  }

  async answer(request: Request): Promise<void> {
    const { id } = request;
    if ("abort" in request) {
      this.trainings.get(id)?.controller.abort();
      return;
    }
    try {
      this.reply({ id, result: await this.run(request) });
    } catch (error) {
      const aborted = this.trainings.get(id)?.controller.signal;
      this.reply(
        aborted?.aborted && error === aborted.reason ? { id, aborted: true } : { id, error: packError(error) },
      );
    } finally {
      this.trainings.delete(id);
    }
    if (request.target === MODEL && request.method === "dispose") this.port.close();
  }

  private run(request: Extract<Request, { method: string }>): unknown {
    const { target, method, args } = request;
    if (target !== MODEL) return this.ask(target, method, args);
    if (method === "fit") return this.fit(request);
    if (method === "stream") return this.stream(args[0] as StreamOptions);
    if (method === "dispose") return this.end();
    if (!METHODS.model.includes(method))
      throw new UnsupportedError(`serve: expected one of fit, stream, ${METHODS.model.join(", ")}, got "${method}"`);
    return this.own(method)(...args);
  }

  /** A method of the model. @throws UnsupportedError when it has none of that name */
  private own(method: string): (...args: any[]) => any {
    const found = (this.model as unknown as Methods)[method];
    if (typeof found !== "function")
      throw new UnsupportedError(
        `${method}: expected a served model that has it, got ${this.model.constructor.name} without`,
      );
    return found.bind(this.model);
  }

  private fit({ id, args, events }: Extract<Request, { method: string }>): Promise<unknown> {
    const controller = new AbortController();
    const [x, y, options = {}] = args as [unknown, unknown, FitOptions?];
    const tell: Callback = {
      onBatchEnd: (event) => this.reply({ id, event }),
      onEpochEnd: (event) => this.reply({ id, event }),
    };
    const done = this.own("fit")(x, y, {
      ...options,
      callbacks: [...this.callbacks, ...(events ? [tell] : [])],
      signal: controller.signal,
    }) as Promise<unknown>;
    this.trainings.set(id, { controller, done });
    return done;
  }

  private stream(options: StreamOptions | undefined): StreamFacts {
    const stream = this.own("stream")(options) as Stream;
    const { batch, block, inputSize, outputSize } = stream;
    this.streams.set(++this.made, stream);
    return { target: this.made, batch, block, inputSize, outputSize };
  }

  private ask(target: number, method: string, args: readonly unknown[]): unknown {
    const stream = this.streams.get(target);
    if (!stream) throw new UnsupportedError(`serve: expected a stream, got number ${target}, which is none`);
    if (method === "step") return stream.step(args[0] as Float32Array).slice(); // the next step overwrites the array
    if (!METHODS.stream.includes(method))
      throw new UnsupportedError(`serve: expected one of step, ${METHODS.stream.join(", ")}, got "${method}"`);
    return (stream as unknown as Methods)[method]!(...args);
  }

  /** Ends what runs and frees the model. */
  async end(): Promise<void> {
    for (const { controller } of this.trainings.values()) controller.abort();
    await Promise.allSettled([...this.trainings.values()].map(({ done }) => done));
    for (const stream of this.streams.values()) stream.dispose();
    this.model.dispose();
  }
}

/** Where greetings arrive: the worker's global scope, or Node's parent port. */
function workerScope(): Emitter {
  const scope = globalThis as unknown as Partial<Emitter> & { document?: unknown };
  if (scope.addEventListener && scope.postMessage && scope.document === undefined) return scope as Emitter;
  const threads = builtin()?.("node:worker_threads");
  if (!threads?.parentPort)
    throw new StateError("serve: expected to run in a worker, got called outside of one; the other side is connect");
  return threads.parentPort as unknown as Emitter;
}

/** Makes the model of a connection; is given `data` of `connect`. */
export type MakeModel = (data: any) => ServedModel | Promise<ServedModel>;

/** Makes the model of a connection and listens for it. */
async function open(
  port: MessagePort,
  { version, data }: Hello,
  make: MakeModel,
  callbacks: readonly Callback[],
): Promise<void> {
  try {
    if (version !== VERSION)
      throw new UnsupportedError(
        `serve: expected connect of a gatewise that speaks version ${VERSION}, got ${version}`,
      );
    const model = await make(data);
    if (typeof model?.predict !== "function" || typeof model.dispose !== "function")
      throw new OptionError(
        `serve: expected a function that makes a model, got ${model === null ? "null" : typeof model} from it`,
      );
    const service = new Service(port, model, callbacks);
    listen(port, "message", (request: unknown) => void (isRequest(request) && service.answer(request)));
    listen(port, "close", () => void service.end()); // nobody is left to ask for anything
    port.start();
    port.postMessage({ id: 0, result: undefined } satisfies Reply);
  } catch (error) {
    port.postMessage({ id: 0, error: packError(error) } satisfies Reply);
    port.close();
  }
}

/**
 * Serves a model out of a worker, to `connect` on the other side.
 *
 * @param make  makes the model, built and compiled, for each connection; is given `data` of `connect`
 * @throws StateError outside of a worker
 * @example
 * serve(() => {
 *   const model = sequential([layers.gru({ units: 32 }), layers.dense({ units: 1 })], { inputShape: [null, 1] });
 *   model.compile({ optimizer: "adam", loss: "mse" });
 *   return model;
 * });
 */
export function serve(make: MakeModel, options: ServeOptions = {}): void {
  checkOptions("serve", options, ["callbacks"]);
  const { callbacks = [] } = options;
  if (typeof make !== "function")
    throw new OptionError(`serve: expected a function that makes a model, got ${typeof make}`);
  if (!Array.isArray(callbacks)) throw new OptionError(`serve: expected a list of callbacks, got ${typeof callbacks}`);
  const scope = workerScope();
  const heard = new Set<string>();
  listen(scope, "message", (message: Greeting | undefined) => {
    if (message?.gatewise !== "hello" || heard.has(message.id)) return;
    heard.add(message.id);
    const { port1, port2 } = new MessageChannel();
    scope.postMessage({ gatewise: "port", id: message.id, port: port2 } satisfies Greeting, [port2]);
    void open(port1, message, make, callbacks);
  });
  scope.postMessage({ gatewise: "serving" } satisfies Greeting);
}
