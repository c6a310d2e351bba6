import { textsOf } from "#shared/notes.ts";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { outlineExport } from "#engine/export/writeExport.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import {
  adapted,
  bench,
  exportTo,
  freely,
  modelOf,
  SUPER_WEIGHT,
  tree,
  variantOf,
  type Bench,
} from "./exporting.ts";

const unevaluated = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });
const SIZES = { hidden: 32, intermediate: 64, heads: 4, keyValueHeads: 4, vocabulary: 64 };

interface Case {
  readonly format: ExportFormat;
  readonly recipe: Record<string, unknown>;
  readonly kept: readonly KeptModule[];
}

const both = ["unquantized", "8-bit"] as const;
const CASES: readonly Case[] = [
  ...[4, 8].flatMap((bits) =>
    [true, false].map((symmetric): Case => ({
      format: "compressed-tensors",
      recipe: {
        scheme: "compressed-tensors",
        bits,
        symmetric,
        granularity: symmetric ? "group:16" : "channel",
      },
      kept: both,
    })),
  ),
  ...[2, 3, 4, 8].flatMap((bits) =>
    [true, false].map((symmetric): Case => ({
      format: "gptq",
      recipe: { scheme: "gptq-int", bits, symmetric, granularity: symmetric ? "group:16" : "channel" },
      kept: both,
    })),
  ),
  { format: "awq", recipe: { scheme: "awq-int", bits: 4, granularity: "group:16" }, kept: ["unquantized"] },
  { format: "awq", recipe: { scheme: "awq-int", bits: 4, granularity: "channel" }, kept: ["unquantized"] },
  ...[2, 3, 4, 5, 6, 8].map((bits): Case => ({
    format: "mlx",
    recipe: { scheme: "mlx", bits, granularity: "group:32" },
    kept: both,
  })),
];

