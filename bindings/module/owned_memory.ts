/** Memory that a model holds, in an object of its own so that it can be freed when the model is gone. */
import type { ParameterBlock } from "../graph/parameter.ts";
import type { Program } from "../program/program.ts";

/** A net for models nobody disposed of. Its payload is the resources themselves, which know no model. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : new FinalizationRegistry<Resources>((resources) => {
        if (resources.disposed || resources.empty) return;
        if (!warned)
          console.warn(
            "gatewise: a model was collected that nobody disposed of; its memory has been freed now, call dispose() to free it at once",
          );
        warned = true;
        resources.dispose();
      });

/** Said once: a program that forgets one model forgets many. */
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

  get empty(): boolean {
    return this.blocks.size + this.programs.size + this.owned.size === 0;
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
