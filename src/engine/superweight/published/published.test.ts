import { describe, expect, it } from "vitest";
import { PUBLISHED, publishedMatch } from "./published.ts";

const llama7B = { layers: 32, hiddenSize: 4096, intermediateSize: 11008 };

describe("the published directory", () => {
  it("recognises a coordinate in a model of the same shape only", () => {
    expect(publishedMatch(llama7B, [2, 3968, 7003])).toBe("Llama-7B");
    expect(publishedMatch(llama7B, [1, 2533, 7890])).toBe("Llama-2-7B");
    expect(publishedMatch({ ...llama7B, layers: 30 }, [2, 3968, 7003])).toBeNull();
    expect(publishedMatch(llama7B, [2, 7003, 3968])).toBeNull();
  });

  it("holds coordinates that lie inside the shapes they are given for", () => {
    for (const { model, shape, weights } of PUBLISHED) {
      for (const [layer, row, column] of weights)
        expect(layer < shape[0] && row < shape[1] && column < shape[2], model).toBe(true);
    }
  });
});
