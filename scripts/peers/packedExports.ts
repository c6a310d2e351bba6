import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { exportAs } from "./exportAs.ts";
import { floatsOf, keystoneLogits, largestOf, logarithmsOf, perplexity } from "./logits.ts";
import type { Case } from "./packedCases.ts";
import { askPython } from "./python.ts";
import { markdownTable, PERPLEXITY_TOLERANCE, type LogitCheck, type PeerReport } from "./peer.ts";
import { largestDifference } from "../../test/forward/runModel.ts";

const answer = z.object({
  versions: z.record(z.string(), z.string()),
  /** What each model was computed in. */
  dtypes: z.array(z.string()),
});

/** A program that runs packed folders. */
export interface PackedRuntime {
  /** Python that reads [{ folder, windows, logits }] and writes the logits, or their logarithms, to the file of each. */
  readonly script: string;
  /** Largest difference of a logit as a share of the largest, for what it computes in. */
  readonly tolerance: Readonly<Record<string, number>>;
}

/** Exports every case, lets a program run the folders, and holds it to Keystone's own pass over the same folders. */
export async function runPacked(
  python: string,
  { script, tolerance }: PackedRuntime,
  casesIn: (folder: string) => Promise<Case[]>,
): Promise<PeerReport> {
  const place = mkdtempSync(join(tmpdir(), "keystone-peers-"));
  try {
    const cases = await casesIn(place);
    const jobs = cases.map(({ windows }, i) => {
      const folder = join(place, `export-${i}`);
      return { folder, windows, logits: `${folder}.f32` };
    });
    for (const [i, { source, recipe, format, kept }] of cases.entries())
      await exportAs(source, recipe, jobs[i].folder, { format, ...(kept ? { kept } : {}) });
    const { versions, dtypes } = answer.parse(askPython(python, script, jobs));
    const checks: LogitCheck[] = [];
    for (const [i, one] of cases.entries())
      checks.push(await check(one, jobs[i], { dtype: dtypes[i], tolerance: tolerance[dtypes[i]] ?? NaN }));
    return { versions, checks, failures: [], text: tableOf(cases, checks) };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function check(
  { model, format, says, windows }: Case,
  { folder, logits }: { folder: string; logits: string },
  { dtype, tolerance }: { dtype: string; tolerance: number },
): Promise<LogitCheck> {
  const [ours, theirs] = [await keystoneLogits(folder, folder, windows), floatsOf(logits)];
  const vocabulary = ours.length / windows.reduce((sum, { length }) => sum + length, 0);
  const [mine, other] = [ours, theirs].map((values) => logarithmsOf(values, vocabulary));
  return {
    subject: `${model}, ${format}, ${says}`,
    arithmetic: dtype,
    logits: largestDifference(mine, other) / largestOf(ours),
    logitTolerance: tolerance,
    perplexity: {
      ours: perplexity(ours, windows, vocabulary),
      theirs: perplexity(theirs, windows, vocabulary),
    },
    perplexityTolerance: PERPLEXITY_TOLERANCE,
  };
}

function tableOf(cases: readonly Case[], checks: readonly LogitCheck[]): string {
  const rows = checks.map(({ arithmetic, logits, logitTolerance, perplexity: { ours, theirs } }, i) => [
    ...[cases[i].model, cases[i].format, cases[i].says],
    `${logits.toExponential(1)} (${arithmetic}, ${logitTolerance})`,
    ...[ours, theirs].map((each) => each.toPrecision(6)),
  ]);
  const difference = "largest difference of a log-probability / largest logit (type, bound)";
  return markdownTable(["model", "format", "recipe", difference, "perplexity here", "there"], rows);
}
