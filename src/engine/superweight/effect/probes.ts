import { coordinateOf } from "#shared/recipe.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Probe } from "./effectStream.ts";
import { keyOf, type Proposal } from "../evidence/candidates.ts";
import type { OtherPlace } from "./otherWeights.ts";
import { downSlot, weightsScaled, type WeightChange } from "../evidence/weightChanges.ts";

/** Names under which the probes' effects are looked up. */
export const probeId = {
  zero: (weight: Place) => `zero ${keyOf(weight)}`,
  half: (weight: Place) => `half ${keyOf(weight)}`,
  column: ({ layer, column }: Pick<Place, "layer" | "column">) => `column ${layer},${column}`,
  row: ({ layer, row }: Pick<Place, "layer" | "row">) => `row ${layer},${row}`,
  spokes: ({ layer, column }: Pick<Place, "layer" | "column">) => `spokes ${layer},${column}`,
  rest: ({ layer, column }: Pick<Place, "layer" | "column">) => `rest ${layer},${column}`,
  pair: (first: Place, second: Place) => `pair ${keyOf(first)} ${keyOf(second)}`,
  other: (index: number) => `other ${index}`,
  all: "all",
} as const;

interface Place {
  readonly layer: number;
  readonly row: number;
  readonly column: number;
}

/** The proposals of one column, the largest output first. */
export interface Spokes extends Pick<Place, "layer" | "column"> {
  readonly members: readonly Proposal[];
}

/** Columns (neurons) that proposals lie in; cancelling ones are no spokes of anything. */
export function spokesOf(proposals: readonly Proposal[]): Spokes[] {
  const columns = new Map<string, Proposal[]>();
  for (const proposal of proposals) {
    if (proposal.cancelling) continue;
    const key = `${proposal.layer},${proposal.column}`;
    columns.set(key, [...(columns.get(key) ?? []), proposal]);
  }
  return [...columns.values()].map((members) => ({
    layer: members[0].layer,
    column: members[0].column,
    members,
  }));
}

/** The first questions: every candidate alone, every column, all together, and the null. */
export function firstProbes(
  architecture: Architecture,
  measured: readonly Proposal[],
  others: readonly OtherPlace[],
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

function wholeColumn(
  architecture: Architecture,
  { layer, column }: Pick<Place, "layer" | "column">,
): WeightChange {
  return { layer, slot: downSlot(architecture, layer), row: null, column, factor: 0 };
}

function wholeRow(architecture: Architecture, { layer, row }: Pick<Place, "layer" | "row">): WeightChange {
  return { layer, slot: downSlot(architecture, layer), row, column: null, factor: 0 };
}
