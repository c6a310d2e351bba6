import { z } from "zod";
import { MAX_RUN_NAME, MAX_RUN_NOTE } from "../run.ts";
import { MAX_ARCHIVE_BYTES } from "../runArchive.ts";

export const path = z.string().min(1).max(4096);
export const id = z.string().min(1).max(128);
export const nothing = z.strictObject({});
/**
 * The text that SmoothQuant's scales are chosen on. Where it is left out and a recipe needs one: `calibration.jsonl` beside the
 * text, in the model's folder or the one around it.
 */
export const calibration = path.optional();
/** An archive as Base64: four characters for three bytes. */
export const MAX_ARCHIVE_TEXT = Math.ceil(MAX_ARCHIVE_BYTES / 3) * 4;
export const runName = z.string().trim().min(1).max(MAX_RUN_NAME);
export const runNote = z.string().max(MAX_RUN_NOTE);
/** Title and note of a run, as a face shows them. */
export const runWords = z.strictObject({ name: z.string(), note: z.string() });
export const jobStarted = z.object({ job: id });

/** One entry of the contract. */
export function call<A extends z.ZodType, R extends z.ZodType>(args: A, reply: R): { args: A; reply: R } {
  return { args, reply };
}
