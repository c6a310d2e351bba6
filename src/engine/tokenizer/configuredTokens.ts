import { z } from "zod";
import { addTokens, readAddedTokens, vocabularyOf, type AddedToken } from "./pipeline/addedVocabulary.ts";

/** tokenizer.json and the files beside it that may name further tokens; each empty where absent. */
export interface TokenSources {
  readonly definition: Readonly<Record<string, unknown>>;
  /** tokenizer_config.json, special_tokens_map.json, added_tokens.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly specials: Readonly<Record<string, unknown>>;
  readonly added: Readonly<Record<string, unknown>>;
}

type Token = Omit<AddedToken, "id">;

/** transformers' own names of tokens with a role, in its order. */
const ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((role) => `${role}_token`);

const tokenSchema = z
  .looseObject({
    content: z.string(),
    single_word: z.boolean().default(false),
    lstrip: z.boolean().default(false),
    rstrip: z.boolean().default(false),
    normalized: z.boolean().optional(),
    special: z.boolean().default(false),
  })
  .transform(({ content, single_word, lstrip, rstrip, normalized, special }): Token => ({
    ...{ content, single_word, lstrip, rstrip, special, normalized: normalized ?? !special },
  }));

/**
 * The added tokens of a tokenizer as transformers 5 has them (`PreTrainedTokenizerBase._from_pretrained`, `TokenizersBackend`): those of
 * tokenizer.json, then those that the files beside it name and it lacks or has with other flags. Where tokenizer_config.json has
 * an `added_tokens_decoder`, special_tokens_map.json and added_tokens.json are not read.
 * @throws ZodError where a file names a token that is none
 */
export function configuredTokens({ definition, config, specials, added }: TokenSources): AddedToken[] {
  const vocabulary = vocabularyOf(definition["model"]);
  const there = readAddedTokens(vocabulary, definition["added_tokens"]);
  const decoder = config["added_tokens_decoder"];
  const isLegacy = decoder === undefined;
  const settings = { ...config, ...(isLegacy ? specials : {}) };
  const listed = isLegacy ? legacyTokens(added, config, settings) : decoderTokens(decoder);
  const named = [...namedTokens(settings, listed), ...tokensByName(settings)];
  const names = new Set(named.map(({ content }) => content));
  const flagged = listed.filter((token) => !there.some((own) => isSame(own, token)));
  const known = new Set([...there, ...flagged].map(({ content }) => content));
  const more = [...flagged];
  for (const token of [...named, ...extraTokens(settings)]) {
    if (known.has(token.content)) continue;
    known.add(token.content);
    more.push(token);
  }
  return addTokens(
    vocabulary,
    there,
    more.map((token) => ({ ...token, special: token.special || names.has(token.content) })),
  );
}

function isSame(one: Token, other: Token): boolean {
  const flags = ["content", "single_word", "lstrip", "rstrip", "normalized", "special"] as const;
  return flags.every((flag) => one[flag] === other[flag]);
}

/** `added_tokens_decoder`, by id. */
function decoderTokens(decoder: unknown): Token[] {
  const tokens = z.record(z.string(), tokenSchema).parse(decoder);
  return Object.entries(tokens)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, token]) => token);
}

/** added_tokens.json, by id: text and id only. A token with a role is special, any other is looked for in the normalized text. */
function legacyTokens(
  added: TokenSources["added"],
  config: TokenSources["config"],
  settings: Readonly<Record<string, unknown>>,
): Token[] {
  const ids = z.record(z.string(), z.number()).parse(added);
  const special = new Set([
    ...ROLES.map((role) => tokenOf(settings[role])?.content),
    ...extraTokens(config).map(({ content }) => content),
  ]);
  return Object.entries(ids)
    .sort(([, a], [, b]) => a - b)
    .map(([content]) => plainToken(content, special.has(content)));
}

/** Tokens with a role, with the flags that the list gives them. */
function namedTokens(settings: Readonly<Record<string, unknown>>, listed: readonly Token[]): Token[] {
  return ROLES.flatMap((role) => {
    const token = tokenOf(settings[role]);
    if (!token) return [];
    return [listed.find(({ content }) => content === token.content) ?? { ...token, special: true }];
  });
}

/** Tokens with a role of the model's own: `image_token`, and `extra_special_tokens` by name. */
function tokensByName(settings: Readonly<Record<string, unknown>>): Token[] {
  const extra = settings["extra_special_tokens"];
  const own = Object.entries(settings).filter(
    ([key, value]) => key.endsWith("_token") && !ROLES.includes(key) && isTokenLike(value),
  );
  const byName: unknown[] =
    typeof extra === "object" && extra !== null && !Array.isArray(extra) ? Object.values(extra) : [];
  return [...own.map(([, value]) => value), ...byName].flatMap((value) => tokenOf(value) ?? []);
}

function extraTokens(settings: Readonly<Record<string, unknown>>): Token[] {
  const extra = settings["extra_special_tokens"];
  const isGiven = Array.isArray(extra) ? extra.length > 0 : Boolean(extra);
  const tokens = isGiven ? extra : settings["additional_special_tokens"];
  return Array.isArray(tokens) ? tokens.flatMap((value: unknown) => tokenOf(value) ?? []) : [];
}

function isTokenLike(value: unknown): boolean {
  return typeof value === "string" || tokenSchema.safeParse(value).success;
}

/** A text is a special token, an object says what it is; null where nothing is named. */
function tokenOf(value: unknown): Token | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? plainToken(value, true) : (tokenSchema.safeParse(value).data ?? null);
}

function plainToken(content: string, special: boolean): Token {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: !special, special };
}
