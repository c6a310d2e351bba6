import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import { READABLE_PACKINGS, readPacking } from "#engine/checkpoint/packing/packing.ts";
import { describeIssues } from "#shared/plan.ts";
import { ACTIVATION_NAMES } from "../graph/activationFunctions.ts";
import { readRope, ropeFields, type RopeFields } from "../rope/ropeConfig.ts";
import type { Decoder, Rotary } from "./description.ts";

const size = z.number().int().positive();

export const activationName = z.enum(ACTIVATION_NAMES);

/** Fields of every config. */
export const packedWeights = {
  architectures: z.array(z.string()).nullish(),
  quantization_config: z.unknown().optional(),
};

/** Fields that llama and its relatives share. A family adds its own and its own defaults. */
export const decoderFields = {
  ...packedWeights,
  vocab_size: size.default(32_000),
  hidden_size: size.default(4096),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: activationName.default("silu"),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  ...ropeFields,
};

/**
 * Biases beyond those that every model of the family has: of attention (output included) and of the MLP. In transformers only
 * llama's config announces them; elsewhere they are set where the checkpoint's file has such tensors.
 */
export const ownBiases = {
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
};

/**
 * Checks config.json against a family's schema.
 * @throws KeystoneError architecture/bad-config, naming the fields that are wrong
 */
export function parseConfig<S extends z.ZodType>(schema: S, config: unknown): z.output<S> {
  return orBadConfig(() => schema.parse(config));
}

/** What only the family knows of the outside of its decoder. */
interface FamilyFields {
  readonly family: string;
  readonly className: string;
  readonly contextLength: number;
}

type Common = Pick<
  z.output<z.ZodObject<typeof decoderFields>>,
  "architectures" | "vocab_size" | "hidden_size" | "tie_word_embeddings"
> & {
  readonly quantization_config?: unknown;
};

/**
 * Everything but the layers and the final norm of a decoder whose tensors have the usual names.
 * @throws KeystoneError architecture/quantized
 */
export function commonParts(
  config: Common,
  { family, className, contextLength }: FamilyFields,
): Omit<Decoder, "layers" | "norm"> {
  refusePacked(config);
  return {
    ...{ name: config.architectures?.[0] ?? className, family, contextLength },
    hiddenSize: config.hidden_size,
    vocabulary: config.vocab_size,
    layersPath: "model.layers",
    embedding: { tensor: "model.embed_tokens.weight", scale: 1, positions: null },
    head: { tensor: "lm_head.weight", tied: config.tie_word_embeddings, bias: null, scale: 1, softcap: null },
    unannouncedBiases: false,
  };
}

/** @throws KeystoneError architecture/quantized */
export function refusePacked({
  quantization_config: packing,
}: {
  readonly quantization_config?: unknown;
}): void {
  if (packing !== undefined && packing !== null) throw alreadyQuantized(packing);
}

export interface HeadSizes {
  readonly hiddenSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
}

/** Sizes of attention. @throws KeystoneError architecture/bad-config where they do not go into one another */
export function headSizesOf(
  config: {
    readonly hidden_size: number;
    readonly num_attention_heads: number;
    readonly head_dim?: number | null | undefined;
  },
  keyValueHeads: number,
): HeadSizes {
  const { hidden_size: hiddenSize, num_attention_heads: heads } = config;
  const headSize = config.head_dim ?? hiddenSize / heads;
  requireConfig(
    Number.isInteger(headSize),
    `hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${heads}`,
  );
  requireConfig(
    heads % keyValueHeads === 0,
    `num_attention_heads ${heads} is not a multiple of num_key_value_heads ${keyValueHeads}`,
  );
  return { hiddenSize, heads, keyValueHeads, headSize };
}

/**
 * The rotary embedding of a config.
 * @param partial share of each head's channels that are turned, in families that have one
 * @throws KeystoneError architecture/bad-config, architecture/unknown-rope
 */
export function rotaryFrom(
  config: RopeFields,
  {
    headSize,
    contextLength,
    partial,
  }: { readonly headSize: number; readonly contextLength: number; readonly partial?: number },
): Rotary {
  requireConfig(
    headSize % 2 === 0,
    `the head size ${headSize} is odd, and rotary embeddings turn pairs of channels`,
  );
  const size = Math.trunc(headSize * (partial ?? 1));
  requireConfig(
    size % 2 === 0 && size > 0 && size <= headSize,
    `partial_rotary_factor ${partial} turns ${size} of ${headSize} channels, and rotary embeddings turn pairs`,
  );
  const settings = orBadConfig(() =>
    readRope(config, contextLength, { size, partial: partial !== undefined }),
  );
  return { settings, size, pairs: "halves" };
}

function orBadConfig<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw badConfig(describeIssues(error.issues));
  }
}

/** @throws KeystoneError architecture/bad-config */
export function requireConfig(holds: boolean, what: string): void {
  if (!holds) throw badConfig(what);
}

function badConfig(what: string): KeystoneError {
  return new KeystoneError(
    "architecture/bad-config",
    `config.json does not describe a model that can be computed: ${what}.`,
    "Compare it with the config.json of the checkpoint's source and correct the field.",
    { problem: what },
  );
}

/** Packed weights that Keystone reads were unpacked when the checkpoint was opened; what is left it does not read. */
function alreadyQuantized(packing: unknown): KeystoneError {
  const read = readPacking({ quantization_config: packing });
  const refused = read && "refused" in read ? read.refused : "already quantized";
  return new KeystoneError(
    "architecture/quantized",
    `This checkpoint's weights are ${refused}, which Keystone does not read; it reads ${READABLE_PACKINGS}.`,
    "Choose the original checkpoint in F32, F16 or BF16.",
    { field: "quantization_config" },
  );
}
