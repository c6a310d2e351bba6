import { layerNames, tensorOf, type Disturbance, type Draft, type DraftTensor } from "./draft.ts";

const HEAD = "lm_head.weight";
const EMBEDDING = "model.embed_tokens.weight";

/** Tensors that are there too many, too few, or not as the config announces them. */
export const CONTENTS: readonly Disturbance[] = [
  { name: "tied, a copy of the embedding stored as head", apply: (draft) => storeHead(draft, (it) => it) },
  {
    name: "tied, another head stored",
    apply: (draft, random) =>
      storeHead(draft, ({ shape, values }) => {
        const other = tensorOf(draft.storage, shape, random.normals(values.length, 0.2));
        // transformers 5 ties nothing where both are stored and differ, and says so
        draft.meaning.tensors.set(HEAD, other);
        return other;
      }),
  },
  {
    name: "tied, the matrix stored under the head's name alone",
    apply: (draft) => storeHead(draft, (it) => it) && draft.tensors.delete(EMBEDDING),
  },
  {
    name: "a head stored, tying not mentioned",
    apply: (draft) => {
      if (draft.config["tie_word_embeddings"] !== false) return false;
      delete draft.config["tie_word_embeddings"];
      return true;
    },
  },
  {
    name: "biases of q, k and v that the config does not announce",
    apply: (draft, random) =>
      addBiases(draft, random, ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
  },
  {
    name: "biases of v and o that the config does not announce",
    apply: (draft, random) => addBiases(draft, random, ["self_attn.v_proj", "self_attn.o_proj"]),
  },
  {
    name: "biases of the MLP that the config does not announce",
    apply: (draft, random) => addBiases(draft, random, ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]),
  },
  {
    name: "a bias of one layer alone",
    apply: (draft, random) => addBiases(draft, random, ["mlp.down_proj"], 1),
  },
  {
    name: "biases announced and not stored",
    apply: (draft) => {
      if (draft.config["attention_bias"] !== false) return false;
      draft.config["attention_bias"] = true;
      draft.broken = true;
      return true;
    },
  },
  {
    name: "more layers stored than configured",
    apply: (draft) => {
      const next = draft.meaning.layers;
      if (draft.config["num_hidden_layers"] !== next) return false;
      const added = layerNames(draft).filter((name) => name.startsWith("model.layers.0."));
      for (const name of added)
        draft.tensors.set(name.replace("layers.0.", `layers.${next}.`), found(draft, name));
      return added.length > 0;
    },
  },
  {
    name: "fewer layers stored than configured",
    apply: (draft) => {
      const { layers } = draft.meaning;
      if ([...draft.tensors.keys()].some((name) => name.startsWith(`model.layers.${layers}.`))) return false;
      draft.config["num_hidden_layers"] = layers + 1;
      draft.broken = true;
      return true;
    },
  },
  {
    name: "a tensor is missing",
    apply: (draft, random) => {
      draft.tensors.delete(random.pick([EMBEDDING, "model.norm.weight", ...weights(draft)]));
      draft.broken = true;
      return true;
    },
  },
  {
    name: "a matrix is transposed",
    apply: (draft, random) => {
      const name = random.pick(weights(draft).filter((it) => oblong(found(draft, it))));
      if (name === undefined) return false;
      const tensor = found(draft, name);
      draft.tensors.set(name, { ...tensor, shape: tensor.shape.toReversed() });
      draft.broken = true;
      return true;
    },
  },
  {
    name: "a weight is not a number",
    apply: (draft, random) => {
      const name = random.pick(weights(draft));
      const { shape, values } = found(draft, name);
      const broken = values.slice();
      broken[random.below(broken.length)] = random.pick([NaN, Infinity]);
      draft.tensors.set(name, tensorOf(draft.storage, shape, broken));
      draft.broken = true;
      return true;
    },
  },
  {
    name: "the vocabulary is not the embedding's",
    apply: (draft) => {
      draft.config["vocab_size"] = Number(draft.config["vocab_size"]) + 7;
      draft.broken = true;
      return true;
    },
  },
  {
    name: "norms in F32 beside halves",
    apply: (draft) => {
      if (draft.storage === "F32") return false;
      for (const name of [...draft.tensors.keys()].filter((it) => it.includes("norm"))) {
        const { shape, values } = found(draft, name);
        draft.tensors.set(name, tensorOf("F32", shape, values));
      }
      return true;
    },
  },
  extra("inverse frequencies in every layer", (draft) =>
    layersOf(draft).map((layer) => [`model.layers.${layer}.self_attn.rotary_emb.inv_freq`, [4]]),
  ),
  extra("inverse frequencies of the model", () => [["model.rotary_emb.inv_freq", [4]]]),
  extra("cos and sin tables", (draft) =>
    layersOf(draft).flatMap((layer) =>
      ["cos", "sin"].map((which): Extra => [
        `model.layers.${layer}.self_attn.rotary_emb.${which}_cached`,
        [1, 1, 8, 4],
      ]),
    ),
  ),
  extra("masks", (draft) =>
    layersOf(draft).map((layer) => [`model.layers.${layer}.self_attn.masked_bias`, []]),
  ),
  extra("scales of the cache", (draft) =>
    layersOf(draft).flatMap((layer) =>
      ["k", "v"].map((which): Extra => [`model.layers.${layer}.self_attn.${which}_scale`, [1]]),
    ),
  ),
  extra("scales of inputs", (draft) =>
    layersOf(draft).map((layer) => [`model.layers.${layer}.mlp.down_proj.input_scale`, [1]]),
  ),
  extra("a tensor of no known use", () => [["model.extra_adapter.weight", [4, 4]]]),
];

