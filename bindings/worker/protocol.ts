/**
 * Messages between a model in a worker and its user.
 *
 * `connect` sends hello to the worker, `serve` answers with a port for this connection alone, so that the other
 * messages of the worker stay free for its user. A worker that awaits something first, and so listens late, announces
 * that it serves; then `connect` sends hello again.
 */
import * as errors from "../base/errors.ts";
import { checkAttached, isTypedArray } from "../base/ndarray.ts";
import type { Logs, TrainEvent } from "../training/events.ts";

/** Changes whenever a page of one version could not talk to a worker of another. */
export const VERSION = 1;

/** What goes over the worker itself. */
export interface Hello {
  readonly gatewise: "hello";
  readonly version: number;
  /** Of the connection, the same when it is said again. */
  readonly id: string;
  /** What `make` is given. */
  readonly data: unknown;
}

export type Greeting =
  | Hello
  | { readonly gatewise: "serving" }
  | { readonly gatewise: "port"; readonly id: string; readonly port: MessagePort };

/** One call; `abort` takes back the one of this id. */
export type Request =
  | {
      readonly id: number;
      readonly target: number;
      readonly method: string;
      readonly args: readonly unknown[];
      readonly events: boolean;
    }
  | { readonly id: number; readonly abort: true };

/** `result`, `error` and `aborted` answer a request, after any number of events. Request 0 makes the model. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PackedError }
  | { readonly id: number; readonly aborted: true }
  | { readonly id: number; readonly event: TrainEvent };

/** `target` of a request to the model; streams are numbered from 1. */
export const MODEL = 0;

/** What a stream is, told when it is made. */
export interface StreamFacts {
  readonly target: number;
  readonly batch: number;
  readonly block: number;
  readonly inputSize: number;
  readonly outputSize: number;
}

/** Workers and ports: those of the web have the one pair of methods, those of Node the other. */
export interface Emitter {
  postMessage(message: any, transfer?: any): void;
  addEventListener?(type: string, listener: (event: any) => void): void;
  removeEventListener?(type: string, listener: (event: any) => void): void;
  on?(type: string, listener: (event: any) => void): void;
  off?(type: string, listener: (event: any) => void): void;
}

/**
 * Listens to an event; a message is handed over as what was sent.
 *
 * @returns what ends it
 */
export function listen(target: Emitter, type: string, listener: (value: any) => void): () => void {
  if (!target.addEventListener) {
    target.on!(type, listener);
    return () => target.off!(type, listener);
  }
  const heard = (event: { data?: unknown }): void => listener(type === "message" ? event.data : event);
  target.addEventListener(type, heard);
  return () => target.removeEventListener!(type, heard);
}

/** Whether a message is a request; a port may be given anything. */
export function isRequest(message: unknown): message is Request {
  if (typeof message !== "object" || message === null) return false;
  const { id, target, method, args, abort } = message as Record<string, unknown>;
  return (
    Number.isInteger(id) &&
    (abort === true || (Number.isInteger(target) && typeof method === "string" && Array.isArray(args)))
  );
}

/** What is given to `postMessage`. */
export interface Packed<T> {
  readonly value: T;
  readonly buffers: ArrayBuffer[];
}

/**
 * Readies arrays for `postMessage`, which would send the whole buffer of a view: a view of a part is copied.
 *
 * @param subject   whose arrays they are, for errors
 * @param handOver  true: whole buffers are transferred, not copied, and empty here afterwards
 * @throws ValueError for an array that has been transferred before
 */
export function pack<T>(subject: string, value: T, handOver: boolean): Packed<T> {
  const buffers = new Set<ArrayBuffer>();
  const visit = (item: unknown): unknown => {
    if (isTypedArray(item)) {
      checkAttached(item, subject); // engines differ in what becomes of it: some send nothing, and nobody would answer
      if (!(item.buffer instanceof ArrayBuffer)) return item; // shared memory is seen from both sides
      const whole = item.byteLength === item.buffer.byteLength;
      const sent = whole ? item : item.slice();
      if (handOver || !whole) buffers.add(sent.buffer as ArrayBuffer);
      return sent;
    }
    if (Array.isArray(item)) return typeof item[0] === "number" ? item : item.map(visit);
    if (typeof item !== "object" || item === null || Object.getPrototypeOf(item) !== Object.prototype) return item;
    return Object.fromEntries(Object.entries(item).map(([key, each]) => [key, visit(each)]));
  };
  return { value: visit(value) as T, buffers: [...buffers] };
}

/** An error in a form that every engine can send. */
export type PackedError =
  | {
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly fields: Logs;
      readonly cause: PackedError | undefined;
    }
  | { readonly thrown: unknown };

/** Whether a property can be sent: `epoch`, `code` and the like. */
const isPlain = (value: unknown): boolean => ["string", "number", "boolean", "undefined"].includes(typeof value);

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { thrown: isPlain(error) ? error : String(error) };
  const { name, message, stack, cause } = error;
  const fields = Object.fromEntries(Object.entries(error).filter(([, value]) => isPlain(value)));
  return { name, message, stack, fields, cause: cause === undefined ? undefined : packError(cause) };
}

const CLASSES: Readonly<Record<string, unknown>> = {
  ...errors,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** The error again, of its class, with its properties and the stack it had in the worker. */
export function unpackError(packed: PackedError): unknown {
  if ("thrown" in packed) return packed.thrown;
  const { name, message, stack, fields, cause } = packed;
  const error = new Error(message, cause && { cause: unpackError(cause) });
  const known = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (typeof known === "function") Object.setPrototypeOf(error, known.prototype as object);
  else Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  Object.defineProperty(error, "stack", { value: stack ?? error.stack, configurable: true, writable: true });
  return Object.assign(error, fields);
}
