import { textsOf } from "#shared/notes.ts";
import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { largestDifference, runModel } from "../forward/runModel.ts";
import {
  readParts,
  renamed,
  writeParts,
  type CheckpointParts,
  type Tensors,
} from "../support/rewrittenCheckpoint.ts";
import { f32, safetensorsBytes, storedAs } from "../support/safetensorsBytes.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "transformers");
/** Logits reach ±18. */
const TOLERANCE = 1e-3;
const golden = z.object({ tokens: z.array(z.number()), logits: z.object({ f32: z.base64() }) });

/** What transformers computed for a golden model. */
function expectedOf(name: string): { tokens: number[]; logits: Float32Array } {
  const { tokens, logits } = golden.parse(
    JSON.parse(readFileSync(join(GOLDEN, name, "golden.json"), "utf8")),
  );
  return { tokens, logits: new Float32Array(new Uint8Array(Buffer.from(logits.f32, "base64")).buffer) };
}

async function open(folder: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

async function logitsOf(checkpoint: Checkpoint, tokens: readonly number[]): Promise<Float32Array> {
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  const { logits } = await runModel(architecture, checkpoint, forward, [tokens]);
  await forward.close();
  return logits;
}

/** Opens a changed golden model and holds its logits against transformers' for the unchanged one. */
async function agrees(
  name: string,
  change: (parts: CheckpointParts) => CheckpointParts,
): Promise<Checkpoint> {
  const checkpoint = await open(await writeParts(change(await readParts(join(GOLDEN, name)))));
  const { tokens, logits } = expectedOf(name);
  const difference = largestDifference(await logitsOf(checkpoint, tokens), logits);
  expect(difference <= TOLERANCE, `logits differ by ${difference}`).toBe(true);
  return checkpoint;
}

const notUsed = (checkpoint: Checkpoint): Record<string, string> =>
  Object.fromEntries(
    checkpoint.inventory.flatMap((entry) =>
      entry.kind === "tensor" && "notUsedBecause" in entry ? [[entry.name, entry.notUsedBecause.code]] : [],
    ),
  );

const withConfig =
  (changes: object) =>
  ({ config, tensors }: CheckpointParts): CheckpointParts => ({ config: { ...config, ...changes }, tensors });
const withTensors =
  (more: Tensors) =>
  ({ config, tensors }: CheckpointParts): CheckpointParts => ({ config, tensors: { ...tensors, ...more } });
const withNames =
  (rename: (name: string) => string | null) =>
  ({ config, tensors }: CheckpointParts): CheckpointParts => ({ config, tensors: renamed(tensors, rename) });

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

describe("a tied output head", () => {
  it("that is stored a second time is left out where it is a copy of the embeddings", async () => {
    const checkpoint = await agrees("llama-tied", ({ config, tensors }) => ({
      config,
      tensors: { ...tensors, [HEAD]: tensors[EMBEDDING] },
    }));
    expect(notUsed(checkpoint)).toEqual({ [HEAD]: "copy-of-embeddings" });
    expect(checkpoint.tensors.has(HEAD)).toBe(false);
  });

  it("that is stored with other values is the head, as transformers 5 takes it, and the config says so", async () => {
    const checkpoint = await agrees("llama-grouped-f16", withConfig({ tie_word_embeddings: true }));
    expect(checkpoint.config["tie_word_embeddings"]).toBe(false);
    expect(textsOf(checkpoint.notes).join(" ")).toContain('"lm_head.weight" holds other values');
  });

  it("that is stored alone is both matrices", async () => {
    const checkpoint = await agrees(
      "llama-tied",
      withNames((name) => (name === EMBEDDING ? HEAD : name)),
    );
    expect(checkpoint.tensors.get(EMBEDDING)).toMatchObject({ name: EMBEDDING, role: "embedding" });
    expect(textsOf(checkpoint.notes).join(" ")).toContain('stored as "lm_head.weight" alone');
  });

  it("that is missing although the config has a head of its own is refused with the field to set", async () => {
    const parts = await readParts(join(GOLDEN, "llama-tied"));
    const checkpoint = await open(await writeParts(withConfig({ tie_word_embeddings: false })(parts)));
    expect(() => architectureOf(checkpoint)).toThrow(
      expect.objectContaining({
        code: "architecture/missing-tensor",
        next: expect.stringContaining("tie_word_embeddings") as string,
      }),
    );
  });
});

describe("biases that config.json does not announce are used", () => {
  const silent = { attention_bias: undefined, mlp_bias: undefined };

  it("in a llama model, whose exported config then announces them", async () => {
    const checkpoint = await agrees("llama-biases", withConfig(silent));
    expect(checkpoint.config).toMatchObject({ attention_bias: true, mlp_bias: true });
    expect(checkpoint.configRewritten).toBe(true);
    expect(textsOf(checkpoint.notes).join(" ")).toContain("transformers would leave them out");
  });

  it.each([
    ["mistral", { model_type: "mistral", architectures: ["MistralForCausalLM"], sliding_window: null }],
    ["qwen2, output and MLP included", { model_type: "qwen2", architectures: ["Qwen2ForCausalLM"] }],
  ])("in a model of the family %s", async (_name, family) => {
    const checkpoint = await agrees("llama-biases", withConfig({ ...silent, ...family }));
    expect(notUsed(checkpoint)).toEqual({});
  });

  it("in a phi3 model, whose matrices are put together", async () => {
    const checkpoint = await agrees("llama-biases", ({ config, tensors }) => ({
      config: {
        ...{ ...config, ...silent, model_type: "phi3", architectures: ["Phi3ForCausalLM"] },
        ...{ pad_token_id: 0 },
      },
      tensors: fused(tensors),
    }));
    expect(notUsed(checkpoint)).toEqual({});
  });

  it("with zeros where a block has only some, and the announced ones that are all missing are refused", async () => {
    const { config, tensors } = await readParts(join(GOLDEN, "llama-biases"));
    const some = (name: string): boolean => /\.(o_proj|k_proj|gate_proj)\.bias$/.test(name);
    const zeros = Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [
        name,
        some(name) ? { ...tensor, data: new Uint8Array(tensor.data?.byteLength ?? 0) } : tensor,
      ]),
    );
    const { tokens } = expectedOf("llama-biases");
    const explicit = await open(await writeParts({ config, tensors: zeros }));
    const missing = await open(
      await writeParts({
        config: { ...config, ...silent },
        tensors: renamed(tensors, (n) => (some(n) ? null : n)),
      }),
    );
    expect(await logitsOf(missing, tokens)).toEqual(await logitsOf(explicit, tokens));
    expect(await missing.readBytes("model.layers.0.self_attn.o_proj.bias")).toEqual(new Uint8Array(64));
    expect(textsOf(missing.notes).join(" ")).toMatch(
      /not for k_proj, o_proj, gate_proj everywhere: zeros stand/,
    );

    const none = await open(
      await writeParts({ config, tensors: renamed(tensors, (n) => (n.endsWith(".bias") ? null : n)) }),
    );
    expect(() => architectureOf(none)).toThrow(/no tensor "model.layers.0.self_attn.q_proj.bias"/);
  });
});

