/** The update by gradients that lie ready: those of the parts of a batch are added up first, in a fixed order. */
import { placed } from "../graph/ir.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Trace } from "../graph/trace.ts";
import type { ModuleBase } from "../module/module_base.ts";
import { Program } from "../program/program.ts";
import { eachTrainableRange } from "../program/traced_function.ts";

/** What records the update: the state of an optimizer. */
interface UpdateRecorder {
  /** Whether programs recorded so far update too few or too many weights. */
  readonly outdated: boolean;
  record(trace: Trace, loss: Tensor): void;
}

export class GradientReducer {
  private readonly model: ModuleBase;
  private readonly update: UpdateRecorder;
  /** By the number of parts. */
  private readonly programs = new Map<number, Program>();

  constructor(model: ModuleBase, update: UpdateRecorder) {
    this.model = model;
    this.update = update;
  }

  /**
   * Adds up the gradients of the parts of a batch and updates the weights.
   *
   * @param parts  how many there are
   * @param loss   of the whole batch; NaN when there shall be no update
   */
  run(parts: number, loss: number): void {
    let program = this.programs.get(parts);
    if (!program || program.disposed || this.update.outdated) {
      program?.dispose();
      this.programs.set(parts, (program = this.record(parts)));
    }
    program.markUsed();
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
    eachTrainableRange(this.model, (block, { offset, size }) => {
      const sum = placed(block.gradientPtr() + offset * 4, size * 4);
      for (let part = 1; part < parts; part++)
        trace.call("f32_vadd", size, sum, placed(block.gradientPtr(part) + offset * 4, size * 4), sum);
    });
    this.update.record(trace, loss);
    return new Program(trace, [loss], [], { owner: this.model.ownPrograms });
  }
}
