import { orNull } from "#shared/numbers.ts";
import type { LayerWeights } from "../forward/types.ts";
import type { QuantizationStatistics } from "../quantize/statistics.ts";
import type { SearchBench } from "./thresholdSearch.ts";

/** What a tensor's own clip is chosen by. */
export interface TensorLosses {
  /** Units of progress for entering a layer, and for one candidate of an average tensor, in tokens·layers. */
  readonly unitsPerLayer: number;
  readonly unitsPerTrial: number;
  /** Makes ready for the tensors of a layer; layers come in order, with the original's weights. */
  enter(layer: number, weights: LayerWeights): Promise<void>;
  /** Relative error of a tensor with `changed` in place of `weights`; null where it is not finite. */
  of(
    slot: string,
    weights: Float32Array,
    changed: Float32Array,
    statistics: QuantizationStatistics,
  ): Promise<number | null>;
}

/** Quantizing a layer's linears once takes about as long as so many tokens through it (measured on the demo model). */
const TOKENS_PER_QUANTIZED_LAYER = 200;

/** @throws KeystoneError usage/no-calibration */
export async function openLosses({ run }: SearchBench): Promise<TensorLosses> {
  const linears = run.architecture.layerTensors(0).filter(({ kind }) => kind === "linear").length;
  return {
    unitsPerLayer: 0,
    unitsPerTrial: Math.ceil(TOKENS_PER_QUANTIZED_LAYER / linears),
    enter: async () => undefined,
    of: async (_slot, _weights, _changed, { sumSquaredError, sumSquares }) =>
      orNull(Math.sqrt(sumSquaredError / sumSquares)),
  };
}
