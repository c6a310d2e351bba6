import { SCHEMES, type SchemeName } from "#shared/schemes/index.ts";
import type { Decoder, Layer, Linear } from "#engine/architecture/description/description.ts";
import type { TensorInfo } from "#shared/model.ts";

/** What a tensor is to llama.cpp's mixes; `v` is also the one matrix of queries, keys and values. */
type Part = "v" | "k" | "attention output" | "down" | "other";

/** Where a tensor stands among those of its part. */
interface Place {
  readonly part: Part;
  readonly index: number;
  readonly count: number;
}

/** What of a model llama.cpp's rules ask for. */
interface Facts {
  readonly many: boolean;
  readonly eightExperts: boolean;
  readonly falcon: boolean;
}

/** Rows of the output matrix that 256 does not divide. */
const EIGHT_BITS = "q8_0";
/** llama.cpp's models of 70 billion weights, whose values are few: it knows them by their layers. */
const LAYERS_OF_70B = 80;
const FAMILIES_OF_70B = ["llama", "qwen2"];
/** Mixtral's number of experts, for which llama.cpp has rules. */
const EIGHT_EXPERTS = 8;

/**
 * Which scheme a mix gives a tensor: llama.cpp's own choice by part and layer (llama_tensor_get_type), before rows that its blocks
 * do not divide. Schemes that are no mix are given back, whatever the model.
 * @param decoder asked for the first time that a mix is met
 * @throws KeystoneError architecture/unknown where a mix meets a model whose equations are not known
 */
export function mixOf(decoder: () => Decoder): (scheme: SchemeName, tensor: TensorInfo) => SchemeName {
  let rules: ReturnType<typeof rulesOf> | undefined;
  return (scheme, tensor) => {
    const { mix } = SCHEMES[scheme];
    if (mix === undefined) return scheme;
    rules ??= rulesOf(decoder());
    return rules(scheme, mix, tensor);
  };
}

function rulesOf(decoder: Decoder): (scheme: SchemeName, base: SchemeName, tensor: TensorInfo) => SchemeName {
  const parts = partsOf(decoder);
  const { tied, tensor: head } = decoder.head;
  const output = tied ? decoder.embedding.tensor : head;
  const experts = decoder.layers.find(({ mlp }) => mlp.body.experts)?.mlp.body.experts?.count ?? 0;
  const falcon = decoder.family === "falcon";
  // values are counted where there are any: some layers take their keys
  const valued = [...decoder.layers.keys()].filter((layer) => valuesIn(decoder.layers[layer]) !== null);
  const facts = { many: isOf70B(decoder), eightExperts: experts === EIGHT_EXPERTS, falcon };
  return (scheme, base, { name, layer, shape }) => {
    if (name === output) return (shape[1] ?? 0) % 256 === 0 && !falcon ? "q6_k" : EIGHT_BITS;
    const part = layer === null ? "other" : parts(layer, name);
    const place =
      part === "v"
        ? { part, index: valued.indexOf(layer ?? 0), count: valued.length }
        : { part, index: layer ?? 0, count: decoder.layers.length };
    return typeOf(scheme, base, place, facts);
  };
}

function typeOf(
  scheme: SchemeName,
  base: SchemeName,
  { part, index, count }: Place,
  { many, eightExperts, falcon }: Facts,
): SchemeName {
  switch (part) {
    case "v": {
      if (eightExperts) return EIGHT_BITS;
      const type = valuesOf(scheme, base, index, count);
      return many && (type === "q3_k" || type === "q4_k") ? "q5_k" : type;
    }
    case "k":
      return eightExperts ? EIGHT_BITS : base;
    case "attention output":
      if (falcon) return scheme === "q3_k_l" ? "q4_k" : base;
      if (eightExperts) return base === "q5_k" || scheme === "q3_k_l" ? base : "q5_k";
      return scheme === "q3_k_m" ? "q4_k" : scheme === "q3_k_l" ? "q5_k" : base;
    case "down":
      return falcon ? falconDownOf(scheme, base, index, count) : downOf(scheme, base, index, count);
    default:
      return base;
  }
}

function valuesOf(scheme: SchemeName, base: SchemeName, index: number, count: number): SchemeName {
  switch (scheme) {
    case "q3_k_m":
      return index < 2 ? "q5_k" : "q4_k";
    case "q3_k_l":
      return "q5_k";
    case "q4_k_s":
      return index < 4 ? "q5_k" : base;
    case "q4_k_m":
    case "q5_k_m":
      return getsMore(index, count) ? "q6_k" : base;
    default:
      return base;
  }
}

function downOf(scheme: SchemeName, base: SchemeName, index: number, count: number): SchemeName {
  switch (scheme) {
    case "q3_k_m":
      return index < Math.floor(count / 16) ? "q5_k" : "q4_k";
    case "q3_k_l":
      return "q5_k";
    case "q4_k_s":
      return index < Math.floor(count / 8) ? "q5_k" : base;
    case "q4_k_m":
    case "q5_k_m":
      return getsMore(index, count) ? "q6_k" : base;
    default:
      return base;
  }
}

function falconDownOf(scheme: SchemeName, base: SchemeName, index: number, count: number): SchemeName {
  const first = index < Math.floor(count / 16);
  switch (scheme) {
    case "q3_k_m":
      return first ? "q5_k" : getsMore(index, count) ? "q4_k" : base;
    case "q3_k_l":
      return "q4_k";
    case "q4_k_m":
      return first ? "q6_k" : getsMore(index, count) ? "q5_k" : base;
    case "q5_k_m":
      return getsMore(index, count) ? "q6_k" : base;
    default:
      return base;
  }
}

/** The first and last eighth of the layers, and every third in between. */
function getsMore(index: number, count: number): boolean {
  const eighth = Math.floor(count / 8);
  return index < eighth || index >= Math.floor((7 * count) / 8) || (index - eighth) % 3 === 2;
}

function isOf70B({ family, layers }: Decoder): boolean {
  const { heads, keyValueHeads } = layers[0].attention.body;
  return (
    layers.length === LAYERS_OF_70B &&
    FAMILIES_OF_70B.includes(family) &&
    (family !== "llama" || heads !== keyValueHeads)
  );
}

/** The matrix of a layer's values, or of all three; null where the keys are the values. */
function valuesIn({ attention: { body } }: Layer): Linear | null {
  const { projections } = body;
  return projections.kind === "apart" ? projections.v : projections.qkv;
}

/** What a layer's tensor is, by the paths of the layer's matrices. */
function partsOf({ layers, layersPath }: Decoder): (layer: number, name: string) => Part {
  return (layer, name) => {
    const found = layers[layer];
    const path = name.slice(`${layersPath}.${layer}.`.length).replace(/\.weight$/, "");
    const { projections, output } = found.attention.body;
    if (path === valuesIn(found)?.path) return "v";
    if (projections.kind === "apart" && path === projections.k.path) return "k";
    if (path === output.path) return "attention output";
    // of an expert, whose number stands for the asterisk
    return path.replace(/\.\d+\./, ".*.") === found.mlp.body.down.path || path === found.mlp.body.down.path
      ? "down"
      : "other";
  };
}
