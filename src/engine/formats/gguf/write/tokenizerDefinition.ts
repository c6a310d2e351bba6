import { z } from "zod";
import {
  addedTokenSchema,
  readAddedTokens,
  vocabularyOf,
  type AddedToken,
} from "#engine/tokenizer/pipeline/addedVocabulary.ts";
import { pairOf } from "#engine/tokenizer/pipeline/bytePairs.ts";
import { KeystoneError } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";

const id = z.number().int().nonnegative();
const part = z.looseObject({}).nullish();

/** What of a tokenizer.json a GGUF file is made of. */
const merge = z.union([
  z.tuple([z.string(), z.string()]),
  z.string().refine((text) => text.includes(" ", 1), "is no merge of two tokens"),
]);

const definition = z
  .looseObject({
    model: z.looseObject({
      type: z.literal("BPE"),
      vocab: z.record(z.string(), id),
      merges: z.array(merge).transform((merges) => merges.map(pairOf)),
      byte_fallback: z.boolean().nullish(),
      unk_token: z.string().nullish(),
    }),
    added_tokens: z.array(addedTokenSchema).nullish(),
    normalizer: part,
    pre_tokenizer: part,
  })
  .transform((parsed) => ({
    ...parsed,
    /** With the ids that the tokenizers library gives them. */
    added_tokens: readAddedTokens(vocabularyOf(parsed.model), parsed.added_tokens),
  }));

export type TokenizerDefinition = z.output<typeof definition>;
export type { AddedToken };

/** @throws KeystoneError export/gguf-tokenizer where it is not byte-level or SentencePiece-style BPE */
export function readTokenizerDefinition(content: unknown): TokenizerDefinition {
  const parsed = definition.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new KeystoneError(
    "export/gguf-tokenizer",
    `tokenizer.json cannot be put into a GGUF file: ${describeIssues(parsed.error.issues)}.`,
    "GGUF export holds BPE tokenizers, byte-level or with byte fallback; export as safetensors instead.",
    {},
  );
}
