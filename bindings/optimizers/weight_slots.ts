/** The arrays that an optimizer keeps beside the weights of one model, such as Adam's moments. */
import { placed, type Operand } from "../graph/ir.ts";
import type { FlatRange, Parameter, ParameterBlock } from "../graph/parameter.ts";

export class WeightSlots {
  readonly names: readonly string[];
  private readonly starts: readonly number[];
  /** Lists the slots in a block. An object of its own, since nothing that a block holds may lead to the model. */
  private readonly key = {};
  private readonly blocks = new Set<ParameterBlock>();

  /** @param starts  name and initial value of each */
  constructor(starts: Readonly<Record<string, number>>) {
    this.names = Object.keys(starts);
    this.starts = Object.values(starts);
  }

  private ptr(block: ParameterBlock, slot: number): number {
    this.blocks.add(block);
    return block.slotPtrs(this.key, this.starts)[slot];
  }

  /** Where a kernel finds a slot of neighbouring weights; 0 for a slot that is not kept. */
  operand(block: ParameterBlock, { offset, size }: FlatRange, name: string): Operand | 0 {
    const slot = this.names.indexOf(name);
    return slot < 0 ? 0 : placed(this.ptr(block, slot) + offset * 4, size * 4);
  }

  /** A slot of one weight. */
  view(parameter: Parameter, name: string): Float32Array {
    const block = parameter.block!;
    return block.view(parameter, this.ptr(block, this.names.indexOf(name)));
  }

  /** Replaces the slots of one weight, in the order of their names. */
  set(parameter: Parameter, numbers: readonly Float32Array[]): void {
    numbers.forEach((values, i) => this.view(parameter, this.names[i]).set(values));
  }

  /** Makes the slots of one weight what they started from. */
  reset(parameter: Parameter): void {
    this.starts.forEach((start, i) => this.view(parameter, this.names[i]).fill(start));
  }

  /** Copies those of some blocks. @returns puts the copies back */
  copied(blocks: readonly ParameterBlock[]): () => void {
    const copies = blocks.flatMap((block) =>
      this.names.map((_, i) => {
        const slot = (): Float32Array => block.floatsAt(this.ptr(block, i));
        return [slot, slot().slice()] as const;
      }),
    );
    return () => {
      for (const [slot, copy] of copies) slot().set(copy);
    };
  }

  /** Frees all of them. */
  dispose(): void {
    for (const block of this.blocks) block.freeSlots(this.key);
  }
}
