import { describe, expect, it } from "vitest";
import { candidateOf, changeOf, madeUpDetection } from "../../../test/support/madeUp/detection.ts";
import {
  clipWords,
  columnSentence,
  headlineOf,
  laterWords,
  measuredThere,
  merelyLarge,
  pairSentence,
  publishedMeasure,
  restOfFinding,
} from "./detectionWords.ts";

const report = madeUpDetection();

describe("a detection in words", () => {
  it("takes the first sentence as the heading and keeps what follows", () => {
    const finding = "1 super weight: KL 3.26 without layer 2.11 [5, 7]. The null is 0.0004.";
    expect(headlineOf(finding)).toBe("1 super weight: KL 3.26 without layer 2.11 [5, 7]");
    expect(restOfFinding(finding)).toBe("The null is 0.0004.");
    expect(restOfFinding("No super weight.")).toBe("");
  });
  it("marks what appears only with other weights zeroed, and names them", () => {
    expect(laterWords(candidateOf(1, 2, 3))).toBe("");
    expect(laterWords({ after: [[11, 507, 1229]] })).toBe("seen only with layer 11 [507, 1229] zeroed");
    expect(laterWords({ after: [1, 2, 3, 4].map((layer) => [layer, 0, 0]) })).toBe(
      "seen only with 4 weights zeroed",
    );
  });
  it("says of a pair which loss is larger", () => {
    const [masks, compensate] = report.pairs;
    expect(masks && pairSentence(masks)).toBe(
      "Alone KL 3.2600 and 0.1270, both KL 0.9000: much less is lost with both zeroed than with one.",
    );
    expect(compensate && pairSentence(compensate)).toContain("much more is lost");
  });
  it("says of a column what its spokes cost together and without the strongest", () => {
    const [group] = report.columns;
    expect(group && columnSentence(group)).toBe(
      "The whole column zeroed: KL 1.9000; its 6 weights together: KL 1.7000; without the strongest weight: KL 1.2000",
    );
  });
});

describe("what is merely large", () => {
  it("holds no super weight, and of the weights tried only the largest", () => {
    const large = merelyLarge(report);
    expect(large.map(({ what }) => what)).toEqual([
      "Cancels",
      "Spike, no effect",
      "Cancels",
      "No single weight",
      "Spike, no effect",
      "Large value",
      "Large value",
    ]);
  });
  it("is safe to clip only where its loss costs about as little as any other weight's", () => {
    const words = (kl: number | null | undefined): string => clipWords({ kl }, report.judged, 10);
    expect(words(0.0009)).toBe("safe to clip");
    expect(words(0.018)).toBe("safe to clip");
    expect(words(0.019)).toBe("costs something");
    expect(words(0.127)).toBe("costs something");
    expect(words(null)).toBe("costs something");
    expect(words(undefined)).toBe("not measured");
    expect(clipWords({ kl: 0.0009 }, null, 10)).toBe("not measured");
  });
});

describe("a published result", () => {
  it("keeps its own measure and grain", () => {
    expect(report.publishedResults.map(publishedMeasure)).toEqual([
      "NLL, % more: 313.00 (row)",
      "place only (weight)",
    ]);
  });
  it("stands beside what was measured here at the same grain, never another", () => {
    expect(report.publishedResults.map((one) => measuredThere(report, one)?.kl)).toEqual([3.4, 3.26]);
    const [row] = report.publishedResults;
    const there = row && measuredThere(report, { ...row, grain: "column", layer: 4, row: null, column: 300 });
    expect(there).toEqual(changeOf(1.9));
  });
});
