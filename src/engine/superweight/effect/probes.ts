import { coordinateOf, type WeightPlace } from "#shared/recipe.ts";
import type { SuperExpert } from "#shared/detection.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Probe } from "./effectStream.ts";
import { isSameNeuron, keyOf, type Proposal } from "../evidence/candidates.ts";
import type { OtherPlace } from "./otherWeights.ts";
import { downSlot, weightsScaled, type WeightChange } from "../evidence/weightChanges.ts";

/** Names under which the probes' effects are looked up. */
export const probeId = {
  zero: (weight: WeightPlace) => `zero ${keyOf(weight)}`,
  half: (weight: WeightPlace) => `half ${keyOf(weight)}`,
  column: (neuron: Neuron) => `column ${neuronKey(neuron)}`,
  row: ({ layer, row, expert }: Omit<WeightPlace, "column">) => `row ${layer},${row},${expert ?? ""}`,
  spokes: (neuron: Neuron) => `spokes ${neuronKey(neuron)}`,
  rest: (neuron: Neuron) => `rest ${neuronKey(neuron)}`,
  expert: ({ layer, expert }: ExpertPlace) => `expert ${layer},${expert}`,
  pair: (first: WeightPlace, second: WeightPlace) => `pair ${keyOf(first)} ${keyOf(second)}`,
  other: (index: number) => `other ${index}`,
  all: "all",
} as const;

/** One column of one down_proj. */
type Neuron = Omit<WeightPlace, "row">;
type ExpertPlace = Pick<SuperExpert, "layer" | "expert">;

function neuronKey({ layer, column, expert }: Neuron): string {
  return [layer, column, ...(expert === undefined ? [] : [expert])].join();
}

/** The proposals of one column, the largest output first. */
export interface Spokes extends Neuron {
  readonly members: readonly Proposal[];
}

/** Columns (neurons) that proposals lie in; cancelling ones are no spokes of anything. */
export function spokesOf(proposals: readonly Proposal[]): Spokes[] {
  const free = proposals.filter((it) => !it.cancelling);
  const firsts = free.filter((it, i) => free.findIndex((other) => isSameNeuron(it, other)) === i);
  return firsts.map((first) => ({
    ...{ layer: first.layer, column: first.column, expert: first.expert },
    members: free.filter((it) => isSameNeuron(it, first)),
  }));
}

/** The first questions: every candidate alone, every column, all together, the null, and super experts as a whole. */
export function firstProbes(
  architecture: Architecture,
  measured: readonly Proposal[],
  others: readonly OtherPlace[],
  experts: readonly ExpertPlace[],
): Probe[] {
  const zeroed = (id: string, weights: readonly Proposal[]): Probe => ({
    id,
    changes: weightsScaled(architecture, weights.map(coordinateOf), 0),
  });
  const free = measured.filter((it) => !it.cancelling);
  const columns = spokesOf(measured).flatMap((spokes): Probe[] => [
    { id: probeId.column(spokes), changes: [wholeColumn(architecture, spokes)] },
    ...(spokes.members.length > 1 ? [zeroed(probeId.spokes(spokes), spokes.members)] : []),
    ...(spokes.members.length > 2 ? [zeroed(probeId.rest(spokes), spokes.members.slice(1))] : []),
  ]);
  return [
    ...measured.map((it) => zeroed(probeId.zero(it), [it])),
    ...columns,
    ...(free.length > 1 ? [zeroed(probeId.all, free)] : []),
    ...others.map(({ layer, slot, row, column }, i): Probe => ({
      id: probeId.other(i),
      changes: [{ layer, slot, row, column, factor: 0 }],
    })),
    ...experts.map(({ layer, expert }): Probe => {
      const slot = downSlot(architecture, layer, expert);
      const change = { layer, slot, row: null, column: null, factor: 0 };
      return { id: probeId.expert({ layer, expert }), changes: [change] };
    }),
  ];
}

/** What is asked of those that matter: half the value, the whole row; of pairs, both; of what came into sight later, alone and with what hid it. */
export function secondProbes(
  architecture: Architecture,
  important: readonly Proposal[],
  pairs: readonly (readonly [Proposal, Proposal])[],
  later: readonly Proposal[],
): Probe[] {
  const rows = new Map(important.map((it) => [probeId.row(it), it]));
  return [
    ...important.map((it): Probe => ({
      id: probeId.half(it),
      changes: weightsScaled(architecture, [coordinateOf(it)], 0.5),
    })),
    ...[...rows].map(([id, it]): Probe => ({ id, changes: [wholeRow(architecture, it)] })),
    ...pairs.map(([first, second]): Probe => ({
      id: probeId.pair(first, second),
      changes: weightsScaled(architecture, [coordinateOf(first), coordinateOf(second)], 0),
    })),
    ...later.map((it): Probe => ({
      id: probeId.zero(it),
      changes: weightsScaled(architecture, [coordinateOf(it)], 0),
    })),
  ];
}

/** Every grain of weights that turned out to matter, where an earlier stream had no reason to ask: half, row and column. */
export function missingProbes(
  architecture: Architecture,
  vital: readonly Proposal[],
  known: ReadonlySet<string>,
): Probe[] {
  const asked = vital.flatMap((it): Probe[] => [
    { id: probeId.half(it), changes: weightsScaled(architecture, [coordinateOf(it)], 0.5) },
    { id: probeId.row(it), changes: [wholeRow(architecture, it)] },
    { id: probeId.column(it), changes: [wholeColumn(architecture, it)] },
  ]);
  return asked.filter(({ id }, i) => !known.has(id) && asked.findIndex((it) => it.id === id) === i);
}

function wholeColumn(architecture: Architecture, { layer, column, expert }: Neuron): WeightChange {
  return { layer, slot: downSlot(architecture, layer, expert), row: null, column, factor: 0 };
}

function wholeRow(
  architecture: Architecture,
  { layer, row, expert }: Omit<WeightPlace, "column">,
): WeightChange {
  return { layer, slot: downSlot(architecture, layer, expert), row, column: null, factor: 0 };
}
