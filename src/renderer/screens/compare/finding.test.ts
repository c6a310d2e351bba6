import { expect, it } from "vitest";
import { rankVariants } from "#shared/ranking.ts";
import type { VariantResult } from "#shared/run.ts";
import { madeUpRun } from "../../../../test/support/madeUp/run.ts";
import { comparisonFinding, distinctWeights } from "./finding.ts";

const [made] = madeUpRun().results.filter(({ status }) => status === "done");

function variant(id: string, kl: number, sameAs?: string): VariantResult {
  if (!made) throw new Error("the made-up run is empty");
  const bare = { ...made };
  delete bare.sameAs;
  delete bare.confidence;
  const scores = { mean: kl, median: kl, p99: kl, max: kl, topAgreement: 1 };
  return {
    ...bare,
    id,
    kl: scores,
    perplexity: 2 + kl,
    bitsPerWeight: 4,
    ...(sameAs === undefined ? {} : { sameAs }),
  };
}

function findingOf(results: readonly VariantResult[]): string {
  return comparisonFinding(results, rankVariants(distinctWeights(results)), (id) => id);
}

it("says which variants have the same weights as the best, and calls them no rivals", () => {
  expect(findingOf([variant("A", 0.1), variant("B", 0.1, "A")])).toBe(
    "A has the lowest KL, 0.1000 at 4.00 bits; B has the same weights",
  );
  const three = [variant("A", 0.1), variant("B", 0.1, "A"), variant("C", 0.2)];
  expect(findingOf(three)).toContain("; B has the same weights; not tested for significance");
});

it("ranks a variant that makes the weights of one that is not compared", () => {
  expect(findingOf([variant("A", 0.3), variant("B", 0.1, "elsewhere")])).toMatch(
    /^B has the lowest KL, 0\.1000/,
  );
  const twins = [variant("A", 0.1, "elsewhere"), variant("B", 0.1, "elsewhere")];
  expect(findingOf(twins)).toContain("A has the lowest KL, 0.1000 at 4.00 bits; B has the same weights");
});
