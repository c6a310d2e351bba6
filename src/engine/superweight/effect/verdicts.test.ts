import { describe, expect, it } from "vitest";
import type { Change, ColumnGroup, PairEffect } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Proposal } from "../evidence/candidates.ts";
import { judgeEffect, pairKind, type Findings } from "./verdicts.ts";

const kl = (value: number | null): Change => ({ kl: value, nllChange: value });

function proposal([layer, row, column]: Coordinate, more: Partial<Proposal> = {}): Proposal {
  return {
    ...{ layer, row, column, tensor: "down", value: 2, inputActivation: 10, outputActivation: 20 },
    ...{ contribution: 20, share: 1, token: 0, pass: 1, after: [], rank: 1, sigma: 9, timesMedian: 20 },
    ...{ carried: 0, carriers: [], published: null, nextLargest: [], cancelling: false, traced: true },
    ...more,
  };
}

function findings(
  alone: readonly (readonly [Coordinate, number | null])[],
  columns: ColumnGroup[] = [],
  pairs: PairEffect[] = [],
): Findings {
  return {
    ...{ thresholdKl: 0.1, nullKl: 0.001, information: 4, columns, pairs },
    alone: new Map(alone.map(([coordinate, value]) => [coordinate.join(), kl(value)])),
  };
}

const [a, b, c]: Coordinate[] = [
  [1, 0, 7],
  [1, 1, 7],
  [2, 0, 9],
];

function column(joint: number, rest: number | null): ColumnGroup {
  const change = (value: number | null): Change | null => (value === null ? null : kl(value));
  const third: Coordinate = [1, 2, 7];
  return {
    layer: 1,
    column: 7,
    spokes: [a, b, third],
    whole: kl(joint),
    spokesTogether: kl(joint),
    rest: change(rest),
  };
}

describe("the verdict on a measured candidate", () => {
  it("is super from the threshold on, and where the model's outputs are not finite without it", () => {
    expect(judgeEffect(proposal(a), findings([[a, 0.1]])).verdict).toBe("super");
    expect(judgeEffect(proposal(a), findings([[a, null]])).verdict).toBe("super");
    expect(judgeEffect(proposal(a), findings([[a, 0.099]])).verdict).toBe("spike-without-effect");
  });

  it("names its share of what the model knows, and the multiple of the null", () => {
    expect(judgeEffect(proposal(a), findings([[a, 0.4]])).reason).toBe(
      "Without it KL is 0.4: 10% of what the model knows of this text, and 400 × the largest effect of the other weights tried.",
    );
  });

  it("is cancelling whatever its effect, where its neuron takes away what is carried", () => {
    expect(judgeEffect(proposal(a, { cancelling: true }), findings([[a, 2]])).verdict).toBe("cancelling");
  });

  it("is together for spokes that are each a small part of what all are worth", () => {
    const known = findings(
      [
        [a, 0.05],
        [b, 0.04],
        [[1, 2, 7], 0.03],
      ],
      [column(0.9, 0.5)],
    );
    expect(judgeEffect(proposal(a), known).verdict).toBe("together");
    expect(judgeEffect(proposal(b), known).reason).toContain(
      "the 3 large weights of column 7 together KL is 0.9",
    );
  });

  it("leaves spokes beside a super weight alone, unless they matter without it", () => {
    const alone: [Coordinate, number][] = [
      [a, 0.8],
      [b, 0.01],
    ];
    expect(judgeEffect(proposal(b), findings(alone, [column(0.9, 0.02)])).verdict).toBe(
      "spike-without-effect",
    );
    expect(judgeEffect(proposal(b), findings(alone, [column(1.5, 0.4)])).verdict).toBe("together");
    expect(judgeEffect(proposal(a), findings(alone, [column(1.5, 0.4)])).verdict).toBe("super");
  });

  it("is together for two that stand in for each other, not for what shares a super weight's work", () => {
    const pair: PairEffect = { first: a, second: c, both: kl(3), alone: [0.02, 0.03], kind: "compensate" };
    const small = findings(
      [
        [a, 0.02],
        [c, 0.03],
      ],
      [],
      [pair],
    );
    expect(judgeEffect(proposal(a), small).verdict).toBe("together");
    expect(judgeEffect(proposal(c), small).verdict).toBe("together");
    const beside = findings(
      [
        [a, 1],
        [c, 0.03],
      ],
      [],
      [pair],
    );
    expect(judgeEffect(proposal(c), beside).verdict).toBe("spike-without-effect");
  });

  it("takes what stands out only with others zeroed for a consequence, unless the model needs it", () => {
    const later = proposal(c, { after: [a], pass: 2 });
    const harmless = judgeEffect(later, findings([[c, 0.01]]));
    expect(harmless).toMatchObject({
      verdict: "spike-without-effect",
      reason: expect.stringContaining("a consequence, not a cause") as unknown,
    });
    expect(judgeEffect(later, findings([[c, 0.4]])).verdict).toBe("together");
  });
});

describe("two weights zeroed together", () => {
  it("hide each other where both cost much less than one", () =>
    expect(pairKind(0.1, 0.8, 0.02, 0.1)).toBe("masks"));
  it("stand in for each other where both cost much more than the sum", () =>
    expect(pairKind(1, 0.02, 0.03, 0.1)).toBe("compensate"));
  it("are independent otherwise, and where nothing is lost at all", () => {
    expect(pairKind(0.9, 0.5, 0.4, 0.1)).toBe("independent");
    expect(pairKind(0.01, 0.001, 0.001, 0.1)).toBe("independent");
  });
});
