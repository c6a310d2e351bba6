import { z } from "zod";
import { generateReport } from "../comparison.ts";
import { detectPass, detectPreview } from "../detection.ts";
import { jobView, laneView } from "./job.ts";
import { labReport } from "../lab/index.ts";
import { runSummary, variantResult } from "../run.ts";
import { scores } from "../evaluation.ts";
import { settings } from "../settings.ts";

/** What happened in the studio. Each event is whole: a later one of the same subject replaces the earlier. */
export const studioEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("job"), job: jobView }),
  z.object({ type: z.literal("run"), run: runSummary }),
  z.object({ type: z.literal("run-deleted"), run: z.string() }),
  z.object({ type: z.literal("baseline"), run: z.string(), baseline: scores }),
  z.object({ type: z.literal("variants"), run: z.string(), results: z.array(variantResult) }),
  z.object({ type: z.literal("lanes"), run: z.string(), lanes: z.array(laneView) }),
  z.object({ type: z.literal("detect-pass"), job: z.string(), pass: detectPass }),
  /** What a detection knows so far; whole, so that a later one replaces it. */
  z.object({ type: z.literal("detect-preview"), job: z.string(), preview: detectPreview }),
  /** What an experiment found so far; whole, so that a later one replaces it. */
  z.object({ type: z.literal("lab-report"), job: z.string(), report: labReport }),
  /** What was generated so far; whole, so that a later one replaces it. */
  z.object({ type: z.literal("generated"), job: z.string(), report: generateReport }),
  z.object({ type: z.literal("lab-results") }),
  z.object({ type: z.literal("settings"), settings }),
  z.object({ type: z.literal("recent-models") }),
  z.object({ type: z.literal("plans") }),
]);
export type StudioEvent = z.infer<typeof studioEvent>;

/** An event with its place in the stream. `seq` rises by one; a gap means: ask `events:since`. */
export const numberedEvent = z.object({ seq: z.number().int(), event: studioEvent });
export type NumberedEvent = z.infer<typeof numberedEvent>;
