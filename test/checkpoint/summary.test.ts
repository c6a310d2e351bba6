import { textsOf } from "#shared/notes.ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { estimateMemory, summarizeModel } from "#engine/formats/summarizeModel.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import { modelSummary, type ArchitectureFacts } from "#shared/model.ts";
import { writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";

const FACTS: ArchitectureFacts = {
  name: "LlamaForCausalLM",
  family: "llama",
  layers: 2,
  hiddenSize: 16,
  intermediateSize: 24,
  heads: 4,
  keyValueHeads: 2,
  headSize: 4,
  vocabulary: 32,
  contextLength: 64,
  norm: "RMSNorm",
  position: "RoPE",
  activation: "SiLU",
  slidingWindow: null,
  tiedEmbeddings: false,
};

describe("summarizeModel", () => {
  it("adds up a checkpoint and passes its own schema", async () => {
    const checkpoint = await openCheckpoint(await writeSyntheticCheckpoint({ storage: "BF16", shards: 2 }));
    onTestFinished(() => checkpoint.close());
    const summary = await summarizeModel(checkpoint, { facts: FACTS, unsupported: null, unknown: null });
    // per layer: q, o 16·16, k, v 8·16, three of 24·16, two norms of 16; then embedding, head and the last norm
    const parameters = 2 * (2 * 256 + 2 * 128 + 3 * 384 + 32) + 2 * 32 * 16 + 16;
    expect(summary).toMatchObject({
      parameters,
      dtypes: { BF16: parameters },
      hasTokenizer: false,
      unsupported: null,
    });
    expect(summary.bytes).toBe(summary.shards.reduce((sum, shard) => sum + shard.bytes, 0));
    expect(summary.tensors).toHaveLength(21);
    expect(textsOf(summary.notes)).toEqual(["There is no tokenizer: texts cannot be evaluated."]);
    expect(modelSummary.parse(summary)).toEqual(summary);
  });

  it("promises that detecting in 7 B parameters fits in 4 GB", () => {
    const tensor = {
      name: "",
      shape: [],
      dtype: "BF16",
      bytes: 0,
      file: "",
      begin: 0,
      end: 0,
      role: "mlp" as const,
      linear: true,
    };
    const layer = { ...tensor, layer: 0, parameters: 4 * 4096 * 4096 + 3 * 4096 * 11_008 };
    const head = { ...tensor, layer: null, parameters: 32_000 * 4096 };
    const { detect } = estimateMemory([layer, head], {
      ...FACTS,
      hiddenSize: 4096,
      intermediateSize: 11_008,
      vocabulary: 32_000,
    });
    expect(detect).toBeGreaterThan(0.8e9);
    expect(detect).toBeLessThan(4e9);
  });
});

describe("modelName", () => {
  it("is the folder's, the repository's for a cache entry, the parent's for a folder called model", () => {
    expect(modelName("/data/Llama-3-8B")).toBe("Llama-3-8B");
    expect(modelName("/hub/models--allenai--OLMo-1B-0724-hf/snapshots/0a1b")).toBe("allenai/OLMo-1B-0724-hf");
    expect(modelName("/resources/demo-model/model")).toBe("demo-model");
  });
});
