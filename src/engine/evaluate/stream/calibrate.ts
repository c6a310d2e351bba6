import { batchTokens, embedBatches, planBatches } from "./hiddenStates.ts";
import { createLayerReader } from "./layerReader.ts";
import { createMeter } from "./meter.ts";
import type { Engine, Watch } from "./engine.ts";
import type { WindowSet } from "../windows/windowSet.ts";
import type { LayerWeights } from "#engine/forward/forward.ts";
import { refuseExperts } from "#engine/recipe/planActivations.ts";
import { requireNormWeights } from "#engine/recipe/smoothing.ts";
import type { ActivationMaxima, ChannelMaxima, InputMaxima } from "#engine/recipe/activationPlan.ts";

export interface CalibrateRequest extends Engine, Watch {
  /** The calibration text; which labels count is of no matter here. */
  readonly windows: Pick<WindowSet, "windows" | "scored">;
}

/**
 * The largest |x| of every channel of the normed inputs, and |w| of every column of the linears behind them, in one pass of
 * the original over a text. One layer and the text's hidden states are in memory; what is kept is 2 × groups × hidden numbers
 * a layer, in shared memory.
 * @throws KeystoneError activations/no-norm-weight, activations/experts, checkpoint/not-finite, job/cancelled
 */
export async function calibrate(request: CalibrateRequest): Promise<ActivationMaxima> {
  const { architecture, forward, windows } = request;
  refuseExperts(architecture);
  requireNormWeights(architecture);
  const { layers, hiddenSize } = architecture.facts;
  const plan = planBatches(windows);
  const meter = createMeter(plan.tokens * layers, "tokens·layers", request);
  const reader = createLayerReader(request);
  const hidden = await embedBatches(request, plan);
  const found: ChannelMaxima[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const weights = await reader.read(layer);
    const inputs: InputMaxima = { attention: sharedFloats(hiddenSize), mlp: sharedFloats(hiddenSize) };
    for (const [b, batch] of hidden.entries()) {
      hidden[b] = await forward.layerWithMaxima(layer, batch, weights, inputs);
      await meter.advance(batchTokens(plan, b), `calibrating, layer ${layer + 1} of ${layers}`);
    }
    found.push(
      architecture.smoothGroups(layer).map(({ input, linears }) => ({
        inputs: inputs[input],
        weights: columnMaxima(
          linears.map((name) => weightsOf(request, layer, weights, name)),
          hiddenSize,
        ),
      })),
    );
    request.onLayer?.(layer);
  }
  return found;
}

/** max |w| of every column over all matrices (out, width). */
function columnMaxima(matrices: readonly Float32Array[], width: number): Float32Array {
  const maxima = sharedFloats(width);
  for (const weights of matrices) {
    for (let begin = 0; begin < weights.length; begin += width)
      for (let j = 0; j < width; j++) maxima[j] = Math.max(maxima[j], Math.abs(weights[begin + j]));
  }
  return maxima;
}

function weightsOf(
  { architecture }: Engine,
  layer: number,
  weights: LayerWeights,
  name: string,
): Float32Array {
  const slot = architecture.layerTensors(layer).find((tensor) => tensor.name === name)?.slot;
  if (slot === undefined) throw new Error(`layer ${layer} does not list ${name} among its tensors`);
  return weights[slot];
}

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}
