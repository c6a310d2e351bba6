import type { DetectPass } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Engine } from "../evaluate/types.ts";
import type { HiddenBatch, LayerWeights } from "../forward/types.ts";
import { layerEvidence, type LayerEvidence, type PromptSpan } from "./evidence.ts";
import type { PromptForm } from "./promptForms.ts";
import { applyChanges, downSlot, weightsScaled } from "./weightChanges.ts";

/** The prompt on its way through the layers, with some weights zeroed, observed in every layer. */
export class PromptPass {
  readonly pass: number;
  readonly zeroed: readonly Coordinate[];
  /** Of the layers that were run, by layer; before `fromLayer` the unmodified model's hold. */
  readonly evidence: LayerEvidence[];
  readonly fromLayer: number;
  private hidden: HiddenBatch;
  private readonly spans: readonly PromptSpan[];

  constructor(
    pass: number,
    zeroed: readonly Coordinate[],
    start: {
      readonly layer: number;
      readonly hidden: HiddenBatch;
      readonly evidence: readonly LayerEvidence[];
    },
    forms: readonly PromptForm[],
  ) {
    this.pass = pass;
    this.zeroed = zeroed;
    this.fromLayer = start.layer;
    this.hidden = start.hidden;
    this.evidence = start.evidence.slice(0, start.layer);
    const { sequence } = start.hidden;
    this.spans = forms.map(({ ids, bos }, i) => ({ offset: i * sequence, tokens: ids.length, bos }));
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
      fromLayer: this.fromLayer,
      layers: this.evidence.map(({ peaks }) => peaks),
      zeroed: this.zeroed.map(([layer, row, column]): Coordinate => [layer, row, column]),
    };
  }

  /** The prompt's states in front of the next layer. */
  get states(): HiddenBatch {
    return this.hidden;
  }
}
