import type { DetectPass } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import { layerEvidence, type LayerEvidence, type PromptSpan } from "./evidence.ts";
import type { PromptForm } from "./promptForms.ts";
import { applyChanges, downSlot, weightsScaled } from "./weightChanges.ts";

/** The prompt on its way through the layers, with some weights zeroed, observed in every layer. */
export class PromptPass {
  readonly pass: number;
  readonly zeroed: readonly Coordinate[];
  /** Of the layers that were run, by layer. */
  readonly evidence: LayerEvidence[] = [];
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
  async step({ architecture, forward }: Engine, layer: number, weights: LayerWeights): Promise<void> {
    const here = this.zeroed.filter(([at]) => at === layer);
    const undo = applyChanges(architecture, layer, weights, weightsScaled(architecture, here, 0));
    const { hiddenSize } = architecture.facts;
    const { hidden, taps } = await forward.layerWithTaps(layer, this.hidden, weights);
    const down = weights[downSlot(architecture, layer)];
    const [residualIn, residualOut] = [this.hidden.data, hidden.data];
    this.evidence[layer] = layerEvidence(
      { layer, hiddenSize, residualIn, residualOut, taps, down },
      this.spans,
    );
    undo();
    this.hidden = hidden;
  }

  report(): DetectPass {
    return {
      pass: this.pass,
      // the layers before the first change are the unmodified model's
      fromLayer: this.zeroed.length === 0 ? 0 : Math.min(...this.zeroed.map(([layer]) => layer)),
      layers: this.evidence.map(({ peaks }) => peaks),
      zeroed: this.zeroed.map(([layer, row, column]): Coordinate => [layer, row, column]),
    };
  }
}
