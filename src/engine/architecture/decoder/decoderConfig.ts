import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import { READABLE_PACKINGS, readPacking } from "#engine/checkpoint/packing/packing.ts";
import { describeIssues } from "#shared/plan.ts";
import { ACTIVATION_NAMES, type ActivationName } from "../graph/activationFunctions.ts";
import { readRope, ropeFields } from "../rope/ropeConfig.ts";
import type { RopeSettings } from "../rope/rope.ts";

const size = z.number().int().positive();

/** Fields that llama and its relatives share. A family adds its own and its own defaults. */
export const decoderFields = {
  architectures: z.array(z.string()).nullish(),
  vocab_size: size.default(32_000),
  hidden_size: size.default(4096),
  num_hidden_layers: size.default(32),
  num_attention_heads: size.default(32),
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.enum(ACTIVATION_NAMES).default("silu"),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  quantization_config: z.unknown().optional(),
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

/** One decoder-only transformer of the llama kind: what its equations depend on, every default filled in. */
export interface DecoderConfig {
  /** Class named by the config. */
  readonly name: string;
  readonly family: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly activation: ActivationName;
  readonly rope: RopeSettings;
  /** Channels of each head that are turned, the first ones; even. */
  readonly rotarySize: number;
  /** Keys that a query sees, itself included; null = all before it. */
  readonly slidingWindow: number | null;
  /** Layers that see everything in spite of the window. */
  readonly fullLayers: ReadonlySet<number>;
  /** One matrix for queries, keys and values, and one for gate and up. */
  readonly fused: boolean;
  /** Biases of queries, keys and values; of attention's output; of the MLP. */
  readonly attentionBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  readonly tiedEmbeddings: boolean;
}

/** What only the family knows. */
interface FamilyFields {
  family: string;
  className: string;
  intermediateSize: number;
  contextLength: number;
  keyValueHeads: number;
  slidingWindow: number | null;
  fullLayers?: ReadonlySet<number>;
  fused?: boolean;
  attentionBias: boolean;
  outputBias: boolean;
  mlpBias: boolean;
  /** Share of each head's channels that are turned. */
  partialRotary?: number;
}

/** Whether a model has biases that its family has in no config of transformers', which therefore leaves them out. */
export function hasUnannouncedBiases(config: DecoderConfig): boolean {
  const { family, attentionBias, outputBias, mlpBias } = config;
  if (family === "llama") return false;
  return outputBias || mlpBias || (attentionBias && family !== "qwen2");
}

/**
 * Checks config.json against a family's schema.
 * @throws KeystoneError architecture/bad-config, naming the fields that are wrong
 */
export function parseConfig<S extends z.ZodType>(schema: S, config: unknown): z.output<S> {
  return orBadConfig(() => schema.parse(config));
}

/**
 * Turns the shared fields into a decoder's settings.
 * @throws KeystoneError architecture/quantized, architecture/bad-config, architecture/unknown-rope
 */
export function decoderConfig(
  config: z.output<z.ZodObject<typeof decoderFields>>,
  own: FamilyFields,
): DecoderConfig {
  if (config.quantization_config !== undefined && config.quantization_config !== null)
    throw alreadyQuantized(config.quantization_config);
  const { className, partialRotary = 1, fullLayers = new Set(), fused = false, ...family } = own;
  const heads = config.num_attention_heads;
  const headSize = config.head_dim ?? config.hidden_size / heads;
  requireConfig(
    Number.isInteger(headSize),
    `hidden_size ${config.hidden_size} is not a multiple of num_attention_heads ${heads}`,
  );
  requireConfig(
    headSize % 2 === 0,
    `the head size ${headSize} is odd, and rotary embeddings turn pairs of channels`,
  );
  const rotarySize = Math.trunc(headSize * partialRotary);
  requireConfig(
    rotarySize % 2 === 0 && rotarySize > 0 && rotarySize <= headSize,
    `partial_rotary_factor ${partialRotary} turns ${rotarySize} of ${headSize} channels, and rotary embeddings turn pairs`,
  );
  requireConfig(
    heads % own.keyValueHeads === 0,
    `num_attention_heads ${heads} is not a multiple of num_key_value_heads ${own.keyValueHeads}`,
  );
  return {
    ...family,
    fullLayers,
    fused,
    rotarySize,
    name: config.architectures?.[0] ?? className,
    layers: config.num_hidden_layers,
    hiddenSize: config.hidden_size,
    heads,
    headSize,
    vocabulary: config.vocab_size,
    normEpsilon: config.rms_norm_eps,
    activation: config.hidden_act,
    rope: orBadConfig(() =>
      readRope(config, own.contextLength, { size: rotarySize, partial: own.partialRotary !== undefined }),
    ),
    tiedEmbeddings: config.tie_word_embeddings,
  };
}

function orBadConfig<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw badConfig(describeIssues(error.issues));
  }
}

function requireConfig(holds: boolean, what: string): void {
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
