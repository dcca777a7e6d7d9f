/** Reading a model back. Nothing changes unless the whole file is good. */
import { FormatError, ShapeError } from "../base/errors.ts";
import { describe, sizeOf, sameShape } from "../base/shape.ts";
import { METADATA_KEY, SLOTS, parseMetadata, scaleName, slotName, type SavedFile } from "./metadata.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { foreignFormat } from "./foreign.ts";
import { decodeSafetensors, type SafetensorsFile, type TensorArray } from "./safetensors.ts";

type Arrays = Map<string, { readonly data: Float32Array; readonly shape: readonly number[] }>;

/** A weight of a file: floats, or integers with scales. */
export interface FileWeight {
  readonly data: Float32Array | Int8Array;
  readonly shape: readonly number[];
  readonly scales?: Float32Array;
}

/** Weights by name. */
export type FileWeights = ReadonlyMap<string, FileWeight>;

export interface OpenedFile {
  readonly file: SavedFile;
  readonly weights: FileWeights;
  /** Arrays of the optimizer, by slot and weight. */
  readonly slots: Arrays;
}

/** A file as readers give it: `readFile` the one, `response.arrayBuffer()` the other. */
export type FileBytes = Uint8Array | ArrayBuffer;

/** @throws FormatError for anything but bytes */
export function bytesOf(file: FileBytes): Uint8Array {
  if (file instanceof Uint8Array) return file;
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  throw new FormatError(`load: expected the bytes of a file, as a Uint8Array or an ArrayBuffer, got ${typeof file}`);
}

/** Decodes safetensors. @throws FormatError, which says what the bytes are instead where that is known */
function decode(bytes: Uint8Array): SafetensorsFile {
  try {
    return decodeSafetensors(bytes);
  } catch (cause) {
    const format = foreignFormat(bytes);
    if (format === undefined) throw cause;
    throw new FormatError(`load: expected a file that save wrote, got ${format}`, { cause });
  }
}

/** @throws FormatError for anything but a whole file that gatewise has written */
export function openFile(bytes: FileBytes): OpenedFile {
  const { tensors, metadata } = decode(bytesOf(bytes));
  const file = parseMetadata(metadata[METADATA_KEY]);
  const prefix = file.slots ?? SLOTS;
  const isSlotName = (name: string): boolean => file.optimizer !== undefined && name.startsWith(prefix);
  const [weights, slots]: [Map<string, FileWeight>, Arrays] = [new Map(), new Map()];
  const names = new Set(Object.keys(tensors));
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    if (!(data instanceof Int8Array) || isSlotName(name)) continue;
    const scales = floatsOf(scaleName(name), tensors[scaleName(name)]?.data);
    weights.set(name, { data, shape, scales });
    names.delete(name);
    names.delete(scaleName(name));
  }
  for (const name of names) {
    const array = { data: floatsOf(name, tensors[name].data), shape: tensors[name].shape };
    if (isSlotName(name)) slots.set(name.slice(prefix.length), array);
    else weights.set(name, array);
  }
  return { file, weights, slots };
}

function floatsOf(name: string, data: TensorArray | undefined): Float32Array {
  if (!(data instanceof Float32Array))
    throw new FormatError(`load: expected floats for "${name}", got ${data ? "another type" : "none"}`);
  if (!data.every(Number.isFinite))
    throw new FormatError(`load: expected finite numbers for "${name}", got one that is not`);
  return data;
}

/**
 * Holds the file's weights to the model's, name by name.
 *
 * @throws FormatError for a weight too many or too few, ShapeError for a wrong shape
 */
export function checkWeights(model: ModuleBase, weights: FileWeights, subject = "load"): void {
  const parameters = new Map(model.parameters());
  for (const name of weights.keys()) {
    if (!parameters.has(name))
      throw new FormatError(`${subject}: expected weights ${[...parameters.keys()].join(", ")}, got "${name}"`);
  }
  for (const [name, { shape, int8 }] of parameters) {
    const saved = weights.get(name);
    if (!saved) throw new FormatError(`${subject}: expected a weight "${name}", got none`);
    if (!sameShape(saved.shape, shape))
      throw new ShapeError(`${subject}: expected "${name}" ${describe(shape)}, got ${describe(saved.shape)}`);
    if (Boolean(saved.scales) !== Boolean(int8)) {
      throw new FormatError(
        `${subject}: expected ${int8 ? "8 bits" : "floats"} for "${name}", got ${int8 ? "floats" : "8 bits"}; ` +
          "loadModel makes the model of a quantised file",
      );
    }
    if (int8 && saved.scales!.length !== shape[int8.axis])
      throw new ShapeError(
        `${subject}: expected "${scaleName(name)}" [${shape[int8.axis]}], got [${saved.scales!.length}]`,
      );
  }
}

/**
 * The arrays of a slot by weight: of all weights that train, and of frozen ones that have trained before.
 *
 * @throws FormatError when one is missing or of another size
 */
export function slotArrays(model: ModuleBase, slot: string, slots: Arrays): Map<string, Float32Array> {
  const arrays = new Map<string, Float32Array>();
  for (const [name, { shape, trainable }] of model.parameters()) {
    const array = slots.get(slotName(slot, name));
    if (!array && !trainable) continue;
    if (array?.data.length !== sizeOf(shape))
      throw new FormatError(
        `load: expected ${slot} of "${name}" ${describe(shape)}, got ${array ? describe(array.shape) : "none"}`,
      );
    arrays.set(name, array.data);
  }
  return arrays;
}
