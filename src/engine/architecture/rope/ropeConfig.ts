import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import { longropeAttentionFactor, yarnAttentionFactor, type RopeSettings } from "./rope.ts";

const positive = z.number().positive();
const optional = positive.nullish().transform((value) => value ?? undefined);

/** What every spelling has in common. `type` is the older name of `rope_type`. */
const named = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: optional,
  partial_rotary_factor: optional,
});

const factorOnly = z.looseObject({ factor: positive });
const llama3 = z.looseObject({
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: optional,
});
const yarn = z.looseObject({
  factor: optional,
  original_max_position_embeddings: optional,
  attention_factor: z.number().nonnegative().nullish(),
  beta_fast: optional,
  beta_slow: optional,
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
});

const factors = z.array(positive);
const longrope = z.looseObject({
  short_factor: factors,
  long_factor: factors,
  factor: optional,
  original_max_position_embeddings: optional,
  attention_factor: z.number().positive().nullish(),
});

/** The config fields that decide the rotary embedding, in both spellings: `rope_theta` + `rope_scaling`, or `rope_parameters`. */
export const ropeFields = {
  rope_theta: optional,
  partial_rotary_factor: optional,
  rope_scaling: named.nullish(),
  rope_parameters: named.nullish(),
  original_max_position_embeddings: z.number().int().positive().nullish(),
};

export type RopeFields = z.infer<z.ZodObject<typeof ropeFields>>;

const byKind = z.looseObject({ full_attention: named.nullish(), sliding_attention: named.nullish() });

/** The same of families whose layers with windows turn otherwise: `rope_parameters` may hold one of each kind of layer. */
export const ropesByKind = { ...ropeFields, rope_parameters: z.union([byKind, named]).nullish() };

/**
 * The fields of one kind of layer. Scaling in the older spelling is of the layers without windows alone.
 * @param theta of layers of this kind where nothing states one
 */
export function ropeOfKind(
  config: z.infer<z.ZodObject<typeof ropesByKind>>,
  kind: "full_attention" | "sliding_attention",
  theta: number,
): RopeFields {
  const given = byKind.safeParse(config.rope_parameters).data;
  const own = given?.full_attention || given?.sliding_attention ? given[kind] : config.rope_parameters;
  const scaling = kind === "full_attention" ? config.rope_scaling : null;
  const isFlat = own === config.rope_parameters;
  return {
    ...config,
    rope_theta: theta,
    rope_scaling: scaling,
    rope_parameters: isFlat && kind === "sliding_attention" ? null : named.nullish().parse(own),
  };
}

/** Rope types that `readRope` accepts. */
export const ROPE_TYPES = [
  "default",
  "linear",
  "dynamic",
  "llama3",
  "yarn",
  "longrope",
  "proportional",
] as const;
const DEFAULT_THETA = 10_000;

/**
 * The rotary settings of a config, with the defaults of Hugging Face transformers: `rope_scaling` goes before
 * `rope_parameters`, and what it holds goes before the config's own `rope_theta`.
 * @param rotary channels of a head that are turned, and whether the family may turn a part of them
 * @throws KeystoneError architecture/unknown-rope; a ZodError for a field of the wrong kind
 */
