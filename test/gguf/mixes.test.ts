import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { describeDecoder } from "#engine/architecture/readArchitecture.ts";
import { layerOf, roleOf } from "#engine/checkpoint/tensorRole.ts";
import { ggmlTypeFor } from "#engine/formats/gguf/write/storedTypes.ts";
import { planTensors } from "#engine/recipe/planTensors.ts";
import type { TensorInfo } from "#shared/model.ts";
import { parseRecipe } from "#shared/plan.ts";

/** Written by scripts/golden/gguf_mixes.py with llama.cpp's own quantizer. */
interface Model {
  readonly arch: string;
  readonly layers: number;
  readonly heads: number;
  readonly kv: number;
  readonly width: number;
  readonly ffn: number;
  readonly tied: boolean;
  readonly parts: readonly string[];
  /** By mix: types by GGUF's names; of layers' tensors one for each layer. */
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../golden/gguf/mixes.json", import.meta.url), "utf8"),
) as Record<string, Model>;

const NAMES: Readonly<Record<string, string>> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output.weight": "lm_head.weight",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_qkv: "self_attn.qkv_proj",
  attn_output: "self_attn.o_proj",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

const tensorOf = (name: string, columns: number): TensorInfo => ({
  ...{ name, shape: [32, columns], dtype: "F16", parameters: 32 * columns, bytes: 64 * columns },
  ...{ file: "model.safetensors", begin: 0, end: 64 * columns },
  ...{ role: roleOf(name), layer: layerOf(name), linear: layerOf(name) !== null },
});

/** What llama.cpp makes of a model's tensors, by our names. */
function expectedOf(model: Model, mix: string): Map<string, string> {
  const types = Object.entries(model.types[mix]).flatMap(([part, found]) =>
    part.endsWith(".weight")
      ? [[nameOf(model, part), found] as const]
      : found
          .split(" ")
          .map(
            (type, layer) => [`${layersPathOf(model)}.${layer}.${nameOf(model, part)}.weight`, type] as const,
          ),
  );
  return new Map(types);
}

const FALCON: Readonly<Record<string, string>> = {
  ...{ "token_embd.weight": "transformer.word_embeddings.weight", "output.weight": "lm_head.weight" },
  ...{ attn_qkv: "self_attention.query_key_value", attn_output: "self_attention.dense" },
  ...{ ffn_up: "mlp.dense_h_to_4h", ffn_down: "mlp.dense_4h_to_h" },
};
/** All experts are one tensor there; here the last one stands for them. */
const EXPERTS: Readonly<Record<string, string>> = {
  ffn_gate_exps: "block_sparse_moe.experts.7.w1",
  ffn_up_exps: "block_sparse_moe.experts.7.w3",
  ffn_down_exps: "block_sparse_moe.experts.7.w2",
};

function nameOf({ arch }: Model, part: string): string {
  if (arch === "falcon") return FALCON[part];
  return arch === "phi3" && part === "ffn_up" ? "mlp.gate_up_proj" : (EXPERTS[part] ?? NAMES[part]);
}

const isDown = (name: string): boolean => /down_proj|4h_to_h|w2/.test(name);

const layersPathOf = ({ arch }: Model): string => (arch === "falcon" ? "transformer.h" : "model.layers");

const decoderOf = ({ arch, layers, heads, kv, width, ffn, tied, parts }: Model) =>
  describeDecoder({
    ...(parts.some((part) => part in EXPERTS) ? { num_local_experts: 8, num_experts_per_tok: 2 } : {}),
    model_type: parts.some((part) => part in EXPERTS) ? "mixtral" : arch,
    ...{ num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: kv },
    ...{ hidden_size: width, intermediate_size: ffn, tie_word_embeddings: tied, vocab_size: 32 },
    ...{ rms_norm_eps: 1e-5, max_position_embeddings: 128 },
  });

for (const [name, model] of Object.entries(golden))
  for (const mix of Object.keys(model.types))
    it(`${mix} gives every tensor llama.cpp's own type: ${name}`, () => {
      const expected = expectedOf(model, mix);
      const tensors = [...expected.keys()].map((tensor) =>
        tensorOf(tensor, isDown(tensor) ? model.ffn : model.width),
      );
      const { tensors: plans } = planTensors(parseRecipe({ scheme: mix.toLowerCase() }), tensors, {
        superWeights: [],
        decoder: () => decoderOf(model),
        downProjection: (layer) => `model.layers.${layer}.mlp.down_proj.weight`,
      });
      const types = new Map([...plans].map(([tensor, plan]) => [tensor, ggmlTypeFor(plan)]));
      expect(types).toEqual(expected);
    });

it("a pattern of the recipe goes before the mix, and rows that 256 does not divide are said", () => {
  const model = golden["tied30"];
  const names = [...expectedOf(model, "Q4_K_M").keys()].filter(
    (name) => !/layers\.([2-9]|\d\d)\./.test(name),
  );
  const { tensors, notes } = planTensors(
    parseRecipe({
      scheme: "q4_k_m",
      overrides: [{ match: "*.v_proj.weight", scheme: "q8_0", bits: 8, granularity: "group:32" }],
    }),
    names.map((name) => tensorOf(name, isDown(name) ? model.ffn : model.width)),
    { superWeights: [], decoder: () => decoderOf(model), downProjection: () => "" },
  );
  expect(tensors.get("model.layers.0.self_attn.v_proj.weight")?.scheme).toBe("q8_0");
  expect(tensors.get("model.layers.0.self_attn.q_proj.weight")?.scheme).toBe("q5_0");
  expect(notes).toContainEqual({
    code: "scheme/fallback",
    text: '10 tensors (first "model.layers.0.self_attn.q_proj.weight"): 256 does not divide the rows, so they are stored as q5_0 and not as q4_k, as llama.cpp does.',
  });
});
