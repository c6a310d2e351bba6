import { z } from "zod";

/** What of the first steps outlives a window: whether they are shown, and what was done with each model. */
const kept = z.object({
  shown: z.boolean(),
  /** By the model's fingerprint; the newest last. */
  models: z.record(
    z.string(),
    z.object({ compared: z.boolean(), exported: z.string().nullable(), verified: z.boolean() }),
  ),
});
export type GuideRecord = z.infer<typeof kept>;
export type ModelRecord = GuideRecord["models"][string];

const KEY = "keystone.firstSteps";
const MOST_MODELS = 20;

export const NOTHING_DONE: ModelRecord = { compared: false, exported: null, verified: false };

/** Null where nothing was kept, or nothing that can be read. */
export function readRecord(): GuideRecord | null {
  try {
    const read = kept.safeParse(JSON.parse(localStorage.getItem(KEY) ?? "null"));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}

export function keepRecord(record: GuideRecord): void {
  const models = Object.fromEntries(Object.entries(record.models).slice(-MOST_MODELS));
  localStorage.setItem(KEY, JSON.stringify({ ...record, models }));
}