export function readRope(
  config: RopeFields,
  contextLength: number,
  rotary: { readonly size: number; readonly partial: boolean },
): RopeSettings {
  const given =
    [config.rope_scaling, config.rope_parameters].find((it) => it && Object.keys(it).length > 0) ?? {};
  const parameters = named.parse(given);
  const type = parameters.rope_type ?? parameters.type ?? "default";
  const theta = parameters.rope_theta ?? config.rope_theta ?? DEFAULT_THETA;
  const partial = parameters.partial_rotary_factor ?? config.partial_rotary_factor ?? 1;
  if (partial !== 1 && !rotary.partial && type !== "proportional") {
    throw unknownRope(`rotates only part of each head (partial_rotary_factor ${partial})`, {
      partialRotaryFactor: partial,
    });
  }
  switch (type) {
    case "default":
      return { kind: "default", theta };
    case "linear":
      return { kind: "linear", theta, factor: factorOnly.parse(parameters).factor };
    case "proportional":
      return { kind: "proportional", theta, share: partial, factor: Number(parameters["factor"] ?? 1) };
    case "dynamic":
      return { kind: "dynamic", theta, factor: factorOnly.parse(parameters).factor, contextLength };
    case "llama3":
      return readLlama3(
        theta,
        parameters,
        config.original_max_position_embeddings ?? undefined,
        contextLength,
      );
    case "yarn":
      return readYarn(theta, parameters, config.original_max_position_embeddings ?? undefined, contextLength);
    // the first models' names for it
    case "su":
    case "longrope":
      return readLongrope(
        theta,
        parameters,
        config.original_max_position_embeddings ?? undefined,
        contextLength,
        rotary.size,
      );
    default:
      throw unknownRope(`uses the rope type "${type}"`, { ropeType: type });
  }
}

function readLlama3(
  theta: number,
  parameters: unknown,
  outer: number | undefined,
  contextLength: number,
): RopeSettings {
  const it = llama3.parse(parameters);
  return {
    kind: "llama3",
    theta,
    factor: it.factor,
    lowFrequencyFactor: it.low_freq_factor,
    highFrequencyFactor: it.high_freq_factor,
    originalContext: outer ?? it.original_max_position_embeddings ?? contextLength,
  };
}

function readYarn(
  theta: number,
  parameters: unknown,
  outer: number | undefined,
  contextLength: number,
): RopeSettings {
  const it = yarn.parse(parameters);
  const originalContext = outer ?? it.original_max_position_embeddings ?? contextLength;
  const factor = it.factor ?? contextLength / originalContext;
  return {
    kind: "yarn",
    theta,
    factor,
    attentionFactor:
      it.attention_factor ??
      yarnAttentionFactor(factor, it.mscale ?? undefined, it.mscale_all_dim ?? undefined),
    betaFast: it.beta_fast ?? 32,
    betaSlow: it.beta_slow ?? 1,
    truncate: it.truncate ?? true,
    originalContext,
  };
}

function readLongrope(
  theta: number,
  parameters: unknown,
  outer: number | undefined,
  contextLength: number,
  size: number,
): RopeSettings {
  const it = longrope.parse(parameters);
  for (const [name, list] of [
    ["short_factor", it.short_factor],
    ["long_factor", it.long_factor],
  ] as const) {
    if (list.length === size / 2) continue;
    throw unknownRope(`gives ${list.length} numbers in ${name} for ${size / 2} pairs of channels`, {
      field: name,
    });
  }
  const originalContext = outer ?? it.original_max_position_embeddings ?? contextLength;
  const factor = it.factor ?? contextLength / originalContext;
  return {
    kind: "longrope",
    theta,
    shortFactors: it.short_factor,
    longFactors: it.long_factor,
    originalContext,
    attentionFactor: it.attention_factor ?? longropeAttentionFactor(factor, originalContext),
  };
}

function unknownRope(what: string, details: Record<string, string | number>): KeystoneError {
  return new KeystoneError(
    "architecture/unknown-rope",
    `config.json ${what}, which Keystone cannot compute; it knows ${ROPE_TYPES.join(", ")}, over whole heads, and over parts of them in families that have that.`,
    "The checkpoint can be inspected, but not run; choose a checkpoint with one of these.",
    details,
  );
}

/** The rotary settings in a few words, for the overview: `rope, θ 500,000, llama3 × 8`. */
export function describeRope(rope: RopeSettings): string {
  const theta = `rope, θ ${rope.theta.toLocaleString("en-US")}`;
  if (rope.kind === "default") return theta;
  return rope.kind === "longrope" ? `${theta}, longrope` : `${theta}, ${rope.kind} × ${rope.factor}`;
}