/** Rows of q, k and v below one another, and of gate and up. */
function fused(tensors: Tensors): Tensors {
  const joined: Tensors = {};
  // q before k before v
  const ordered = Object.entries(tensors).sort(
    ([a], [b]) => Number(/k_proj|v_proj/.test(a)) - Number(/k_proj|v_proj/.test(b)),
  );
  for (const [name, tensor] of ordered) {
    const [, stem, slot, kind] = /^(.*\.)([qkv]_proj|gate_proj|up_proj)\.(weight|bias)$/.exec(name) ?? [];
    if (stem === undefined) joined[name] = tensor;
    else {
      const whole = `${stem}${/^[qkv]/.test(slot) ? "qkv_proj" : "gate_up_proj"}.${kind}`;
      const before = joined[whole] as (typeof joined)[string] | undefined;
      joined[whole] = {
        dtype: tensor.dtype,
        shape: [(before?.shape[0] ?? 0) + tensor.shape[0], ...tensor.shape.slice(1)],
        data: Buffer.concat([before?.data ?? new Uint8Array(), tensor.data ?? new Uint8Array()]),
      };
    }
  }
  return joined;
}

describe("tensors that no next token depends on are named and left out", () => {
  const EXTRA = {
    "model.layers.0.self_attn.rotary_emb.inv_freq": "derived",
    "model.layers.1.self_attn.rotary_emb.cos_cached": "derived",
    "model.rotary_emb.sin_cached": "derived",
    "model.layers.0.self_attn.bias": "mask",
    "model.layers.0.self_attn.masked_bias": "mask",
    "model.layers.0.self_attn.k_scale": "cache-scale",
    "model.layers.0.self_attn.v_scale": "cache-scale",
    "model.layers.0.self_attn.q_proj.input_scale": "activation-scale",
    "model.layers.0.mlp.down_proj.output_scale": "activation-scale",
    "model.layers.2.mlp.up_proj.weight": "beyond-layers",
    "mtp.layers.0.mlp.up_proj.weight": "draft",
    "score.weight": "other-head",
    "vision_tower.patch.weight": "other-part",
    "else.weight": "unknown",
  };

  it("each kind by its reason, with the right logits", async () => {
    const more = Object.fromEntries(Object.keys(EXTRA).map((name) => [name, f32([2])]));
    const checkpoint = await agrees("llama-grouped-f16", withTensors(more));
    expect(notUsed(checkpoint)).toEqual(EXTRA);
    for (const name of Object.keys(EXTRA)) expect(checkpoint.tensors.has(name)).toBe(false);
    expect(textsOf(checkpoint.notes).join(" ")).toContain(
      '3 tensors ("model.layers.0.self_attn.rotary_emb.inv_freq" and so on) are not used: a rotary table',
    );
  });

  it.each([
    ["a norm of queries", "model.layers.0.self_attn.q_norm.weight"],
    ["a bias of a norm", "model.layers.1.input_layernorm.bias"],
    ["a bias of the head", "lm_head.bias"],
    ["a scale beside a plain weight", "model.layers.0.mlp.up_proj.weight_scale"],
    ["an adapter that was not merged", "model.layers.0.self_attn.q_proj.lora_A.weight"],
  ])("but %s is refused, by its name", async (_what, name) => {
    const parts = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const checkpoint = await open(await writeParts(withTensors({ [name]: f32([2]) })(parts)));
    expect(() => architectureOf(checkpoint)).toThrow(
      expect.objectContaining({
        code: "architecture/unclaimed-tensor",
        details: expect.objectContaining({ tensor: name }) as object,
      }),
    );
  });
});

