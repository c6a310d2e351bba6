import { note } from "#shared/notes.ts";
import { z } from "zod";
import { convention, scores } from "#shared/evaluation.ts";
import { judge } from "#shared/plan.ts";
import { coordinate } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { runOrigin, runStatus, variantResult, type VariantResult } from "#shared/run.ts";

/** A column that holds JSON of the given shape. */
function json<T extends z.ZodType>(shape: T) {
  return z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(shape);
}

/** A row of `runs`, as far as a list needs it. */
export const summaryRow = z.object({
  id: z.string(),
  name: z.string(),
  note: z.string(),
  edits: z.number(),
  imported: json(runOrigin).nullable(),
  model: z.string(),
  model_name: z.string(),
  fingerprint: z.string(),
  created: z.string(),
  updated: z.string(),
  status: runStatus,
  owner: z.string().nullable(),
  owner_process: z.number().nullable(),
  owner_host: z.string().nullable(),
  heartbeat: z.number().nullable(),
  done: z.number(),
  failed: z.number(),
  total: z.number(),
  best: z.string().nullable(),
});
export type SummaryRow = z.infer<typeof summaryRow>;

/** The rest of it. */
export const runRow = summaryRow.extend({
  plan_hash: z.string(),
  judge: json(judge),
  text: z.string(),
  text_hash: z.string(),
  calibration: z.string().nullable(),
  calibration_hash: z.string().nullable(),
  convention: json(convention).nullable(),
  baseline: json(scores).nullable(),
  super_weights: json(z.array(coordinate)),
  workers: z.number(),
  threads: z.number(),
  device: z.string(),
  seconds: z.number(),
  notes: json(z.array(note)),
});
export type RunRow = z.infer<typeof runRow>;

/** A label is made from its recipe, as everywhere: a run that was kept under earlier words is read in today's. */
export const variantRow = z.object({
  result: json(variantResult).transform((result) => ({ ...result, label: recipeLabel(result.recipe) })),
});

/** The KL by which a row is ranked; that of a variant which makes another's weights is no rival of it. */
export function rankedKl({ kl, sameAs }: VariantResult): number | null {
  return sameAs === undefined ? (kl?.mean ?? null) : null;
}

/** Counts and the best variant (lowest KL, ties to fewer bits) come from the variants themselves: they cannot disagree. */
export const SUMMARY_COLUMNS = `
  runs.*,
  (SELECT count(*) FROM run_edits e WHERE e.run = runs.id) AS edits,
  (SELECT count(*) FROM variants v WHERE v.run = runs.id AND v.status = 'done') AS done,
  (SELECT count(*) FROM variants v WHERE v.run = runs.id AND v.status = 'failed') AS failed,
  (SELECT count(*) FROM variants v WHERE v.run = runs.id) AS total,
  (SELECT v.id FROM variants v WHERE v.run = runs.id AND v.status = 'done' AND v.kl IS NOT NULL AND v.bits IS NOT NULL
    ORDER BY v.kl, v.bits LIMIT 1) AS best`;
