import { describe, expect, it } from "vitest";
import type { FormatDescription } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { superWeightsIn, verifiedSentence } from "./exportText.ts";

describe("what becomes of super weights", () => {
  const byModule: FormatDescription = {
    format: "gptq",
    title: "GPTQ",
    summary: "",
    size: "packed",
    restored: "module",
    kept: ["unquantized"],
    exact: "",
    schemes: "",
    granularities: "",
    loadsIn: [],
  };

  it("is said to be by module where the format cannot store one weight", () => {
    expect(superWeightsIn(byModule, true, "unquantized")).toMatchObject({
      title: "Per tensor",
      note: "tensors with super weights stay in full precision",
    });
    expect(superWeightsIn({ ...byModule, restored: "exact" }, true, "unquantized").title).toBe("Exact");
  });

  it("is not promised in 8 bits by a format that has only one width", () => {
    expect(superWeightsIn(byModule, true, "8-bit").note).toBe(
      "tensors with super weights stay in full precision",
    );
    expect(superWeightsIn({ ...byModule, kept: ["unquantized", "8-bit"] }, true, "8-bit").note).toBe(
      "tensors with super weights stay in 8 bits",
    );
  });

  it("is not claimed for a variant that restores none", () => {
    expect(superWeightsIn(byModule, false, "unquantized").state).toBe("not-restored");
  });
});

describe("the sentence about a verified export", () => {
  it("says that the files score as the variant was evaluated where file, judged form and run agree", () => {
    const verified = { perplexity: 53.1061, judgedPerplexity: 53.1061 };
    expect(verifiedSentence(verified, 53.1061)).toBe(
      "The exported files score 53.1061, as the variant was evaluated",
    );
  });

  it("names both numbers where the format changed the recipe, and so the variant above scored another", () => {
    const said = verifiedSentence({ perplexity: 51.4189, judgedPerplexity: 51.4189 }, 53.1061);
    expect(said).not.toContain("as the variant was evaluated");
    expect(said).toContain("51.4189");
    expect(said).toContain("the variant itself scored 53.1061");
  });

  it("calls nothing verified that scores another number than was judged, or none", () => {
    const other = verifiedSentence({ perplexity: 339.26, judgedPerplexity: 340.67 }, 340.67);
    expect(other).toMatch(/^Not verified: .*339.26.*340.67/);
    expect(verifiedSentence({ perplexity: null, judgedPerplexity: null }, null)).toMatch(/^Not verified/);
  });
});

describe("the launch line", () => {
  it("names the GGUF file itself, which llama.cpp opens", () => {
    const recipe = parseRecipe({ scheme: "q4_0", bits: 4, granularity: "group:32" });
    expect(
      exportFormatOf("gguf").launch("/out/demo", ["/out/demo/README.md", "/out/demo/demo-Q4_0.gguf"], recipe)
        .line,
    ).toBe('llama-server -m "/out/demo/demo-Q4_0.gguf"');
  });

  it("names another loader than vLLM where vLLM has no kernel for a module", () => {
    const runtimeOf = (format: "compressed-tensors" | "awq", settings: object) => {
      const recipe = parseRecipe({
        scheme: format === "awq" ? "awq-int" : format,
        bits: 4,
        granularity: "group:64",
        ...settings,
      });
      return exportFormatOf(format).launch("/out/demo", [], recipe).runtime;
    };
    expect(runtimeOf("compressed-tensors", { symmetric: false })).toBe("vLLM");
    expect(runtimeOf("compressed-tensors", { symmetric: true, bits: 8, granularity: "channel" })).toBe(
      "vLLM",
    );
    expect(runtimeOf("compressed-tensors", { symmetric: false, bits: 8 })).toBe("Transformers");
    expect(runtimeOf("compressed-tensors", { symmetric: true, granularity: "group:16" })).toBe(
      "Transformers",
    );
    expect(runtimeOf("awq", {})).toBe("vLLM");
    expect(runtimeOf("awq", { overrides: [{ match: "*q_proj*", granularity: "group:16" }] })).toBe(
      "Transformers",
    );
  });

  it("names GPT-QModel for the GPTQ that vLLM does not read", () => {
    const runtimeOf = (settings: object) => {
      const recipe = parseRecipe({ scheme: "gptq-int", bits: 4, granularity: "group:64", ...settings });
      return exportFormatOf("gptq").launch("/out/demo", [], recipe).runtime;
    };
    expect(runtimeOf({ symmetric: true })).toBe("vLLM");
    expect(runtimeOf({ symmetric: true, bits: 8 })).toBe("vLLM");
    expect(runtimeOf({ symmetric: false })).toBe("GPT-QModel");
    expect(runtimeOf({ symmetric: true, bits: 3 })).toBe("GPT-QModel");
    expect(runtimeOf({ symmetric: true, overrides: [{ match: "*q_proj*", bits: 2 }] })).toBe("GPT-QModel");
  });
});