const CT = { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:16" } as const;
const GPTQ = { scheme: "gptq-int", bits: 4, symmetric: true, granularity: "group:16" } as const;
const AWQ = { scheme: "awq-int", bits: 4, granularity: "group:16" } as const;
const ELEMENT_BYTES: Readonly<Record<string, number>> = { I64: 8, I32: 4, U32: 4, F32: 4 };
type Header = Record<string, { dtype: string; data_offsets: [number, number] }>;

/** A bench whose variant is the recipe as the format holds it. */
async function packedBench(
  { format, recipe }: Pick<Case, "format" | "recipe">,
  options: Parameters<typeof bench>[0],
  kept: KeptModule = "unquantized",
): Promise<Bench> {
  const made = await bench({ ...SIZES, ...options }, { scheme: "affine", bits: 4, granularity: "channel" });
  return { ...made, variant: adapted(made.checkpoint, recipe, format, kept).variant };
}

async function differenceOf(made: Bench): Promise<number> {
  const { checkpoint, variant, out } = made;
  const verified = await verifyExport({
    source: checkpoint,
    variant,
    out,
    evaluate: unevaluated,
    control: freely,
  });
  return verified.maxAbsDiff;
}

interface ExportedConfig {
  readonly torch_dtype: string;
  readonly quantization_config: Readonly<Record<string, unknown>>;
}

async function configOf({ out }: Bench): Promise<ExportedConfig> {
  return JSON.parse(await readFile(join(out, "config.json"), "utf8")) as ExportedConfig;
}

describe("a packed export", () => {
  for (const { format, recipe, kept } of CASES) {
    for (const storage of ["F16", "BF16", "F32"] as const) {
      const { bits, symmetric = false, granularity } = recipe as Record<string, string>;
      const name = `${format}, ${bits} bits, ${symmetric ? "symmetric" : "asymmetric"}, ${granularity}, ${storage}`;
      it(`reopens as exactly the judged weights: ${name}`, async () => {
        for (const keep of kept) {
          const whole = { ...recipe, range: { method: "mse" }, restore: [[1, 3, 7]] };
          const made = await packedBench(
            { format, recipe: whole },
            { storage, shards: keep === "8-bit" ? 3 : 1 },
            keep,
          );
          const { bytes } = await outlineExport(format, {
            model: modelOf(made.checkpoint),
            variant: made.variant,
            fileSystem: nodeFileSystem,
            maxShardBytes: null,
          });
          const written = await exportTo(made, { format, maxShardBytes: keep === "8-bit" ? 3_000 : null });
          expect(await differenceOf(made)).toBe(0);
          expect(written.bytes).toBeLessThan(bytes);
          const reopened = await openCheckpoint(made.out);
          const down = reopened.tensors.get(SUPER_WEIGHT.tensor);
          expect(down?.packed?.scheme ?? "plain").toMatch(keep === "8-bit" ? /int8/ : /plain/);
          expect(reopened.tensors.get("model.layers.0.mlp.down_proj.weight")?.packed?.scheme).toContain(
            `int${bits}`,
          );
          expect(reopened.packing).toContain(`int${bits}`);
          expect(reopened.config).not.toHaveProperty("quantization_config");
          await reopened.close();
        }
      });
    }
  }

  it("begins every tensor on a multiple of its element's size", async () => {
    for (const { format, recipe } of CASES) {
      const made = await packedBench({ format, recipe }, { storage: "F16" });
      await exportTo(made, { format });
      const file = await readFile(join(made.out, "model.safetensors"));
      const length = Number(file.readBigUInt64LE(0));
      const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Header;
      for (const [name, { dtype, data_offsets: [begin] = [0] }] of Object.entries(header))
        if (name !== "__metadata__") expect([name, begin % (ELEMENT_BYTES[dtype] ?? 2)]).toEqual([name, 0]);
    }
  });

  it("keeps every byte of what it does not pack, and carries the files around the weights along", async () => {
    const files = { "tokenizer.json": "{}", "quant_config.json": "{}", LICENSE: "MIT" };
    const made = await packedBench({ format: "awq", recipe: AWQ }, { storage: "BF16", files });
    await exportTo(made, { format: "awq" });
    expect(await tree(made.out)).toEqual(
      ["LICENSE", "README.md", "config.json", "keystone.json", "model.safetensors", "tokenizer.json"].sort(),
    );
    const reopened = await openCheckpoint(made.out);
    for (const name of ["model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"])
      expect(await reopened.readBytes(name)).toEqual(await made.checkpoint.readBytes(name));
    await reopened.close();
  });

  it("finds one changed code", async () => {
    const made = await packedBench({ format: "gptq", recipe: GPTQ }, { storage: "F16" });
    await exportTo(made, { format: "gptq" });
    const path = join(made.out, "model.safetensors");
    const file = await readFile(path);
    const length = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.subarray(8, 8 + length).toString()) as Header;
    const [begin] = header["model.layers.1.self_attn.q_proj.qweight"].data_offsets;
    file[8 + length + begin] ^= 1;
    await writeFile(path, file);
    await expect(differenceOf(made)).rejects.toMatchObject({
      code: "export/differs",
      details: { tensor: "model.layers.1.self_attn.q_proj.weight" },
    });
  });
});

