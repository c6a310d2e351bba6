import { describe, expect, it } from "vitest";
import type { Scores } from "#shared/evaluation.ts";
import type { Ranking } from "#shared/ranking.ts";
import type { RunSummary } from "#shared/run.ts";
import { runFinding, runMethod, variantSentence, type RunFacts } from "./sentence.ts";
import { testResult } from "./testResult.ts";

const baseline: Scores = {
  nll: 2,
  perplexity: 12.41,
  wordPerplexity: null,
  bytePerplexity: null,
  bitsPerByte: null,
  tokens: 8192,
  nllStandardError: null,
};
const best = testResult(
  { range: { method: "zscore", threshold: 9 }, restore: "super-weights" },
  { perplexity: 12.9 },
);
const twin = testResult({ range: { method: "zscore", threshold: 9 } }, { perplexity: 236.06 });

const NOT_TIED: Ranking = { by: "kl", best: best.id, tied: [], untested: 0 };

function facts(status: RunSummary["status"], results = [best, twin], ranking = NOT_TIED): RunFacts {
  const summary: RunSummary = {
    id: "r",
    name: "grid",
    note: "",
    edits: 0,
    imported: null,
    model: "/m",
    modelName: "m",
    created: "",
    updated: "",
    status,
    done: 61,
    failed: 1,
    total: 144,
    best: null,
  };
  return { summary, results, baseline, best: results[0] ?? null, ranking, job: null };
}

describe("the head of a run", () => {
  it("says what the best variant reaches, and what it would be without restoration", () => {
    expect(runFinding(facts("running"))).toBe(
      "Lowest KL: restored affine4, group 64, z 9 reaches 12.90 at 4.50 bits; without restoration 236",
    );
  });
  it("says first that others do not differ, and nothing of a twin that is among them", () => {
    const tied = { ...NOT_TIED, tied: [twin.id, "another"] };
    expect(runFinding(facts("done", [best, twin], tied))).toBe(
      "No significant difference between 3 variants; lowest KL: restored affine4, group 64, z 9 reaches 12.90 at 4.50 bits",
    );
  });
  it("names the original where there is no twin to compare with", () => {
    expect(runFinding(facts("done", [best]))).toBe(
      "Lowest KL: restored affine4, group 64, z 9 reaches 12.90 at 4.50 bits; the original has 12.41",
    );
  });
  it("shows the decimals that separate the best from the original", () => {
    const close = testResult({}, { perplexity: 12.4104 });
    expect(runFinding(facts("done", [close]))).toContain("reaches 12.4104 at");
  });
  it("says where a run stopped", () => {
    expect(runFinding(facts("paused"))).toBe("Paused at 61 of 144");
    expect(runFinding(facts("interrupted"))).toBe("Interrupted at 61 of 144; those are saved");
    expect(runFinding(facts("cancelled"))).toMatch(/^Cancelled at 61 of 144: lowest KL: restored affine4/);
    expect(runFinding(facts("running", []))).toBe("Scoring 144 variants");
  });
  it("counts below what is scored, waits and failed", () => {
    expect(runMethod(facts("running"), null)).toBe("grid · 61 of 144 scored, 1 failed");
  });
});

it("says of a variant why it failed, and never NaN", () => {
  const failed = testResult(
    {},
    {
      status: "failed",
      error: { code: "worker/died-twice", message: "Two workers ended.", next: "", details: {} },
    },
  );
  expect(variantSentence(failed, baseline, 2)).toBe("affine4, group 64: failed. Two workers ended.");
  expect(variantSentence(testResult({}, { perplexity: null, notFinite: true }), baseline, 2)).toContain(
    "not finite",
  );
});
