import { note } from "./notes.ts";
import { z } from "zod";
import { finiteOrNull } from "./numbers.ts";
import { convention, layerError, scores, tensorError } from "./evaluation.ts";
import { recipe } from "./recipe.ts";

export const generatedText = z.object({
  tokens: z.array(z.object({ id: z.number().int(), text: z.string() })),
  text: z.string(),
});
export type GeneratedText = z.infer<typeof generatedText>;

/** Another checkpoint's matrices beside the original's; `other` = they are not of the same names and shapes. */
export const comparedWeights = z.enum(["exact", "differ", "other"]);
export type ComparedWeights = z.infer<typeof comparedWeights>;

/** One column of the comparison; the original has no recipe, nor has another checkpoint. */
export const comparedVariant = z.object({
  id: z.string().nullable(),
  recipe: recipe.nullable(),
  /** Another checkpoint, as it was opened; `packing` where its weights are packed. Null for the original and its variants. */
  checkpoint: z
    .object({ path: z.string(), packing: z.string().nullable(), weights: comparedWeights })
    .nullable(),
  label: z.string(),
  /** What the person should know of this column, one sentence each. */
  notes: z.array(note).default([]),
  scores,
  /** Over the quantized linears; of another checkpoint, over its packed tensors. Null where there is none. */
  bitsPerWeight: z.number().nullable(),
  fileBitsPerWeight: z.number().nullable(),
  /** Estimated file size in bytes at that average; of another checkpoint, what its tensors take. */
  bytes: z.number(),
  /** Over the quantized weights; of another checkpoint, over the matrices that are not the original's. Null where nothing differs. */
  sqnrDb: finiteOrNull,
  tensors: z.array(tensorError),
  layers: z.array(layerError),
  /** NLL of each token of the passage, in nats, aligned with `passage`. */
  passageNll: z.array(finiteOrNull),
});
export type ComparedVariant = z.infer<typeof comparedVariant>;

const pairedDifference = z.object({
  /** Of the means per token, the first's less the second's; nats. */
  difference: z.number(),
  /** 95%, by a bootstrap over blocks that both were scored on. */
  interval: z.tuple([z.number(), z.number()]),
  /** Whether the interval leaves out 0. */
  significant: z.boolean(),
});

/** Two columns of a comparison, block by block on the same text. Null where the text is too short, or one is the original. */
export const comparedPair = z.object({
  /** Places among the variants. */
  variants: z.tuple([z.number().int(), z.number().int()]),
  nll: pairedDifference.nullable(),
  kl: pairedDifference.nullable(),
});
export type ComparedPair = z.infer<typeof comparedPair>;

export const compareReport = z.object({
  model: z.string(),
  text: z.string(),
  convention,
  passage: z.array(z.object({ id: z.number().int(), text: z.string() })),
  /** The original first, then the recipes, then the other checkpoints. */
  variants: z.array(comparedVariant),
  /** Every two of them; empty in older reports. */
  pairs: z.array(comparedPair).default([]),
  seconds: z.number(),
});
export type CompareReport = z.infer<typeof compareReport>;

const token = z.object({ id: z.number().int(), text: z.string() });

/** Why a text stopped. `not-finite`: the variant's logits are no numbers any more. */
export const textEnd = z.enum(["end-token", "length", "not-finite", "cancelled"]);
export type TextEnd = z.infer<typeof textEnd>;

/** What one variant wrote. */
export const writtenText = z.object({
  label: z.string(),
  /** The recipe's; null of the original. */
  id: z.string().nullable(),
  output: generatedText,
  /** What it read, in a conversation in which each goes on from its own answers. */
  rendered: z.string().optional(),
  /** Null while it is being written. */
  end: textEnd.nullable(),
  /** The token that ended it; not part of the output. */
  endToken: token.nullable(),
  /** Of the tokens behind the first, in the time that this variant alone took; null before there are any. */
  tokensPerSecond: z.number().nullable(),
});
export type WrittenText = z.infer<typeof writtenText>;

/** Told while it is written, whole each time, and at the end. */
/** An earlier turn of a conversation: what was asked, and what the original and each recipe answered, in the order asked. */
export const chatTurn = z.strictObject({
  prompt: z.string().min(1).max(20_000),
  answers: z.array(z.string().max(100_000)).min(1).max(5),
});
export type ChatTurn = z.infer<typeof chatTurn>;

export const generateReport = z.object({
  /** As it was typed. */
  prompt: z.string(),
  /** What the model read: the prompt in the model's chat template, or as it is. */
  rendered: z.string(),
  /** Name of that template; null where none was used. */
  template: z.string().nullable(),
  /** As it was fed, BOS included. */
  promptTokens: z.array(token),
  /** Tokens that end a text. */
  endTokens: z.array(token),
  notes: z.array(note),
  /** The original first, then the recipes in the order asked. */
  outputs: z.array(writtenText),
  seconds: z.number(),
});
export type GenerateReport = z.infer<typeof generateReport>;