describe("the config of a packed export", () => {
  it("compressed-tensors: most modules by class, 8-bit ones by name, the rest ignored", async () => {
    const recipe = {
      ...CT,
      restore: [[1, 3, 7]],
      overrides: [{ match: "*layers.0.self_attn.o_proj*", skip: true }],
    };
    const made = await packedBench({ format: "compressed-tensors", recipe }, { storage: "BF16" }, "8-bit");
    await exportTo(made, { format: "compressed-tensors" });
    const config = await configOf(made);
    expect(config).toMatchObject({
      torch_dtype: "bfloat16",
      quantization_config: {
        quant_method: "compressed-tensors",
        format: "pack-quantized",
        quantization_status: "compressed",
        ignore: ["model.layers.0.self_attn.o_proj", "lm_head"],
        config_groups: {
          group_0: {
            targets: ["Linear"],
            weights: { num_bits: 4, type: "int", symmetric: true, strategy: "group", group_size: 16 },
          },
          group_1: {
            targets: ["model.layers.1.mlp.down_proj"],
            weights: { num_bits: 8, symmetric: true, strategy: "group", group_size: 16 },
          },
        },
      },
    });
  });

  it("compressed-tensors: transformers is told to unpack asymmetric codes of one width, and nothing else", async () => {
    const told = async (settings: object, kept: KeptModule): Promise<unknown> => {
      const recipe = { ...CT, ...settings, restore: [[1, 3, 7]] };
      const made = await packedBench({ format: "compressed-tensors", recipe }, { storage: "F16" }, kept);
      await exportTo(made, { format: "compressed-tensors" });
      return (await configOf(made)).quantization_config["dequantize"];
    };
    expect(await told({ symmetric: false }, "unquantized")).toBe(true);
    expect(await told({ symmetric: false }, "8-bit")).toBeUndefined();
    expect(await told({ symmetric: true }, "unquantized")).toBeUndefined();
  });

  it("gptq: bits and groups in both files, kept modules as rules and as transformers' list", async () => {
    const recipe = { ...GPTQ, restore: [[1, 3, 7]] };
    const kept = await packedBench({ format: "gptq", recipe }, { storage: "F32" });
    await exportTo(kept, { format: "gptq" });
    const { torch_dtype, quantization_config } = await configOf(kept);
    expect(torch_dtype).toBe("float16");
    expect(quantization_config).toMatchObject({
      quant_method: "gptq",
      bits: 4,
      group_size: 16,
      sym: true,
      desc_act: false,
      checkpoint_format: "gptq",
      dynamic: { "-:^model\\.layers\\.1\\.mlp\\.down_proj$": {} },
    });
    const [packed] = quantization_config["modules_in_block_to_quantize"] as string[][];
    expect(packed).toHaveLength(13);
    expect(packed).not.toContain("model.layers.1.mlp.down_proj");
    const alone = JSON.parse(await readFile(join(kept.out, "quantize_config.json"), "utf8")) as unknown;
    expect(alone).toEqual(quantization_config);

    const eight = await packedBench({ format: "gptq", recipe: { ...recipe, symmetric: false } }, {}, "8-bit");
    await exportTo(eight, { format: "gptq" });
    const asymmetric = (await configOf(eight)).quantization_config;
    expect(asymmetric).toMatchObject({
      checkpoint_format: "gptq_v2",
      sym: false,
      dynamic: {
        "+:^model\\.layers\\.1\\.mlp\\.down_proj$": { bits: 8, group_size: 16, sym: false },
      },
    });
    expect(asymmetric).not.toHaveProperty("modules_in_block_to_quantize");
  });

  it("awq: what is not converted by name, the head among it", async () => {
    const made = await packedBench(
      { format: "awq", recipe: { ...AWQ, granularity: "channel", restore: [[1, 3, 7]] } },
      { storage: "F16" },
    );
    await exportTo(made, { format: "awq" });
    expect((await configOf(made)).quantization_config).toEqual({
      quant_method: "awq",
      bits: 4,
      group_size: -1,
      version: "gemm",
      zero_point: true,
      modules_to_not_convert: ["model.layers.1.mlp.down_proj", "lm_head"],
    });
  });
});

