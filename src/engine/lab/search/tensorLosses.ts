import { orNull } from "#shared/numbers.ts";
import { sum } from "#engine/evaluate/metrics.ts";
import type { TokenWindow } from "#engine/evaluate/windows/windowSet.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import type { QuantizationStatistics } from "#engine/quantize/plan/statistics.ts";
import { requireCalibration, type SearchBench } from "./searchBench.ts";

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
/** Tokens whose inputs an output's error is measured on: what is kept of one layer is so many rows of every linear's input. */
const SAMPLE_TOKENS = 1024;

/** @throws KeystoneError usage/no-calibration where an output's error is asked for without a text */
export async function openLosses(bench: SearchBench): Promise<TensorLosses> {
  const linears = bench.run.architecture.layerTensors(0).filter(({ kind }) => kind === "linear").length;
  const { by } = bench.run.request;
  return by === "weight-error" ? weightLosses(linears) : outputLosses(bench, linears);
}

/** ‖W − Ŵ‖ / ‖W‖ over all weights. */
function weightLosses(linears: number): TensorLosses {
  return {
    unitsPerLayer: 0,
    unitsPerTrial: Math.ceil(TOKENS_PER_QUANTIZED_LAYER / linears),
    enter: async () => undefined,
    of: async (_slot, _weights, _changed, { sumSquaredError, sumSquares }) =>
      orNull(Math.sqrt(sumSquaredError / sumSquares)),
  };
}

/** ‖XWᵀ − XŴᵀ‖ / ‖XWᵀ‖ for the original's inputs X on the calibration text's first windows. */
async function outputLosses(bench: SearchBench, linears: number): Promise<TensorLosses> {
  const { forward, checkpoint } = bench.run;
  const windows = sample(requireCalibration(bench).windows.windows);
  let hidden: HiddenBatch = await forward.embed(
    checkpoint,
    windows.map(({ ids }) => ids),
  );
  const tokens = sum(hidden.lengths);
  /** By slot: the rows of real tokens, and ‖XWᵀ‖². */
  let inputs = new Map<string, Float32Array>();
  let norms = new Map<string, number>();

  return {
    unitsPerLayer: tokens,
    unitsPerTrial: Math.ceil((TOKENS_PER_QUANTIZED_LAYER + tokens) / linears),
    async enter(layer, weights) {
      const passed = await forward.layerWithLinearInputs(layer, hidden, weights);
      inputs = new Map(
        Object.entries(passed.inputs).map(([slot, rows]) => [slot, withoutPadding(rows, hidden)]),
      );
      norms = new Map();
      hidden = passed.hidden;
    },
    async of(slot, weights, changed, { sumSquaredError, sumSquares }) {
      const x = inputs.get(slot);
      // an expert sees only the tokens that choose it, and may see none: its error is that of its weights
      if (!x) return orNull(Math.sqrt(sumSquaredError / sumSquares));
      const width = x.length / tokens;
      const norm = norms.get(slot) ?? sum(await forward.outputSquares(x, weights, width));
      norms.set(slot, norm);
      // the candidate's memory holds the difference from here on; it is made anew for the next one
      for (let i = 0; i < weights.length; i++) changed[i] = weights[i] - changed[i];
      return orNull(Math.sqrt(sum(await forward.outputSquares(x, changed, width)) / norm));
    },
  };
}

/** The first windows that hold so many tokens together; one at least. */
function sample(windows: readonly TokenWindow[]): readonly TokenWindow[] {
  let tokens = 0;
  return windows.filter(({ ids }, i) => (tokens += ids.length) <= SAMPLE_TOKENS || i === 0);
}

/** The rows of real tokens: (tokens, width). rows: (batch, sequence, width). */
function withoutPadding(rows: Float32Array, { batch, sequence, lengths }: HiddenBatch): Float32Array {
  const width = rows.length / (batch * sequence);
  const real = new Float32Array(sum(lengths) * width);
  let at = 0;
  lengths.forEach((length, w) => {
    const begin = w * sequence * width;
    real.set(rows.subarray(begin, begin + length * width), at);
    at += length * width;
  });
  return real;
}
