import type { Note } from "#shared/notes.ts";
import type { SQLInputValue } from "node:sqlite";
import type { Convention, Scores } from "#shared/evaluation.ts";
import type { Coordinate } from "#shared/recipe.ts";

/** What becomes known while a run is prepared. */
export interface RunFacts {
  convention?: Convention;
  baseline?: Scores;
  superWeights?: readonly Coordinate[];
  workers?: number;
  threads?: number;
  device?: string;
  notes?: readonly Note[];
}

/** The columns of those facts that are given, and their values. */
export function factColumns(facts: RunFacts): [name: string, value: SQLInputValue][] {
  const columns: Record<string, SQLInputValue | undefined> = {
    convention: facts.convention && JSON.stringify(facts.convention),
    baseline: facts.baseline && JSON.stringify(facts.baseline),
    super_weights: facts.superWeights && JSON.stringify(facts.superWeights),
    workers: facts.workers,
    threads: facts.threads,
    device: facts.device,
    notes: facts.notes && JSON.stringify(facts.notes),
  };
  return Object.entries(columns).filter((entry): entry is [string, SQLInputValue] => entry[1] !== undefined);
}
