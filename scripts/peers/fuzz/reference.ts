import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { askPython } from "../python.ts";
import type { Meaning } from "./draft.ts";

/** One model and what it is to be scored on, as reference.py reads it. */
export interface ReferenceJob {
  readonly meaning: unknown;
  readonly weights: string;
  readonly windows: readonly { ids: number[]; labels: number[] }[];
}

/** Lays a model down for NumPy. @param folder holds its weights afterwards */
export async function referenceJob(
  { tensors, ...facts }: Meaning,
  windows: readonly { ids: Iterable<number>; labels: Iterable<number> }[],
  folder: string,
): Promise<ReferenceJob> {
  const weights = join(folder, "meaning.f32");
  const parts = [...tensors.values()].map(({ values }) => new Uint8Array(values.slice().buffer));
  await writeFile(weights, Buffer.concat(parts));
  return {
    meaning: { ...facts, shapes: Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape])) },
    weights,
    windows: windows.map(({ ids, labels }) => ({ ids: [...ids], labels: [...labels] })),
  };
}

/** Mean NLL in nats of every job, from NumPy in f64. */
export function referenceNll(python: string, jobs: readonly ReferenceJob[]): number[] {
  if (jobs.length === 0) return [];
  const script = join(import.meta.dirname, "reference.py");
  return z
    .array(z.number())
    .length(jobs.length)
    .parse(askPython(python, script, jobs));
}