describe("names with another prefix are recognised", () => {
  it.each([
    ["none", (name: string) => name.replace(/^model\./, "")],
    ["_orig_mod.", (name: string) => `_orig_mod.${name}`],
    ["_orig_mod. in every layer", (name: string) => name.replace(/^(model\.layers\.\d+\.)/, "$1_orig_mod.")],
    ["module.", (name: string) => `module.${name}`],
    ["base_model.model.", (name: string) => `base_model.model.${name}`],
    ["language_model.", (name: string) => `language_model.${name}`],
    ["model.language_model.", (name: string) => name.replace(/^model\./, "model.language_model.")],
  ])("%s", async (_prefix, rename) => {
    const checkpoint = await agrees("llama-grouped-f16", withNames(rename));
    expect(checkpoint.tensors.get("model.layers.1.mlp.down_proj.weight")).toMatchObject({
      ...{ layer: 1, role: "mlp", linear: true },
    });
    expect(notUsed(checkpoint)).toEqual({});
    expect(textsOf(checkpoint.notes).join(" ")).toMatch(/Tensors have other names/);
  });

  it("and of names that are not, some are said", async () => {
    const parts = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const checkpoint = await open(await writeParts(withNames((name) => name.replaceAll(".", "/"))(parts)));
    expect(() => architectureOf(checkpoint)).toThrow(
      /other names than config.json implies: it holds "lm_head\/weight", "model\//,
    );
  });
});

