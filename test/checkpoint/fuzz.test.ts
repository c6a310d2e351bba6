import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { KeystoneError } from "#shared/errors.ts";
import { exportVerified } from "../../scripts/peers/fuzz/attempt.ts";
import { exportsOf } from "../../scripts/peers/fuzz/exportsOf.ts";
import { fixedWindows } from "../../scripts/peers/fuzz/fixedWindows.ts";
import { checkpointOf, writeDraft } from "../../scripts/peers/fuzz/generate.ts";
import { runModel } from "../forward/runModel.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

/** NumPy's mean NLLs in f64, one a seed from the first on: scripts/golden/fuzz.ts. */
const golden = z
  .object({ first: z.number(), nll: z.array(z.number()) })
  .parse(
    JSON.parse(
      readFileSync(join(import.meta.dirname, "..", "golden", "fuzz", "golden.json"), "utf8"),
    ) as unknown,
  );
/** Relative: sums in f32. Measured: 2e-7. */
const NLL_BOUND = 1e-5;
/** Every so many seeds the checkpoint is exported as well. */
const EXPORTED = 4;

/** Mean NLL of the windows in Keystone's own pass; null where it refuses the checkpoint with a reason. */
async function meanNll(location: string, windows: ReturnType<typeof fixedWindows>): Promise<number | null> {
  try {
    const checkpoint = await openCheckpoint(location);
    try {
      const architecture = architectureOf(checkpoint);
      const forward = await createForward(architecture, { device: "cpu", threads: 1 });
      try {
        const ids = windows.map((window) => window.ids);
        const { logits } = await runModel(architecture, checkpoint, forward, ids);
        return nllOf(logits, windows, architecture.facts.vocabulary);
      } finally {
        await forward.close();
      }
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    if (error instanceof KeystoneError) return null;
    throw error;
  }
}

function nllOf(logits: Float32Array, windows: ReturnType<typeof fixedWindows>, vocabulary: number): number {
  const labels = windows.flatMap((window) => window.labels);
  const each = labels.flatMap((label, row) => {
    if (label < 0) return [];
    const scores = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    const most = Math.max(...scores);
    return [most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0)) - scores[label]];
  });
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

describe("a random checkpoint computes what NumPy computes, or is refused with a reason", () => {
  for (const [index, expected] of golden.nll.entries()) {
    const seed = golden.first + index;
    const { draft, disturbed } = checkpointOf(seed);
    it(`seed ${seed}: ${disturbed.join("; ") || "as it was published"}`, async () => {
      const folder = await temporaryFolder();
      const location = await writeDraft(draft, join(folder, "model"));
      const found = await meanNll(location, fixedWindows(seed, draft));
      if (draft.broken) expect(found ?? NaN, "it means nothing").toBeNaN();
      else if (found !== null) {
        expect(Math.abs(found - expected) / Math.max(1, expected)).toBeLessThan(NLL_BOUND);
      } else expect(disturbed, "nothing was done to it that could be refused").not.toEqual([]);
      if (seed % EXPORTED !== 0 || found === null) return;
      for (const kind of exportsOf(seed)) {
        const attempt = await exportVerified(location, folder, kind);
        expect(attempt.kind === "crashed" ? attempt.message : "").toBe("");
      }
    });
  }
});
