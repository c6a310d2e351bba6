import { expect, it } from "vitest";
import type { RunDetail } from "#shared/run.ts";
import { claimsOf, type Holds } from "../../scripts/realModel/claims.ts";
import { argumentsOf, STEPS, type Answers } from "../../scripts/realModel/steps.ts";
import { labReportOf } from "../support/labReports.ts";
import { madeUpDetection } from "../support/madeUp/detection.ts";
import { scoresOf } from "../support/madeUp/facts.ts";
import { madeUpRun } from "../support/madeUp/run.ts";

/** KL of the variant in large blocks that is clipped, alone and with its super weight restored. */
function swept(alone: number, restored: number): Answers["sweep"] {
  const { results }: RunDetail = madeUpRun();
  const kl = (mean: number) => ({ mean, median: mean, p99: mean, max: mean, topAgreement: 0.9 });
  return {
    baseline: scoresOf(1.8808),
    results: results.map((result) => {
      const { bits, granularity, range, restore } = result.recipe;
      if (bits !== 4 || granularity !== "flat:16384" || range === null) return result;
      return { ...result, kl: kl(Array.isArray(restore) && restore.length > 0 ? restored : alone) };
    }),
  };
}

const ANSWERS: Answers = {
  detect: madeUpDetection(),
  importance: labReportOf("importance"),
  "super-activations": labReportOf("super-activations"),
  "token-probabilities": labReportOf("token-probabilities"),
  sensitivity: labReportOf("sensitivity"),
  activations: labReportOf("activations"),
  "block-scaling": labReportOf("block-scaling"),
  "threshold-search": labReportOf("threshold-search"),
  sweep: swept(12.9, 0.002),
};

function verdict(answers: Answers, claim: RegExp): { holds: Holds; here: string } {
  const found = claimsOf(answers).filter((it) => claim.test(it.claim));
  expect(found).toHaveLength(1);
  return found[0];
}

it("says what was measured beside each of the paper's claims, with a number in each", () => {
  for (const { paper, here, holds } of claimsOf(ANSWERS)) {
    expect(`${paper} ${here}`).not.toMatch(/NaN|undefined|null/);
    expect(here).toMatch(/\d/);
    expect(["yes", "in part", "no"]).toContain(holds);
  }
  expect(verdict(ANSWERS, /model is lost/)).toMatchObject({
    here: "1.88 → 12,000,000, KL 15.7",
    holds: "yes",
  });
});

it("judges a claim by what was measured, not by its sign alone", () => {
  const { importance } = ANSWERS;
  const [original, , ...others] = importance.rows;
  const hurt = { ...importance.rows[1], ...scoresOf(42, 3) };
  const answers = {
    ...ANSWERS,
    importance: { ...importance, rows: [original, hurt, ...others], recovered: -0.1 },
  };
  expect(verdict(answers, /model is lost/).holds).toBe("in part");
  expect(verdict(answers, /takes back a part/).holds).toBe("no");
  expect(verdict({ ...ANSWERS, sweep: swept(3, 2.9) }, /must not be clipped/).holds).toBe("no");
  expect(verdict(ANSWERS, /must not be clipped/)).toMatchObject({ holds: "yes" });
});

it("a threshold holds only where the text it was not chosen on is nearer with it than with plain rounding", () => {
  const report = ANSWERS["threshold-search"];
  const { result } = report;
  if (!result) throw new Error("the made-up search found nothing");
  const same = { ...report, result: { ...result, test: result.plain } };
  expect(verdict(ANSWERS, /threshold chosen on other text/).holds).toBe("yes");
  expect(verdict({ ...ANSWERS, "threshold-search": same }, /threshold chosen on other text/).holds).toBe(
    "no",
  );
});

it("does not call a token fixed where prompts differ", () => {
  const report = ANSWERS["super-activations"];
  const varying = report.persistence.map((one) => ({ ...one, token: null }));
  const answers = { ...ANSWERS, "super-activations": { ...report, persistence: varying } };
  expect(verdict(ANSWERS, /one channel and token/).holds).toBe("yes");
  expect(verdict(answers, /one channel and token/)).toMatchObject({
    here: expect.stringContaining("at varying tokens") as string,
    holds: "in part",
  });
});

it("asks every step of the same windows, those that choose with a calibration text", () => {
  const asked = STEPS.map((step) => argumentsOf(step, { tokens: 4096, context: 512 }).join(" "));
  expect(asked).toContain("lab importance MODEL --text TEXT --context 512 --tokens 4096");
  expect(asked.filter((words) => words.includes("--calibration"))).toHaveLength(3);
});
