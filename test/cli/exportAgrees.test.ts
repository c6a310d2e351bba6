import { cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportReport } from "#shared/exporting.ts";
import { samePerplexity } from "#shared/verification.ts";
import {
  syntheticTensors,
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../support/syntheticCheckpoint.ts";
import { safetensorsBytes, storedAs, type TensorSpec } from "../support/safetensorsBytes.ts";
import { DEMO } from "./demo.ts";
import type { Outcome } from "./runMain.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const TOKENIZER = join(import.meta.dirname, "..", "golden", "tokenizer", "byte-level");
const SHAPE: SyntheticOptions = {
  hidden: 32,
  intermediate: 64,
  vocabulary: 704,
  storage: "F16",
  deviation: 0.2,
};
const RECIPES = {
  gguf: { scheme: "q8_0", bits: 8, granularity: "group:32" },
  safetensors: { scheme: "affine", bits: 4, granularity: "group:32" },
};
type Format = keyof typeof RECIPES;

const vector = (values: number[]): TensorSpec => storedAs("F16", [values.length], Float32Array.from(values));
const matrixOf = (seed: number): TensorSpec => syntheticTensors({ ...SHAPE, seed })["lm_head.weight"];

interface Made {
  readonly options?: SyntheticOptions;
  readonly added?: Record<string, TensorSpec>;
}

/** Checkpoints whose files say one thing and whose configs another. */
const CONTRADICTIONS: Record<string, Made> = {
  "tied by its config, with another head stored": {
    options: { tied: true },
    added: { "lm_head.weight": matrixOf(7) },
  },
  "with a bias of the queries that its config does not announce": {
    added: { "model.layers.0.self_attn.q_proj.bias": vector(Array.from({ length: 32 }, (_, i) => i / 16)) },
  },
  "with a bias of attention's output alone": {
    added: { "model.layers.1.self_attn.o_proj.bias": vector(Array.from({ length: 32 }, (_, i) => i / 32)) },
  },
  "with one layer more than its config counts": {
    added: Object.fromEntries(
      Object.entries(syntheticTensors({ ...SHAPE, layers: 3 })).filter(([name]) =>
        name.includes(".layers.2."),
      ),
    ),
  },
};

async function exported(
  { options, added }: Made,
  format: Format,
  judging: readonly string[] = [],
): Promise<{ outcome: Outcome; folder: string }> {
  const folder = await temporaryFolder();
  const model = await writeSyntheticCheckpoint({ ...SHAPE, ...options }, join(folder, "model"));
  const tensors = { ...syntheticTensors({ ...SHAPE, ...options }), ...added };
  await writeFile(
    join(model, "model.safetensors"),
    safetensorsBytes(tensors, { metadata: { format: "pt" } }),
  );
  await cp(TOKENIZER, model, { recursive: true });
  const recipe = join(folder, "recipe.json");
  await writeFile(recipe, JSON.stringify(RECIPES[format]));
  const outcome = await runMain([
    ...["export", model, "--recipe", recipe, "--format", format, "--out", join(folder, "out")],
    ...["--verify", "--text", DEMO.text, "--tokens", "300", ...judging, "--json"],
  ]);
  return { outcome, folder };
}

describe("an export of a checkpoint that contradicts itself", () => {
  for (const kind of Object.keys(CONTRADICTIONS))
    for (const format of Object.keys(RECIPES) as Format[])
      it(`${kind}, as ${format}, scores what was judged`, async () => {
        const { outcome } = await exported(CONTRADICTIONS[kind], format);
        expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
        const { verified } = exportReport.parse(outcome.json());
        expect(verified?.perplexity).not.toBeNull();
        expect(samePerplexity(verified?.perplexity ?? null, verified?.judgedPerplexity ?? null)).toBe(true);
      });
});

describe("a GGUF file is scored as llama.cpp reads it", () => {
  const windowed: Made = { options: { family: "mistral", config: { sliding_window: 16 } } };

  it("without the sliding window: not kept where the text is scored beyond it", async () => {
    const { outcome, folder } = await exported(windowed, "gguf");
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/scores [\d.]+, and the variant was judged [\d.]+/);
    expect(await readdir(folder)).not.toContain("out");
  });

  it("kept and verified where it is not", async () => {
    const { outcome } = await exported(windowed, "gguf", ["--context", "16"]);
    expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
    const { verified } = exportReport.parse(outcome.json());
    expect(verified?.perplexity).toBe(verified?.judgedPerplexity);
  });
});
