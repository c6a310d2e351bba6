import type { RunSummary } from "#shared/run.ts";

/** A model that has scored runs, local or imported. */
export interface RunModel {
  readonly fingerprint: string;
  readonly name: string;
  /** Ids, newest first. */
  readonly runs: readonly string[];
}

/** The models of runs that have something scored, in the order of their newest run. */
export function modelsOf(runs: readonly RunSummary[]): RunModel[] {
  const models = new Map<string, { fingerprint: string; name: string; runs: string[] }>();
  for (const { id, fingerprint, modelName: name, done } of runs) {
    if (fingerprint === undefined || done === 0) continue;
    const model = models.get(fingerprint) ?? { fingerprint, name, runs: [] };
    model.runs.push(id);
    models.set(fingerprint, model);
  }
  return [...models.values()];
}
