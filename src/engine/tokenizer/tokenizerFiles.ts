import type { Note } from "#shared/notes.ts";
import { join } from "node:path";
import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";
import { configuredTokens, type TokenSources } from "./configuredTokens.ts";
import { Tokenizer as Exact } from "./pipeline/exactTokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The largest published vocabularies take some 35 MB. */
const MAX_TOKENIZER_BYTES = 256_000_000;
const RULES = { maxBytes: MAX_TOKENIZER_BYTES, badCode: "tokenizer/bad-file" };

/** The files that define a checkpoint's tokenizer, as parsed. */
export interface TokenizerFiles {
  /** tokenizer.json. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** tokenizer_config.json and special_tokens_map.json name its special tokens; empty where absent. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly specials: Readonly<Record<string, unknown>>;
  /** What the person should know about it, one sentence each. */
  readonly notes?: readonly Note[];
}

/**
 * Null where the folder holds no tokenizer.json. Its added tokens are those that transformers has, whichever file names them.
 * @throws KeystoneError tokenizer/bad-file, tokenizer/unsupported
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles | null> {
  const path = join(folder, "tokenizer.json");
  if (!(await isRegularFile(path))) return null;
  const [definition, beside] = await Promise.all([readJsonObject(path, RULES), readBeside(folder)]);
  return withTokens(definition, beside);
}

/** The files that name further tokens; each empty where absent. */
export type BesideTokenizer = Omit<TokenSources, "definition">;

/** @throws KeystoneError tokenizer/bad-file */
export async function readBeside(folder: string): Promise<BesideTokenizer> {
  const [config, specials, added] = await Promise.all(
    ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"].map((name) =>
      readIfPresent(join(folder, name)),
    ),
  );
  return { config, specials, added };
}

/** A definition with the added tokens that the files beside it name. @throws KeystoneError tokenizer/unsupported */
export function withTokens(
  definition: TokenizerFiles["definition"],
  { config, specials, added }: BesideTokenizer,
): TokenizerFiles {
  const tokens = usable("What the tokenizer and the files beside it say of added tokens", () =>
    configuredTokens({ definition, config, specials, added }),
  );
  return { definition: { ...definition, added_tokens: tokens }, config, specials };
}

/** @throws KeystoneError tokenizer/unsupported */
export function tokenizerOf({ definition, config, specials, notes = [] }: TokenizerFiles): Tokenizer {
  const named = (name: string): string | null => tokenContent(config[name]) ?? tokenContent(specials[name]);
  const names = { begin: named("bos_token"), end: named("eos_token") };
  return {
    ...wrap(
      usable("tokenizer.json", () => new Exact(definition)),
      names,
    ),
    notes,
  };
}

/**
 * A tokenizer.json at work, without what the files beside it say.
 * @param alike one with the same vocabulary and merges, built before: another one is then built in no time
 * @throws KeystoneError tokenizer/unsupported
 */
export function exactTokenizer(definition: Readonly<Record<string, unknown>>, alike?: Exact): Exact {
  return usable("tokenizer.json", () => new Exact(definition, alike));
}

async function readIfPresent(path: string): Promise<Record<string, unknown>> {
  return (await isRegularFile(path)) ? readJsonObject(path, RULES) : {};
}

/** @throws KeystoneError tokenizer/unsupported for what `work` on the named files throws */
function usable<T>(subject: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new KeystoneError(
      "tokenizer/unsupported",
      `${subject} cannot be used: ${reason}.`,
      "Check that the file is complete; save it again with a current tokenizers library.",
      { reason },
      { cause },
    );
  }
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof z.ZodError) return describeIssues(thrown.issues);
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Special tokens are written as text or as an object with `content`. */
export function tokenContent(value: unknown): string | null {
  if (typeof value === "string") return value;
  const content = typeof value === "object" && value !== null && "content" in value ? value.content : null;
  return typeof content === "string" ? content : null;
}

function wrap(exact: Exact, named: { begin: string | null; end: string | null }): Tokenizer {
  const added = new Set(exact.added.map(({ id }) => id));
  const tokenText = (id: number): string => {
    const token = exact.tokenOf(id);
    if (token === undefined) return `<${id}>`;
    if (added.has(id)) return token;
    // a metaspace token decoded alone would lose its space
    const text = token.includes("▁")
      ? token.replaceAll("▁", " ")
      : exact.decode([id], { skipSpecial: false });
    return readable(text.includes("\ufffd") || text === "" ? token : text);
  };
  const idOf = (token: string | null): number | null => (token === null ? null : (exact.idOf(token) ?? null));
  const [bos, eos] = [leadingToken(exact), idOf(named.end)];
  return {
    encode: (text) => exact.encode(text),
    decode: (ids, { special = false } = {}) => exact.decode(ids, { skipSpecial: !special }),
    tokenText,
    bos,
    eos,
    prefix: idOf(named.begin) ?? bos ?? eos,
  };
}

function readable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what must not reach a table
  return text.replace(/[\u0000-\u001f\u007f]/g, (character) => JSON.stringify(character).slice(1, -1));
}

/**
 * The one token that the tokenizer's own post-processor puts in front of a text. tokenizer_config.json's
 * `add_bos_token` is not asked: transformers follows tokenizer.json too where the two disagree.
 */
function leadingToken(exact: Exact): number | null {
  const plain = exact.encode("a");
  const full = exact.encodeWithSpecials("a");
  return full.length > plain.length && plain.every((id, i) => full[i + 1] === id) ? full[0] : null;
}
