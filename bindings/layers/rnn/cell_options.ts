/** Options and weights that all cells have. */
import { activationOf, type ActivationInput } from "../activations.ts";
import { checkRate, checkSize } from "../checks.ts";
import type { ConstraintInput } from "../constraints.ts";
import { REQUIRED, type CommonOptions, type LayerDefaults, type ParameterSpec } from "../definition.ts";
import type { InitializerInput } from "../initializers.ts";
import type { RegularizerInput } from "../regularizers.ts";
import { OptionError } from "../../base/errors.ts";
import { shown } from "../../base/formatting.ts";
import type { CellDefinition, StateSpec } from "./cell.ts";

/** Options that all cells have. */
export interface CellOptions extends CommonOptions {
  /** Number of units: the size of the state h and of the output. */
  units: number;
  /** Activation of the candidate state and, in an LSTM, of the cell state before the output gate. @default "tanh" */
  activation?: ActivationInput;
  /** Adds a bias. @default true */
  useBias?: boolean;
  /** Initializer of the input weights `kernel`. @default "glorotUniform" */
  kernelInitializer?: InitializerInput;
  /** Initializer of the recurrent weights `recurrent_kernel`. @default "orthogonal" */
  recurrentInitializer?: InitializerInput;
  /** Initializer of the bias. @default "zeros" */
  biasInitializer?: InitializerInput;
  /** Penalty on the input weights, added to the loss. */
  kernelRegularizer?: RegularizerInput | undefined;
  /** Penalty on the recurrent weights, added to the loss. */
  recurrentRegularizer?: RegularizerInput | undefined;
  /** Penalty on the bias, added to the loss. */
  biasRegularizer?: RegularizerInput | undefined;
  /** Penalty on the output, added to the loss and divided by the batch size. */
  activityRegularizer?: RegularizerInput | undefined;
  /** Constraint on the input weights, applied after every update. */
  kernelConstraint?: ConstraintInput | undefined;
  /** Constraint on the recurrent weights, applied after every update. */
  recurrentConstraint?: ConstraintInput | undefined;
  /** Constraint on the bias, applied after every update. */
  biasConstraint?: ConstraintInput | undefined;
  /** Fraction of the input features to drop in training, 0 ≤ rate < 1; the same mask at every step. @default 0 */
  dropout?: number;
  /** Fraction of h to drop in the recurrent product in training, 0 ≤ rate < 1; one mask for all steps. @default 0 */
  recurrentDropout?: number;
  /** Clips the pre-activations of gates to ±cellClip (ONNX' `clip`); their gradient is 0 beyond. */
  cellClip?: number | undefined;
}

/** Options of cells with gates. */
export interface GatedCellOptions extends CellOptions {
  /** Activation of the gates. @default "sigmoid" */
  recurrentActivation?: ActivationInput;
}

const DEFAULTS: LayerDefaults<Omit<CellOptions, keyof CommonOptions>> = {
  units: REQUIRED,
  activation: "tanh",
  useBias: true,
  kernelInitializer: "glorotUniform",
  recurrentInitializer: "orthogonal",
  biasInitializer: "zeros",
  kernelRegularizer: undefined,
  recurrentRegularizer: undefined,
  biasRegularizer: undefined,
  activityRegularizer: undefined,
  kernelConstraint: undefined,
  recurrentConstraint: undefined,
  biasConstraint: undefined,
  dropout: 0,
  recurrentDropout: 0,
  cellClip: undefined,
};

/** Checks the options of {@link GatedCellOptions} and gives activations their canonical names. @throws OptionError */
function normalize<C extends GatedCellOptions>(config: C, label: string): C {
  checkSize(label, "units", config.units);
  checkRate(label, "dropout", config.dropout!);
  checkRate(label, "recurrentDropout", config.recurrentDropout!);
  const { cellClip, activation, recurrentActivation } = config;
  if (cellClip !== undefined && !(Number.isFinite(cellClip) && cellClip > 0))
    throw new OptionError(`${label}: expected cellClip > 0, got ${shown(cellClip)}`);
  return {
    ...config,
    activation: activationOf(label, activation!),
    ...(recurrentActivation === undefined ? {} : { recurrentActivation: activationOf(label, recurrentActivation) }),
  };
}

/** A cell by what is its own: defaults of its own options, checks of them. */
interface OwnDefinition<C extends CellOptions> extends Omit<CellDefinition<C>, "defaults" | "normalize"> {
  readonly defaults: LayerDefaults<Omit<C, keyof CellOptions>>;
  /** @throws OptionError for options of its own that are out of range */
  check?(config: C, label: string): void;
}

/** Defines a cell that has the options of all cells besides its own. */
export const defineCell = <C extends CellOptions>({ check, ...own }: OwnDefinition<C>): CellDefinition<C> => ({
  ...own,
  defaults: { ...DEFAULTS, ...own.defaults } as unknown as LayerDefaults<C>,
  normalize(config, label) {
    check?.(config, label);
    return normalize(config, label);
  },
});

/** The only state of most cells: h, as wide as the cell. */
export const stateH = ({ units }: CellOptions): StateSpec[] => [{ name: "h", size: units }];

/**
 * Kernel [features, G·units] and recurrent kernel [W, G·units].
 *
 * @param G  gates, 1 for a cell without
 * @param W  size of the state h
 */
export const kernels = (
  config: CellOptions,
  features: number,
  G: number,
  W = config.units,
): Record<string, ParameterSpec> => ({
  kernel: {
    shape: [features, G * config.units],
    initializer: config.kernelInitializer!,
    regularizer: config.kernelRegularizer,
    constraint: config.kernelConstraint,
    int8: "input",
  },
  recurrent_kernel: {
    shape: [W, G * config.units],
    initializer: config.recurrentInitializer!,
    regularizer: config.recurrentRegularizer,
    constraint: config.recurrentConstraint,
    int8: "state",
  },
});

/** The bias, if the cell has one. */
export const biasOf = (
  config: CellOptions,
  shape: readonly number[],
  initializer = config.biasInitializer!,
): Record<string, ParameterSpec> =>
  config.useBias
    ? { bias: { shape, initializer, regularizer: config.biasRegularizer, constraint: config.biasConstraint } }
    : {};
