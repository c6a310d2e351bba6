import type { OtherWeight } from "#shared/detection.ts";
import type { WeightPlace } from "#shared/recipe.ts";
import type { Architecture, LayerTensor } from "#engine/architecture/decoder/architecture.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import { expertOf, type LayerWeights } from "#engine/forward/forward.ts";
import { drawWeights } from "../ablate/randomWeights.ts";

/** Of every layer so many of the largest weights are remembered, so that some are left when the candidates' neurons are taken out. */
const KEPT_PER_LAYER = 16;

/** A weight of any decoder linear, and why it was chosen. */
export interface OtherPlace extends Pick<OtherWeight, "tensor" | "row" | "column" | "chosen"> {
  readonly layer: number;
  readonly slot: string;
  readonly value: number;
}

/** Notes the largest |w| of a layer's linears, descending. Reads every weight once. */
export async function largestOfLayer(
  architecture: Architecture,
  layer: number,
  weights: LayerWeights,
): Promise<OtherPlace[]> {
  let found: OtherPlace[] = [];
  let least = 0;
  for (const { slot, name, kind, shape, expert } of architecture.layerTensors(layer)) {
    if (kind !== "linear") continue;
    const own = expert ? await expertOf(weights, expert.number) : weights;
    const values = own[expert?.slot ?? slot];
    for (let i = 0; i < values.length; i++) {
      const magnitude = values[i] < 0 ? -values[i] : values[i];
      if (magnitude <= least) continue;
      const [row, column] = [Math.floor(i / shape[1]), i % shape[1]];
      found.push({ layer, slot, tensor: name, row, column, value: values[i], chosen: "largest" });
      found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
      found = found.slice(0, KEPT_PER_LAYER);
      if (found.length === KEPT_PER_LAYER) least = Math.abs(found[KEPT_PER_LAYER - 1].value);
    }
  }
  return found;
}

/**
 * The null of the effects: weights that no evidence speaks for. `count` drawn at random and the `count` of largest |w|, from all
 * linears of the decoder. Weights of a candidate's neuron, and of its row of down_proj, share its work and are left out.
 * @param largest of every layer, from {@link largestOfLayer}
 */
export function chooseOthers(
  engine: Pick<Engine, "architecture">,
  largest: readonly OtherPlace[],
  candidates: readonly WeightPlace[],
  count: number,
): OtherPlace[] {
  const { architecture } = engine;
  const free = (place: OtherPlace): boolean =>
    !candidates.some((candidate) => sharesWork(architecture, place, candidate));
  const random = drawWeights(engine, 4 * count, 1).map(({ tensor, layer, row, column }): OtherPlace => ({
    layer,
    slot: tensor.slot,
    tensor: tensor.name,
    row,
    column,
    value: NaN,
    chosen: "random",
  }));
  const byMagnitude = largest.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return [...random.filter(free).slice(0, count), ...byMagnitude.filter(free).slice(0, count)];
}

/** Whether a weight adds to the candidate's sum, goes out of its neuron, or makes the neuron's activation (fused or not). */
export function sharesWork(
  architecture: Architecture,
  place: Pick<OtherPlace, "layer" | "tensor" | "row" | "column">,
  { layer, row, column, expert }: WeightPlace,
): boolean {
  if (place.layer !== layer) return false;
  const down = architecture.downProjection(layer, expert);
  if (place.tensor === down) return place.column === column || place.row === row;
  const tensors = architecture.layerTensors(layer);
  const neurons = tensors.find(({ name }) => name === down)?.shape[1] ?? 0;
  const tensor = tensors.find(({ name }) => name === place.tensor);
  return feedsNeurons(tensor, neurons, expert) && place.row % neurons === column;
}

/** gate, up, or both in one matrix, of this MLP. */
function feedsNeurons(tensor: LayerTensor | undefined, neurons: number, expert: number | undefined): boolean {
  if (tensor?.expert?.number !== expert) return false;
  return tensor?.shape[0] === neurons || tensor?.shape[0] === 2 * neurons;
}