type Extra = readonly [name: string, shape: readonly number[]];

function extra(name: string, extras: (draft: Draft) => readonly Extra[]): Disturbance {
  return {
    name: `extra tensors: ${name}`,
    apply: (draft, random) => {
      for (const [tensor, shape] of extras(draft)) {
        const count = shape.reduce((product, size) => product * size, 1);
        draft.tensors.set(tensor, tensorOf("F32", shape, random.normals(count, 1)));
      }
      return true;
    },
  };
}

/** Only where the head is the embedding. */
function storeHead(draft: Draft, head: (embedding: DraftTensor) => DraftTensor): boolean {
  const embedding = draft.tensors.get(EMBEDDING);
  if (draft.config["tie_word_embeddings"] !== true || draft.tensors.has(HEAD) || !embedding) return false;
  draft.tensors.set(HEAD, head(embedding));
  return true;
}

/** Only where there are none. They belong to what the checkpoint means: its weights were trained with them. */
function addBiases(
  draft: Draft,
  random: { normals(count: number, deviation: number): Float32Array },
  parts: readonly string[],
  layers = Infinity,
): boolean {
  const names = layersOf(draft)
    .slice(0, layers)
    .flatMap((layer) => parts.map((part) => `model.layers.${layer}.${part}`));
  if (names.some((name) => draft.tensors.has(`${name}.bias`) || !draft.tensors.has(`${name}.weight`)))
    return false;
  for (const name of names) {
    const [out] = found(draft, `${name}.weight`).shape;
    const bias = tensorOf(draft.storage, [out], random.normals(out, 0.3));
    draft.tensors.set(`${name}.bias`, bias);
    draft.meaning.tensors.set(`${name}.bias`, bias);
  }
  return true;
}

function layersOf(draft: Draft): number[] {
  return Array.from({ length: draft.meaning.layers }, (_, layer) => layer);
}

function weights(draft: Draft): string[] {
  return layerNames(draft).filter((name) => name.endsWith("_proj.weight"));
}

function oblong({ shape }: DraftTensor): boolean {
  return shape[0] !== shape[1];
}

function found(draft: Draft, name: string): DraftTensor {
  const tensor = draft.tensors.get(name);
  if (!tensor) throw new Error(`the draft has no tensor ${name}`);
  return tensor;
}
