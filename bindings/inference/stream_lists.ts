/** What a stream takes and gives, as lists that are made once: a step allocates nothing. */
import { ShapeError, ValueError } from "../base/errors.ts";
import { shown } from "../base/formatting.ts";
import { isRecord, rebuild, type Structure } from "../graph/pytree.ts";
import { byName, type InputConfig } from "../module/config.ts";
import type { Port } from "../program/port.ts";

/** Numbers of one step of one input. */
export type Frame = Float32Array | Int32Array | readonly number[];

/** One frame; where a model has several inputs one for each, in their order or by name. */
export type Frames<F = Frame> = F | readonly F[] | Readonly<Record<string, F>>;

/** The frames of all inputs, as a list. */
export class FrameList {
  private readonly inputs: readonly InputConfig[];
  private readonly one: Frame[] = [[]];

  constructor(inputs: readonly InputConfig[]) {
    this.inputs = inputs;
  }

  /** What errors add about frame i: its name, where there are several. */
  about(i: number): string {
    return this.inputs.length > 1 ? ` for "${this.inputs[i].name}"` : "";
  }

  /** The frames in the order of the inputs, not checked. @throws OptionError for other inputs than there are */
  read(method: string, given: Frames): readonly Frame[] {
    const { inputs, one } = this;
    if (inputs.length === 1 && ((given as Frame | undefined)?.length !== undefined || !isRecord(given))) {
      one[0] = given as Frame;
      return one;
    }
    if (Array.isArray(given) && given.length === inputs.length) return given as readonly Frame[];
    return byName(`${method}: expected frames`, isRecord(given) ? (given as Record<string, Frame>) : {}, inputs);
  }
}

/** Puts what stands in the places of the leaves into a list. */
function spread(structure: Structure, value: unknown, into: unknown[]): void {
  if (structure.kind === "leaf") into[structure.index] = value;
  else if (structure.kind === "list")
    for (let i = 0; i < structure.items.length; i++)
      spread(structure.items[i], (value as unknown[] | undefined)?.[i], into);
  else if (structure.kind === "record")
    for (const [name, item] of structure.items)
      spread(item, (value as Record<string, unknown> | undefined)?.[name], into);
}

/** The outputs of a step, in the structure that the model's `call` gives. */
export class OutputList {
  private readonly structure: Structure;
  private readonly ports: readonly Port[];
  private readonly outputs: unknown[];

  constructor(structure: Structure, ports: readonly Port[]) {
    this.structure = structure;
    this.ports = ports;
    this.outputs = ports.map(() => undefined);
  }

  /** New arrays for so many steps. */
  room(steps: number): unknown {
    return rebuild(this.structure, (i) => new Float32Array(steps * this.ports[i].size));
  }

  /** The arrays that the caller gave for so many steps. @throws ValueError, ShapeError unless results fit into them */
  read(method: string, out: unknown, steps: number): readonly Float32Array[] {
    const { structure, ports, outputs } = this;
    spread(structure, out, outputs);
    for (let i = 0; i < ports.length; i++) {
      const given = outputs[i];
      const size = ports[i].size * steps;
      if (!(given instanceof Float32Array))
        throw new ValueError(`${method}: expected a Float32Array in out for each output, got ${shown(given)}`);
      if (given.length !== size)
        throw new ShapeError(`${method}: expected room for ${size} numbers in out, got ${given.length}`);
    }
    return outputs as Float32Array[];
  }
}