describe("an index", () => {
  const SHARD = "model-00001-of-00001.safetensors";
  const INDEX = "model.safetensors.index.json";

  /** The model under a shard's name, with an index that `edit` changes. */
  async function sharded(edit: (map: Record<string, string>) => Record<string, string>): Promise<string> {
    const parts = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const extra = withTensors({ "model.layers.0.self_attn.rotary_emb.inv_freq": f32([4]) })(parts);
    const folder = await writeParts(extra);
    await rename(join(folder, "model.safetensors"), join(folder, SHARD));
    const map = Object.fromEntries(Object.keys(extra.tensors).map((name) => [name, SHARD]));
    await writeFile(join(folder, INDEX), JSON.stringify({ metadata: {}, weight_map: edit(map) }));
    return folder;
  }

  it.each([
    [
      "omits a tensor that nothing needs",
      (map: Record<string, string>) =>
        Object.fromEntries(Object.entries(map).filter(([name]) => !name.endsWith("inv_freq"))),
    ],
    ["names one that no file holds", (map: Record<string, string>) => ({ ...map, "mtp.norm.weight": SHARD })],
    [
      "names a shard that is not there, of which nothing is needed",
      (map: Record<string, string>) => ({ ...map, "mtp.norm.weight": "mtp.safetensors" }),
    ],
  ])("that %s does not keep the model from being run", async (_what, edit) => {
    const checkpoint = await open(await sharded(edit));
    const { tokens, logits } = expectedOf("llama-grouped-f16");
    expect(largestDifference(await logitsOf(checkpoint, tokens), logits)).toBeLessThan(TOLERANCE);
  });

  it("that names a shard which is not there is refused where the model needs it", async () => {
    const folder = await sharded((map) => ({ ...map, [HEAD]: "model-00002-of-00002.safetensors" }));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: expect.stringMatching(/missing-shard|index-mismatch/) as string,
    });
  });

  it("of another save beside a whole model.safetensors is passed over, and named", async () => {
    const parts = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const index = JSON.stringify({ weight_map: { [HEAD]: "model-00001-of-00002.safetensors" } });
    const checkpoint = await open(await writeParts(parts, { [INDEX]: index }));
    const { tokens, logits } = expectedOf("llama-grouped-f16");
    expect(largestDifference(await logitsOf(checkpoint, tokens), logits)).toBeLessThan(TOLERANCE);
    expect(textsOf(checkpoint.notes).join(" ")).toContain(`passed over: ${INDEX}`);
  });

  it("with old shards beside a new model.safetensors: the new file is read, as in transformers", async () => {
    const folder = await sharded((map) => map);
    const parts = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const norm = { "model.norm.weight": storedAs("F16", [32], new Float32Array(32).fill(3)) };
    await writeFile(join(folder, "model.safetensors"), safetensorsBytes({ ...parts.tensors, ...norm }));
    const checkpoint = await open(folder);
    expect((await checkpoint.read("model.norm.weight"))[0]).toBe(3);
    expect(checkpoint.sharded).toBe(false);
  });
});

describe("config.json", () => {
  it("may hold Python's NaN and Infinity, and torch.bfloat16 as its type", async () => {
    const { config, tensors } = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const folder = await writeParts({ config, tensors });
    const text = JSON.stringify({ ...config, torch_dtype: "torch.bfloat16", time_step_limit: [0, "∞"] });
    await writeFile(join(folder, "config.json"), text.replace('"∞"', "Infinity"));
    const checkpoint = await open(folder);
    expect(checkpoint.config).toMatchObject({ torch_dtype: "bfloat16", time_step_limit: [0, Infinity] });
    expect(() => architectureOf(checkpoint)).not.toThrow();
  });

  it("is refused by the field's name where a number that counts is not finite", async () => {
    const { config, tensors } = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const folder = await writeParts({ config: { ...config, rms_norm_eps: "∞" }, tensors });
    await writeFile(
      join(folder, "config.json"),
      JSON.stringify({ ...config, rms_norm_eps: "∞" }).replace('"∞"', "NaN"),
    );
    const checkpoint = await open(folder);
    expect(() => architectureOf(checkpoint)).toThrow(/rms_norm_eps/);
  });

  it("has every field and every file in the inventory, read or with the reason why not", async () => {
    const parts = await readParts(join(GOLDEN, "llama-grouped-f16"));
    const folder = await writeParts(withConfig({ logit_scale: 0.5, use_cache: true })(parts), {
      "tokenizer.json": "{}",
      "pytorch_model.bin": "",
      "setup.py": "",
    });
    await mkdir(join(folder, "runs"));
    const { inventory, notes } = await open(folder);
    const reasonOf = (name: string): string | undefined =>
      inventory.flatMap((entry) =>
        entry.name === name ? ["usedBy" in entry ? entry.usedBy : entry.notUsedBecause.code] : [],
      )[0];
    expect(reasonOf("hidden_size")).toBe("equations");
    expect(reasonOf("use_cache")).toBe("runtime");
    expect(reasonOf("logit_scale")).toBe("not-of-family");
    expect(textsOf(notes).join(" ")).toContain('config.json sets "logit_scale"');
    expect(reasonOf("tokenizer.json")).toBe("tokenizer");
    expect(reasonOf("model.safetensors")).toBe("tensors");
    expect(reasonOf("pytorch_model.bin")).toBe("other-weights");
    expect(reasonOf("setup.py")).toBe("code");
  });
});
