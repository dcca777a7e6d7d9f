/** What an exported file says. */
import type { Structure } from "../graph/pytree.ts";
import type { InputConfig } from "../module/config.ts";
import type { State } from "../module/state_set.ts";
import type { SnapshotProgram } from "../program/snapshot.ts";
import type { CompressedModules } from "../runtime/wasm/packed.ts";

/** The programs of a stream by how many steps they run, and their states. */
export interface ExportedStream {
  readonly batch: number;
  readonly block: number;
  /** Absent in files of before streams had several inputs. */
  readonly inputs?: readonly InputConfig[];
  /** What stands around the outputs; absent in files of before there were several. */
  readonly structure?: Structure;
  readonly states: Readonly<Record<string, State>>;
  readonly programs: Readonly<Record<string, SnapshotProgram>>;
}

/** The program of `predict`. */
export interface ExportedPredict extends SnapshotProgram {
  /** The inputs with their names, of a model of layers. */
  readonly names?: readonly InputConfig[] | undefined;
  /** What stands around the outputs. */
  readonly structure: Structure;
  /** Whether the rows of a batch are known to have nothing to do with each other. */
  readonly rowwise: boolean;
}

/** All that a file says. */
export interface ExportFile {
  /** Names of the kernels that the programs call, by number. */
  readonly kernels: readonly string[];
  /** Where the used memory ends. */
  readonly end: number;
  /** The kernels of int8 models, when the programs call them. */
  readonly int8?: CompressedModules | undefined;
  readonly stream?: ExportedStream | undefined;
  readonly predict?: ExportedPredict | undefined;
}

/** What memory holds that is not zero, by address. */
export type Contents = ReadonlyMap<number, Uint8Array>;

/** Every program with its name. */
export const programsOf = ({ stream, predict }: ExportFile): [name: string, program: SnapshotProgram][] => [
  ...Object.entries(stream?.programs ?? {}).map(([steps, program]): [string, SnapshotProgram] => [
    `stream/${steps}`,
    program,
  ]),
  ...(predict ? [["predict", predict] as [string, SnapshotProgram]] : []),
];