describe("what a packed format cannot hold is said before anything is written", () => {
  it.each<[ExportFormat, object, string, RegExp, RegExp]>([
    [
      "compressed-tensors",
      { scheme: "affine", bits: 4, granularity: "group:16" },
      "export/packed-scheme",
      /cannot store affine4/,
      /scheme compressed-tensors/,
    ],
    [
      "gptq",
      { scheme: "nf4", bits: 4, granularity: "group:16" },
      "export/packed-scheme",
      /cannot store nf4/,
      /scheme gptq/,
    ],
    [
      "awq",
      { scheme: "int", bits: 4, symmetric: true, granularity: "group:16" },
      "export/packed-scheme",
      /int4 sym/,
      /scheme awq/,
    ],
    [
      "gptq",
      { scheme: "int", bits: 5, granularity: "group:16" },
      "export/packed-scheme",
      /2, 3, 4, 8-bit integers/,
      /gptq/,
    ],
    [
      "compressed-tensors",
      { scheme: "int", bits: 4, granularity: "flat:64" },
      "export/packed-block",
      /not flat/,
      // of the usual groups the one that divides every row of the model
      /group:32/,
    ],
    [
      "gptq",
      { scheme: "gptq-int", bits: 4, granularity: "group:8" },
      "export/packed-block",
      /not group 8/,
      /group:16/,
    ],
    [
      "awq",
      { ...AWQ, restore: { largest: 3 } },
      "export/restore-largest",
      /3 largest/,
      /onnx or safetensors/,
    ],
    [
      "awq",
      { ...AWQ, activations: { per: "token", method: "naive" } },
      "export/activations",
      /8 bits/,
      /activations/,
    ],
    ["compressed-tensors", { ...CT, ignore: [] }, "export/packed-outside", /embed_tokens/, /"ignore"/],
    ["gptq", { ...GPTQ, ignore: ["*embed*"] }, "export/packed-outside", /lm_head/, /"ignore"/],
    ["compressed-tensors", { ...CT, ignore: ["*"] }, "export/nothing-packed", /no tensor/, /safetensors/],
    [
      "gptq",
      { scheme: "int", bits: 4, granularity: "group:16" },
      "export/packed-dtype",
      /computed in BF16/,
      /scheme gptq/,
    ],
    [
      "awq",
      { ...AWQ, overrides: [{ match: "*q_proj*", granularity: "channel" }] },
      "export/awq-groups",
      /group:16 and channel/,
      /overrides/,
    ],
  ])("%s: %j is %s", async (format, recipe, code, message, next) => {
    const made = await bench({ ...SIZES, storage: "BF16" });
    const request = {
      recipe: parseRecipe(recipe),
      format,
      out: made.out,
      overwrite: false,
      maxShardBytes: null,
      kept: "unquantized" as const,
    };
    const { problems } = await checkExport(modelOf(made.checkpoint), request);
    expect(problems).toHaveLength(1);
    expect(problems[0].code).toBe(code);
    expect(problems[0].message).toMatch(message);
    expect(problems[0].next).toMatch(next);
  });

  it("refuses a shape that does not fill whole words, and says that AWQ keeps modules whole only", async () => {
    const made = await bench({ ...SIZES, hidden: 40, heads: 2, keyValueHeads: 1, storage: "F16" });
    const recipe = parseRecipe({ scheme: "gptq-int", bits: 2, granularity: "channel" });
    const request = {
      recipe,
      format: "gptq" as const,
      out: made.out,
      overwrite: false,
      maxShardBytes: null,
      kept: "unquantized" as const,
    };
    const { problems } = await checkExport(modelOf(made.checkpoint), request);
    expect(problems[0].code).toBe("export/packed-shape");
    expect(problems[0].message).toContain("40 × 40");
    expect(() => adapted(made.checkpoint, AWQ, "awq", "8-bit")).toThrow(/cannot store modules of 8 bits/);
  });
});

describe("a packed checkpoint as a source", () => {
  it("leaves as safetensors with its dequantized weights and a config that says nothing of packing", async () => {
    const made = await packedBench({ format: "gptq", recipe: GPTQ }, { storage: "BF16", shards: 2 });
    await exportTo(made, { format: "gptq" });
    const packed = await openCheckpoint(made.out);
    const out = join(made.folder, "again");
    const nothing = { scheme: "affine", bits: 4, granularity: "channel", ignore: ["*"] };
    const again = { ...made, checkpoint: packed, variant: variantOf(packed, nothing), out };
    await exportTo(again);
    expect(await differenceOf(again)).toBe(0);
    expect(await tree(out)).not.toContain("quantize_config.json");
    const plain = await openCheckpoint(out);
    expect(plain.packing).toBeUndefined();
    for (const { name, dtype, shape } of made.checkpoint.tensors.values())
      expect(plain.tensors.get(name)).toMatchObject({ dtype, shape });
    await plain.close();
    await packed.close();
  });

  it("is quantized again from its dequantized weights", async () => {
    const made = await packedBench({ format: "awq", recipe: AWQ }, { storage: "F16" });
    await exportTo(made, { format: "awq" });
    const packed = await openCheckpoint(made.out);
    expect(textsOf(packed.notes).join()).toMatch(/already quantized \(AWQ int4, group 16\)/);
    const out = join(made.folder, "again");
    const { variant } = adapted(packed, CT, "compressed-tensors");
    const again = { ...made, checkpoint: packed, variant, out };
    await exportTo(again, { format: "compressed-tensors" });
    expect(await differenceOf(again)).toBe(0);
    await packed.close();
  });
});
