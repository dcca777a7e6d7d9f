/** Memory that a model holds, in an object of its own so that it can be freed when the model is gone. */
import type { ParameterBlock } from "../graph/parameter.ts";
import type { Program } from "../program/program.ts";

/** A net for models nobody disposed of. Its payload is the resources themselves, which know no model. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<Resources>((resources) => {
        if (resources.disposed) return;
        freed += resources.bytes;
        resources.dispose();
        if (freed < WORTH_A_WARNING || warned) return;
        warned = true; // once: a program that forgets one model forgets many
        console.warn(
          `gatewise: models were collected that nobody disposed of; ${Math.round(freed / 1e6)} MB have been freed now, call dispose() to free them at once`,
        );
      });

/** Bytes of forgotten models that are told of. */
const WORTH_A_WARNING = 1e6;
/** Bytes of forgotten models so far. */
let freed = 0;
let warned = false;

export class Resources {
  readonly blocks = new Set<ParameterBlock>();
  readonly programs = new Set<Program>();
  /** States, scalars and the like. Nothing in here may lead back to the model, or it could never be collected. */
  readonly owned = new Set<{ dispose(): void }>();
  disposed = false;

  constructor(owner: object) {
    forgotten?.register(owner, this, this);
  }

  /** Of weights and programs. */
  get bytes(): number {
    const weights = [...this.blocks].reduce((sum, { floats }) => sum + floats * 4, 0);
    return [...this.programs].reduce((sum, program) => sum + program.bytes, weights);
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    forgotten?.unregister(this);
    for (const item of this.owned) item.dispose();
    for (const program of this.programs) program.dispose();
    for (const block of this.blocks) block.dispose();
    this.owned.clear();
    this.programs.clear();
    this.blocks.clear();
  }
}
