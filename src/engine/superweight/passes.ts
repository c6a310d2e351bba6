import type { LayerPeaks } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { createLayerReader, type LayerReader } from "../evaluate/layerReader.ts";
import type { Meter } from "../evaluate/meter.ts";
import type { Engine } from "../evaluate/types.ts";
import type { HiddenBatch, LayerWeights } from "../forward/types.ts";
import { layerEvidence, type LayerEvidence } from "./evidence.ts";

/** One prompt's way through the model, kept at every layer's input so that a pass can begin where a weight was zeroed. */
export interface PromptRun {
  /** Evidence of every layer as the last pass left it. */
  readonly evidence: readonly LayerEvidence[];
  /** The weights that were zero in the last pass. */
  readonly zeroed: readonly Coordinate[];
  peaks(): LayerPeaks[];
  /** Runs layers `from` … last with these weights zeroed. */
  rerun(pass: number, from: number, zeroed: readonly Coordinate[]): Promise<void>;
}

/** Embeds the prompt; nothing is run yet. One layer's weights are in memory at a time. */
export async function openPromptRun(
  engine: Engine,
  ids: readonly number[],
  meter: Meter,
): Promise<PromptRun> {
  const { architecture, forward, checkpoint } = engine;
  const { layers, hiddenSize } = architecture.facts;
  const inputs: HiddenBatch[] = [await forward.embed(checkpoint, [ids])];
  const evidence: LayerEvidence[] = [];
  let zeroedNow: readonly Coordinate[] = [];
  const reader: LayerReader = createLayerReader(engine);

  return {
    evidence,
    get zeroed() {
      return zeroedNow;
    },
    peaks: () => evidence.map((layer) => layer.peaks),
    async rerun(pass, from, zeroed) {
      zeroedNow = zeroed;
      for (let layer = from; layer < layers; layer++) {
        const weights = await reader.read(layer);
        const down = downWeights(engine, layer, weights);
        zero(down, hiddenSize, layer, zeroed);
        const { hidden, taps } = await forward.layerWithTaps(layer, inputs[layer], weights);
        evidence[layer] = layerEvidence(layer, inputs[layer].data, hidden.data, taps, down, hiddenSize);
        inputs[layer + 1] = hidden;
        await meter.advance(1, `pass ${pass}, layer ${layer + 1} of ${layers}`);
      }
    },
  };
}

/** The down_proj weights among a layer's. */
function downWeights({ architecture }: Engine, layer: number, weights: LayerWeights): Float32Array {
  const name = architecture.downProjection(layer);
  const slot = architecture.layerTensors(layer).find((tensor) => tensor.name === name)?.slot;
  if (slot === undefined) throw new Error(`layer ${layer} does not list its down_proj ${name}`);
  return weights[slot];
}

function zero(down: Float32Array, hiddenSize: number, layer: number, zeroed: readonly Coordinate[]): void {
  const width = down.length / hiddenSize;
  for (const [at, row, column] of zeroed) if (at === layer) down[row * width + column] = 0;
}
