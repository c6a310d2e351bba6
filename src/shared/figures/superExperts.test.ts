import { describe, expect, it } from "vitest";
import type { ExpertsReport } from "../detection.ts";
import { coordinate, coordinateOf } from "../recipe.ts";
import { coordinateWords } from "./detectionWords.ts";
import { expertsSentence, measuredEffect, protectionWords, superExpertTable } from "./superExperts.ts";

const found = {
  ...{ layer: 2, expert: 37, module: "model.layers.2.mlp.experts.37", tokens: 3, timesMedian: 80 },
  output: { value: -412.5, token: 0, channel: 9 },
  effect: { kl: 1.5, nllChange: 1.4 },
};
const report: ExpertsReport = {
  ...{ total: 6144, reached: 512, thresholdOutput: 41.25, medianOutput: 5 },
  superExperts: [found],
};

describe("what is said of experts", () => {
  it("how many the prompt reached, which are super experts, and that the others are unjudged", () => {
    expect(expertsSentence(report)).toBe(
      "The prompt reached 512 of 6,144 experts, and 1 of them is a super expert: an output of down_proj beyond the 99.5th percentile and a tenth of the largest. The other 5,632 experts got no token of it: they are unjudged.",
    );
    expect(protectionWords(report)).toBe(
      'A recipe whose ignore has "model.layers.2.mlp.experts.37.*" leaves it unquantized.',
    );
    expect(protectionWords({ ...report, superExperts: [] })).toBeNull();
    expect(superExpertTable(report).rows).toEqual([["2", "37", -412.5, 80, 3, 1.5]]);
  });

  it("no effect where no token of the text went through the expert", () => {
    expect(measuredEffect({ effect: { kl: 0, nllChange: 0 } })).toBeNull();
    expect(measuredEffect(found)).toEqual(found.effect);
  });

  it("a coordinate's expert only where there is one", () => {
    expect(JSON.stringify(coordinate.parse([2, 9, 7]))).toBe("[2,9,7]");
    expect(coordinate.parse([2, 9, 7, 37])).toEqual([2, 9, 7, 37]);
    expect(coordinateOf({ layer: 2, row: 9, column: 7 })).toEqual([2, 9, 7]);
    expect(coordinateWords([2, 9, 7, 37])).toBe("layer 2 [9, 7] of expert 37");
    expect(coordinateWords([2, 9, 7])).toBe("layer 2 [9, 7]");
  });
});
