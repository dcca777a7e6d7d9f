/** What follows the gradients of a divided batch: their sum, in a fixed order, and the update. */
import { eachTrained } from "../program/traced_function.ts";
import { Program } from "../program/program.ts";
import { placed } from "../graph/ir.ts";
import { Trace } from "../graph/trace.ts";
import type { ModuleBase } from "../module/module_base.ts";
import type { Updater } from "../optimizers/optimizer_state.ts";

export class Finish {
  private readonly model: ModuleBase;
  private readonly updater: Updater;
  /** By the number of parts. */
  private readonly programs = new Map<number, Program>();

  constructor(model: ModuleBase, updater: Updater) {
    this.model = model;
    this.updater = updater;
  }

  /** @param loss  of the whole batch; NaN when there shall be no update */
  run(parts: number, loss: number): void {
    let program = this.programs.get(parts);
    if (!program || program.disposed || this.updater.outdated) {
      program?.dispose();
      this.programs.set(parts, (program = this.record(parts)));
    }
    program.touch();
    program.inputs[0].writeScalar(loss);
    program.run();
  }

  /** Frees its programs. */
  dispose(): void {
    for (const program of this.programs.values()) program.dispose();
  }

  private record(parts: number): Program {
    const trace = new Trace(this.model.backend);
    const loss = trace.pinned([]);
    eachTrained(this.model, (block, { offset, size }) => {
      const sum = placed(block.gradientPtr() + offset * 4);
      for (let part = 1; part < parts; part++)
        trace.call("f32_vadd", size, sum, placed(block.gradientPtr(part) + offset * 4), sum);
    });
    this.updater.record(trace, loss);
    return new Program(trace, [loss], [], { owner: this.model.ownPrograms });
  }
}
