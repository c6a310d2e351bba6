import { textsOf } from "#shared/notes.ts";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { exporters } from "#engine/formats/exporters.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import { readParts, writeParts, type CheckpointParts, type Tensors } from "../support/rewrittenCheckpoint.ts";
import { f32, storedAs } from "../support/safetensorsBytes.ts";
import {
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../support/syntheticCheckpoint.ts";
import { adapted, exportTo, modelOf, verifying } from "./exporting.ts";

const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;
const Q8 = { scheme: "q8_0", bits: 8, granularity: "group:32" } as const;
const INT8 = { scheme: "int", bits: 8, granularity: "group:32" } as const;
const HEAD = "lm_head.weight";
const EMBEDDING = "model.embed_tokens.weight";

async function opened(folder: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

/** A synthetic checkpoint with a change, opened. */
async function source(
  change: (parts: CheckpointParts) => CheckpointParts,
  options: SyntheticOptions = {},
): Promise<Checkpoint> {
  const folder = await writeSyntheticCheckpoint({ ...SHAPE, storage: "F16", ...options });
  return opened(await writeParts(change(await readParts(folder))));
}

/** Exports, compares every weight and opens what was written. */
async function reopened(checkpoint: Checkpoint, recipe: object, format: ExportFormat): Promise<Checkpoint> {
  const { variant } = adapted(checkpoint, recipe, format);
  const out = join(await temporaryFolder(), "export");
  const made = { folder: out, checkpoint, variant, out };
  await exportTo(made, { format, verify: verifying(made, format) });
  return opened(out);
}

function biases(parts: CheckpointParts, slots: readonly (readonly [string, number])[]): Tensors {
  const layers = [
    ...new Set(Object.keys(parts.tensors).flatMap((name) => /layers\.(\d+)\./.exec(name)?.[1] ?? [])),
  ];
  return Object.fromEntries(
    layers.flatMap((layer) =>
      slots.map(([slot, size]) => [
        `model.layers.${layer}.${slot}.bias`,
        storedAs("F16", [size], new Float32Array(size).fill(0.25)),
      ]),
    ),
  );
}

const QUERY_AND_UP = [
  ["self_attn.q_proj", 64],
  ["mlp.up_proj", 96],
] as const;

describe("an export holds what was judged and nothing else", () => {
  it("of a model with extra tensors, and its card names them", async () => {
    const checkpoint = await source(({ config, tensors }) => ({
      config,
      tensors: {
        ...tensors,
        "model.layers.0.self_attn.k_scale": f32([1]),
        "model.layers.2.mlp.up_proj.weight": f32([2]),
      },
    }));
    for (const [format, recipe] of [
      ["safetensors", INT8],
      ["gguf", Q8],
    ] as const) {
      const copy = await reopened(checkpoint, recipe, format);
      expect([...copy.tensors.keys()].sort()).toEqual([...checkpoint.tensors.keys()].sort());
      const card = await readFile(join(copy.path, "README.md"), "utf8");
      expect(card).toContain("## Left out of the source");
      expect(card).toMatch(
        /model\.layers\.0\.self\\_attn\.k\\_scale \| a scale for keys and values kept in 8 bits/,
      );
    }
  });

  it("of a tied model with another head stored: the head, and a config that says so", async () => {
    const checkpoint = await source(({ config, tensors }) => ({
      config: { ...config, tie_word_embeddings: true },
      tensors,
    }));
    const copy = await reopened(checkpoint, INT8, "safetensors");
    const config = JSON.parse(await readFile(join(copy.path, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({ tie_word_embeddings: false });
    const gguf = await reopened(checkpoint, Q8, "gguf");
    expect(gguf.tensors.has(HEAD)).toBe(true);
    expect(await gguf.read(HEAD)).toEqual(await checkpoint.read(HEAD));
  });

  it("of a tied model with a copy of its embeddings: no head in the file", async () => {
    const checkpoint = await source(
      ({ config, tensors }) => ({ config, tensors: { ...tensors, [HEAD]: tensors[EMBEDDING] } }),
      { tied: true },
    );
    for (const [format, recipe] of [
      ["safetensors", INT8],
      ["gguf", Q8],
    ] as const)
      expect((await reopened(checkpoint, recipe, format)).tensors.has(HEAD)).toBe(false);
  });

  it("of a llama model with biases that its config does not announce: they are announced, the absent ones written as zeros", async () => {
    const checkpoint = await source((parts) => ({
      config: { ...parts.config, attention_bias: undefined, mlp_bias: undefined },
      tensors: { ...parts.tensors, ...biases(parts, QUERY_AND_UP) },
    }));
    const copy = await reopened(checkpoint, INT8, "safetensors");
    const config = JSON.parse(await readFile(join(copy.path, "config.json"), "utf8")) as object;
    expect(config).toMatchObject({ attention_bias: true, mlp_bias: true });
    expect(await copy.read("model.layers.1.self_attn.o_proj.bias")).toEqual(new Float32Array(64));
    expect(await copy.read("model.layers.1.mlp.up_proj.bias")).toEqual(new Float32Array(96).fill(0.25));
    expect(() => architectureOf(copy)).not.toThrow();
    await reopened(checkpoint, Q8, "gguf");
  });

  it.each([
    ["mistral", "safetensors", INT8, "export/unannounced-biases"],
    ["qwen2", "gguf", Q8, "export/gguf-model"],
    ["mistral", "gguf", Q8, null],
  ] as const)(
    "of a %s model with biases of its MLP as %s: refused where its programs leave them out",
    async (family, format, recipe, code) => {
      const checkpoint = await source(
        (parts) => ({
          config: { ...parts.config, mlp_bias: undefined, attention_bias: undefined, sliding_window: null },
          tensors: { ...parts.tensors, ...biases(parts, QUERY_AND_UP.slice(1)) },
        }),
        { family },
      );
      const { variant } = adapted(checkpoint, recipe, format);
      const problems = exporters[format].problems(variant.recipe, {
        model: modelOf(checkpoint),
        plans: variant.plans,
      });
      expect(problems.map((each) => each.code)).toEqual(code === null ? [] : [code]);
      if (code === null) await reopened(checkpoint, recipe, format);
    },
  );

  it("of a model whose names have another prefix: the family's own names", async () => {
    const checkpoint = await source(({ config, tensors }) => ({
      config,
      tensors: Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => [`_orig_mod.${name}`, tensor]),
      ),
    }));
    const copy = await reopened(checkpoint, INT8, "safetensors");
    expect([...copy.tensors.keys()].every((name) => !name.includes("_orig_mod"))).toBe(true);
    expect(textsOf(copy.notes).join(" ")).not.toContain("other names");
  });

  it("keeps Python's Infinity in a config that is written anew", async () => {
    const folder = await writeSyntheticCheckpoint({ ...SHAPE, storage: "F16" });
    const { config, tensors } = await readParts(folder);
    const path = await writeParts({ config, tensors });
    const text = JSON.stringify({ ...config, torch_dtype: "torch.float16", limit: "∞" }).replace(
      '"∞"',
      "-Infinity",
    );
    await writeFile(join(path, "config.json"), text);
    const copy = await reopened(await opened(path), INT8, "safetensors");
    const written = await readFile(join(copy.path, "config.json"), "utf8");
    expect(written).toContain('"limit": -Infinity');
    expect(written).toContain('"torch_dtype": "float16"');
  });
});
