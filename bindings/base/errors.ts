/**
 * The errors of gatewise. Tell them apart by `code`, which is stable; `instanceof` fails between copies of the package.
 */

/** Every error that gatewise throws on purpose. Its message is *subject: expected …, got …*. */
export class GatewiseError extends Error {
  static {
    this.prototype.name = "GatewiseError";
  }
  /** Stable name of the kind of error. */
  readonly code: string = "ERR_GATEWISE";
}

/** An array of the wrong shape or rank, or shapes that do not go together. */
export class ShapeError extends GatewiseError {
  static {
    this.prototype.name = "ShapeError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_SHAPE";
}

/** A number outside what is allowed: NaN in data, a token beyond the vocabulary, a rate above 1. */
export class ValueError extends GatewiseError {
  static {
    this.prototype.name = "ValueError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_VALUE";
}

/** An option, layer, loss or other name that does not exist, or options that exclude each other. */
export class OptionError extends GatewiseError {
  static {
    this.prototype.name = "OptionError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_OPTION";
}

/** Something that cannot be done while tracing, such as reading a value, or only then, such as calling an op. */
export class TraceError extends GatewiseError {
  static {
    this.prototype.name = "TraceError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_TRACE";
}

/** Use of a model or stream after its `dispose()`. */
export class DisposedError extends GatewiseError {
  static {
    this.prototype.name = "DisposedError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_DISPOSED";
}

/** The engine refused to grow the memory. Nothing has changed by the attempt. */
export class MemoryError extends GatewiseError {
  static {
    this.prototype.name = "MemoryError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_MEMORY";
  /** Bytes asked for beyond those there were. */
  readonly requested: number;
  /** Bytes that the address space would still have had. */
  readonly available: number;

  constructor(message: string, requested: number, available: number) {
    super(message);
    this.requested = requested;
    this.available = available;
  }
}

/** Bytes that are not a file of the format expected, or a damaged one. */
export class FormatError extends GatewiseError {
  static {
    this.prototype.name = "FormatError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_FORMAT";
}

/** A loss or gradient became NaN or infinite while training. The weights are the last finite ones. */
export class NonFiniteError extends GatewiseError {
  static {
    this.prototype.name = "NonFiniteError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_NON_FINITE";
  /** Epoch, from 0. */
  readonly epoch: number;
  /** Batch within the epoch, from 0. */
  readonly batch: number;
  /** The first layer that gave a non-finite number; undefined when only the loss itself did. */
  readonly layer: string | undefined;

  constructor(message: string, where: { epoch: number; batch: number; layer?: string | undefined }) {
    super(message);
    this.epoch = where.epoch;
    this.batch = where.batch;
    this.layer = where.layer;
  }
}

/** A call at the wrong time: before a model is built or compiled, or `fit` while one runs. */
export class StateError extends GatewiseError {
  static {
    this.prototype.name = "StateError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_STATE";
}

/** Something that this engine, or this version of gatewise, cannot do. */
export class UnsupportedError extends GatewiseError {
  static {
    this.prototype.name = "UnsupportedError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_UNSUPPORTED";
}

/** A worker that could not be started, that failed, or that ended while something was expected of it. */
export class WorkerError extends GatewiseError {
  static {
    this.prototype.name = "WorkerError";
  }
  /** Stable name of the kind. */
  override readonly code = "ERR_WORKER";
}

/** What a slip of spelling leaves alone: `return_sequences` and `returnSequences` are one name. */
const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** How many characters to insert, remove or replace, or neighbours to swap. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2] + 1 : Infinity;
      next.push(Math.min(replaced, swapped, row[j] + 1, next[j - 1] + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length];
}

/**
 * The end of a message about an unknown name: `, did you mean "units"?` when a known one is near, else nothing.
 *
 * @example
 * throw new OptionError(`lstm: expected a known option, got "unit"${nearest("unit", ["units", "activation"])}`);
 */
export function nearest(name: string, known: Iterable<string>): string {
  const wanted = fold(name.slice(0, 64));
  // a third of the letters may be wrong; beyond that a guess is noise
  let least = Math.floor(wanted.length / 3) + 1;
  let found: string | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, fold(candidate));
    if (distance < least) {
      least = distance;
      found = candidate;
    }
  }
  return found === undefined ? "" : `, did you mean "${found}"?`;
}
