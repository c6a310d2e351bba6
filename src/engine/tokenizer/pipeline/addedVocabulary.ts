import { z } from "zod";

export const addedTokenSchema = z.object({
  /** What the file says; the library gives an id of its own where the vocabulary or the order says otherwise. */
  id: z.number().int().nonnegative(),
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
});

/** A token that is found in texts before the model cuts the rest. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** The tokens of the model alone. */
export interface Vocabulary {
  idOf(token: string): number | undefined;
  readonly size: number;
}

/**
 * Adds tokens to those there are, as the Rust library does: a token of the vocabulary keeps its id and is now found in texts, one
 * that was added already gets the new flags, any other takes the next free id, whatever the file calls it.
 */
export function addTokens(
  vocabulary: Vocabulary,
  there: readonly AddedToken[],
  more: readonly Omit<AddedToken, "id">[],
): AddedToken[] {
  const byText = new Map(there.map((token) => [token.content, token]));
  const largest = Math.max(-1, ...there.map(({ id }) => id));
  let next = largest >= vocabulary.size || vocabulary.size === 0 ? largest + 1 : vocabulary.size;
  for (const token of more) {
    if (token.content === "") continue;
    const id = byText.get(token.content)?.id ?? vocabulary.idOf(token.content) ?? next++;
    byText.set(token.content, { ...token, id });
  }
  return [...byText.values()];
}

/** The added tokens of a tokenizer.json with their ids. @throws ZodError */
export function readAddedTokens(vocabulary: Vocabulary, tokens: unknown): AddedToken[] {
  const parsed = z.array(addedTokenSchema).nullish().parse(tokens) ?? [];
  return addTokens(
    vocabulary,
    [],
    parsed.map((token) => ({ ...token, normalized: token.normalized ?? !token.special })),
  );
}

const modelSchema = z.looseObject({
  vocab: z.union([
    z.record(z.string(), z.number()),
    z.array(z.tuple([z.string(), z.number()])).transform((pieces) => pieces.map(([text]) => text)),
  ]),
});

/** The vocabulary of a `model` of tokenizer.json. @throws ZodError */
export function vocabularyOf(model: unknown): Vocabulary {
  const { vocab } = modelSchema.parse(model);
  const ids = new Map(
    Array.isArray(vocab) ? vocab.map((text, id): [string, number] => [text, id]) : Object.entries(vocab),
  );
  return { idOf: (token) => ids.get(token), size: ids.size };
}
