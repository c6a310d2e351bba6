import type { DetectPass, LayerPeaks } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import { tracedOutputs, type LayerEvidence, type PromptSpan } from "./evidence.ts";
import { ExpertEvidence, type SeenExpert } from "./expertEvidence.ts";
import { peakOf } from "./peaks.ts";
import type { PromptForm } from "./promptForms.ts";
import { applyChanges, downSlot, weightsScaled } from "./weightChanges.ts";

/** The prompt on its way through the layers, with some weights zeroed, observed in every layer. */
export class PromptPass {
  readonly pass: number;
  readonly zeroed: readonly Coordinate[];
  /** Of the layers that were run, by layer. */
  readonly evidence: LayerEvidence[] = [];
  /** The experts that a token of the prompt reached. */
  readonly experts: SeenExpert[] = [];
  private hidden: HiddenBatch;
  private readonly spans: readonly PromptSpan[];

  /** @param hidden the prompt's forms as embedded, in one batch */
  constructor(
    pass: number,
    zeroed: readonly Coordinate[],
    hidden: HiddenBatch,
    forms: readonly PromptForm[],
  ) {
    this.pass = pass;
    this.zeroed = zeroed;
    this.hidden = hidden;
    this.spans = forms.map(({ ids, bos }, i) => ({
      offset: i * hidden.sequence,
      tokens: ids.length,
      bos,
    }));
  }

  /** Takes the prompt through a layer. `weights` are the checkpoint's and are left as they are. */
  async step(engine: Engine, layer: number, weights: LayerWeights): Promise<void> {
    const { architecture } = engine;
    const here = this.zeroed.filter(([at]) => at === layer);
    const changed = applyChanges(architecture, layer, weights, weightsScaled(architecture, here, 0));
    const seen =
      architecture.expertsOf(layer) > 0
        ? await this.throughExperts(engine, layer, changed.weights)
        : await this.throughMlp(engine, layer, changed.weights);
    changed.undo();
    this.evidence[layer] = seen.evidence;
    this.hidden = seen.hidden;
  }

  private async throughMlp(
    { architecture, forward }: Engine,
    layer: number,
    weights: LayerWeights,
  ): Promise<{ hidden: HiddenBatch; evidence: LayerEvidence }> {
    const { hiddenSize } = architecture.facts;
    const { hidden, taps } = await forward.layerWithTaps(layer, this.hidden, weights);
    const down = weights[downSlot(architecture, layer)];
    const rows = Array.from({ length: hidden.data.length / hiddenSize }, (_, row) => row);
    const states = { hiddenSize, down, rows, ...taps, residualIn: this.hidden.data };
    const width = down.length / hiddenSize;
    const input = peakOf(this.judged(taps.input, width), width);
    const peaks = { layer, input, ...this.outputPeaks(hiddenSize, taps.output, hidden) };
    return { hidden, evidence: { peaks, outputs: tracedOutputs(states, this.spans) } };
  }

  /** Each expert is looked at by itself while its weights are in memory; the layer's output is what all of them add. */
  private async throughExperts(
    { architecture, forward }: Engine,
    layer: number,
    weights: LayerWeights,
  ): Promise<{ hidden: HiddenBatch; evidence: LayerEvidence }> {
    const { hiddenSize } = architecture.facts;
    const { slot } = architecture.description.layers[layer].mlp.body.down;
    const found = new ExpertEvidence(layer, hiddenSize, this.hidden.data, slot, this.spans);
    const { hidden, taps } = await forward.layerWithTaps(layer, this.hidden, weights, undefined, (tap) => {
      found.show(tap);
    });
    this.experts.push(...found.seen);
    const peaks = { layer, input: found.input, ...this.outputPeaks(hiddenSize, taps.output, hidden) };
    return { hidden, evidence: { peaks, outputs: found.outputs } };
  }

  private outputPeaks(
    hiddenSize: number,
    output: Float32Array,
    hidden: HiddenBatch,
  ): Pick<LayerPeaks, "output" | "residual"> {
    return {
      output: peakOf(this.judged(output, hiddenSize), hiddenSize),
      residual: peakOf(this.judged(hidden.data, hiddenSize), hiddenSize),
    };
  }

  /** The judged prompt's rows. */
  private judged(all: Float32Array, width: number): Float32Array {
    const [{ offset, tokens }] = this.spans;
    return all.subarray(offset * width, (offset + tokens) * width);
  }

  report(): DetectPass {
    return {
      pass: this.pass,
      // the layers before the first change are the unmodified model's
      fromLayer: this.zeroed.length === 0 ? 0 : Math.min(...this.zeroed.map(([layer]) => layer)),
      layers: this.evidence.map(({ peaks }) => peaks),
      zeroed: this.zeroed.map((coordinate): Coordinate => [...coordinate]),
    };
  }
}
