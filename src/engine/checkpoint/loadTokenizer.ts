import { join } from "node:path";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { KeystoneError } from "#shared/errors.ts";
import { readGgufTokenizer } from "./gguf/ggufTokenizer.ts";
import { readJsonObject } from "./jsonFile.ts";
import { isRegularFile } from "./regularFile.ts";
import { shown } from "./strictJson.ts";
import type { Tokenizer } from "./types.ts";

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
}

/**
 * The tokenizer of a model: from tokenizer.json in its folder, or from the metadata of its GGUF file.
 * @param location folder or `.gguf` file
 * @throws KeystoneError tokenizer/missing, tokenizer/bad-file, tokenizer/unsupported, gguf/…
 */
export async function loadTokenizer(location: string): Promise<Tokenizer> {
  const files = await findTokenizerFiles(location);
  if (!files) throw await missingError(location);
  return tokenizerOf(files);
}

/** tokenizer.json and its kin, or what a GGUF file says instead; null where there is neither. */
export async function findTokenizerFiles(location: string): Promise<TokenizerFiles | null> {
  return (await readTokenizerFiles(location)) ?? readGgufTokenizer(location);
}

/** True where {@link loadTokenizer} has something to read. */
export async function hasTokenizer(location: string): Promise<boolean> {
  if (await isRegularFile(join(location, "tokenizer.json"))) return true;
  return readGgufTokenizer(location).then(
    (files) => files !== null,
    () => false,
  );
}

/** Null where the folder holds no tokenizer.json. @throws KeystoneError tokenizer/bad-file */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles | null> {
  const path = join(folder, "tokenizer.json");
  if (!(await isRegularFile(path))) return null;
  const [definition, config, specials] = await Promise.all([
    readJsonObject(path, RULES),
    readIfPresent(join(folder, "tokenizer_config.json")),
    readIfPresent(join(folder, "special_tokens_map.json")),
  ]);
  return { definition, config, specials };
}

/** @throws KeystoneError tokenizer/unsupported */
export function tokenizerOf({ definition, config, specials }: TokenizerFiles): Tokenizer {
  const library = build({ added_tokens: [], ...definition }, config);
  const named = (name: string): string | null => tokenContent(config[name]) ?? tokenContent(specials[name]);
  return wrap(library, { begin: named("bos_token"), end: named("eos_token") });
}

async function readIfPresent(path: string): Promise<Record<string, unknown>> {
  return (await isRegularFile(path)) ? readJsonObject(path, RULES) : {};
}

async function missingError(folder: string): Promise<KeystoneError> {
  const sentencePiece = await isRegularFile(join(folder, "tokenizer.model"));
  return new KeystoneError(
    "tokenizer/missing",
    `${folder} holds no tokenizer.json${sentencePiece ? " (only tokenizer.model)" : ""}.`,
    sentencePiece
      ? "Write one with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)."
      : "Download tokenizer.json and tokenizer_config.json of this model into the folder.",
    { folder },
  );
}

/** Kinds of model that the library implements. It reads any other kind as a bare list of words. */
const MODELS = ["BPE", "WordPiece", "Unigram"];

/** The library throws plain errors, of any kind, at what it does not know. */
function build(definition: Record<string, unknown>, config: object): Library {
  try {
    const type = modelType(definition["model"]);
    if (type !== null && !MODELS.includes(type)) {
      throw new Error(`its model is ${shown(type)}; known are ${MODELS.join(", ")}`);
    }
    const library = new Library(definition, config);
    library.encode("a");
    return library;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeystoneError(
      "tokenizer/unsupported",
      `tokenizer.json cannot be used: ${reason}.`,
      "Check that the file is complete; save it again with a current tokenizers library.",
      { reason },
      { cause },
    );
  }
}

/** Null where an older file does not name it; the library then tells by the other fields. */
function modelType(model: unknown): string | null {
  const type = typeof model === "object" && model !== null && "type" in model ? model.type : null;
  return typeof type === "string" ? type : null;
}

/** Special tokens are written as text or as an object with `content`. */
export function tokenContent(value: unknown): string | null {
  if (typeof value === "string") return value;
  const content = typeof value === "object" && value !== null && "content" in value ? value.content : null;
  return typeof content === "string" ? content : null;
}

function wrap(library: Library, named: { begin: string | null; end: string | null }): Tokenizer {
  /** Where the model has no unknown token the library answers undefined for what it cannot express; it is left out. */
  const encode = (text: string) =>
    library.encode(text, { add_special_tokens: false }).ids.filter((id) => Number.isInteger(id));
  /** A model's vocabulary may be padded past its tokenizer's: such ids have no text. */
  const known = (ids: readonly number[]) => ids.filter((id) => library.id_to_token(id) !== undefined);

  const added = library.get_added_tokens_decoder();

  const decode = (ids: readonly number[], options: { special?: boolean } = {}) => {
    const rest = known(ids);
    if (rest.length === 0) return "";
    return library.decode(rest, {
      skip_special_tokens: options.special !== true,
      clean_up_tokenization_spaces: false,
    });
  };
  const tokenText = (id: number) => {
    const token = library.id_to_token(id);
    if (token === undefined) return `<${id}>`;
    if (added.has(id)) return token;
    // a metaspace token decoded alone would lose its space
    const text = token.includes("▁")
      ? token.replaceAll("▁", " ")
      : library.decode([id], { clean_up_tokenization_spaces: false });
    return readable(text.includes("\ufffd") || text === "" ? token : text);
  };
  const idOf = (token: string | null): number | null =>
    token === null ? null : (library.token_to_id(token) ?? null);
  const [bos, eos] = [leadingToken(library), idOf(named.end)];
  return { encode, decode, tokenText, bos, eos, prefix: idOf(named.begin) ?? bos ?? eos };
}

function readable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what must not reach a table
  return text.replace(/[\u0000-\u001f\u007f]/g, (character) => JSON.stringify(character).slice(1, -1));
}

/**
 * The one token that the tokenizer's own post-processor puts in front of a text. tokenizer_config.json's
 * `add_bos_token` is not asked: transformers follows tokenizer.json too where the two disagree.
 */
function leadingToken(library: Library): number | null {
  const plain = library.encode("a", { add_special_tokens: false }).ids;
  const full = library.encode("a", { add_special_tokens: true }).ids;
  return full.length > plain.length && Number.isInteger(full[0]) && plain.every((id, i) => full[i + 1] === id)
    ? full[0]
    : null;
}
