import type { Note } from "#shared/notes.ts";
import type { MetadataEntry, ScalarType } from "../layout/metadata.ts";
import { TOKEN_TYPE, TOKENIZER_KEYS as KEY } from "../layout/tokenTypes.ts";
import { tokenContent, tokenizerOf, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import { byteToken } from "#engine/tokenizer/pipeline/characters.ts";
import { KeystoneError } from "#shared/errors.ts";
import { requireSameTokens } from "./requireSameTokens.ts";
import { recognisePreTokenizer } from "./recognisePreTokenizer.ts";
import { readTokenizerDefinition, type AddedToken, type TokenizerDefinition } from "./tokenizerDefinition.ts";

/** The tokenizer as a GGUF file holds it, and what the person should know about it. */
export interface TokenizerMetadata {
  readonly entries: ReadonlyMap<string, MetadataEntry>;
  readonly notes: readonly Note[];
}

type Entries = Map<string, MetadataEntry>;

/** Code of the note that says where llama.cpp puts blanks that the tokenizer does not. */
const BLANKS = "tokenizer/blanks";

/**
 * A tokenizer.json in GGUF's terms: byte-level BPE as `gpt2` with merges and the name of llama.cpp's rules for cutting words,
 * SentencePiece-style BPE with byte fallback as `llama` with scores.
 * @param vocabulary rows of the embedding; ids without a token become unused ones
 * @param name the model's, by which llama.cpp tells Phi-3
 * @throws KeystoneError export/gguf-tokenizer, tokenizer/unsupported
 */
export function tokenizerMetadata(
  files: TokenizerFiles,
  vocabulary: number,
  modelConfig: Readonly<Record<string, unknown>>,
  name = "",
): TokenizerMetadata {
  const definition = readTokenizerDefinition(files.definition);
  const kind = kindOf(definition);
  const isWritten = ({ id }: AddedToken): boolean => id < vocabulary;
  const [added, homeless] = [true, false].map((there) =>
    definition.added_tokens.filter((token) => isWritten(token) === there),
  );
  const tokens = tokensById({ ...definition, added_tokens: added }, vocabulary);
  const entries: Entries = new Map();
  const { notes, because } =
    kind === "llama"
      ? sentencePiece(definition, tokens, entries)
      : byteLevel(files, definition, tokens, entries);
  const own = tokenizerOf(files);
  specialTokens(files, own.bos, tokens, modelConfig, entries);
  const metadata = new Map(entries).set("general.name", { type: "string", value: name });
  requireSameTokens(own, {
    metadata,
    added,
    because,
    blanksAreSaid: notes.some(({ code }) => code === BLANKS),
  });
  return { entries, notes: [...notes, ...homelessNotes(homeless, vocabulary)] };
}

/**
 * Which of llama.cpp's kinds of tokenizer it is.
 * @throws KeystoneError export/gguf-tokenizer where it is neither
 */
function kindOf(definition: TokenizerDefinition): "llama" | "gpt2" {
  const { model } = definition;
  if (model.byte_fallback === true) {
    const missing = BYTES.find((byte) => !Object.hasOwn(model.vocab, byte));
    if (missing === undefined) return "llama";
    throw refusal(`llama.cpp needs a token for every byte, and this vocabulary has none for ${missing}`);
  }
  if (parts(definition).some(({ type }) => type === "ByteLevel")) return "gpt2";
  throw refusal(
    "it cuts texts neither into bytes (ByteLevel) nor writes unknown characters as bytes (byte_fallback), and llama.cpp knows these two kinds",
  );
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byteToken(byte));

function refusal(reason: string): KeystoneError {
  return new KeystoneError(
    "export/gguf-tokenizer",
    `tokenizer.json cannot be put into a GGUF file: ${reason}.`,
    "Export as safetensors or ONNX instead, which carry tokenizer.json.",
    {},
  );
}

function homelessNotes(tokens: readonly AddedToken[], vocabulary: number): Note[] {
  if (tokens.length === 0) return [];
  const names = tokens.map(({ content }) => content).join(", ");
  return [
    {
      code: "tokenizer/no-row",
      text: `The tokenizer's files name tokens that the model has no row for (ids past ${vocabulary - 1}): ${names}. They are left out.`,
    },
  ];
}

/** What a kind of tokenizer has to say: notes, and why texts may be cut otherwise. */
interface Said {
  readonly notes: readonly Note[];
  readonly because: string;
}

interface Token {
  readonly text: string;
  readonly type: number;
}

/** @throws KeystoneError export/gguf-tokenizer where a token lies outside the embedding */
function tokensById({ model, added_tokens: added }: TokenizerDefinition, vocabulary: number): Token[] {
  const tokens: Token[] = Array.from({ length: vocabulary }, (_, id) => ({
    text: `[PAD${id}]`,
    type: TOKEN_TYPE.unused,
  }));
  const put = (id: number, token: Token): void => {
    if (id >= vocabulary)
      throw new KeystoneError(
        "export/gguf-tokenizer",
        `tokenizer.json has a token with id ${id}, but the model knows ids 0 to ${vocabulary - 1} only.`,
        "Check that tokenizer.json belongs to this model.",
        { id, vocabulary },
      );
    tokens[id] = token;
  };
  const bytes = model.byte_fallback === true;
  for (const [text, id] of Object.entries(model.vocab)) {
    const isByte = bytes && /^<0x[0-9A-F]{2}>$/.test(text);
    const isUnknown = bytes && text === model.unk_token;
    put(id, {
      text,
      type: isByte ? TOKEN_TYPE.byte : isUnknown ? TOKEN_TYPE.unknown : TOKEN_TYPE.normal,
    });
  }
  for (const token of added) {
    const isUnknown = bytes && token.content === model.unk_token;
    put(token.id, { text: token.content, type: isUnknown ? TOKEN_TYPE.unknown : addedType(token) });
  }
  return tokens;
}

function addedType({ special }: AddedToken): number {
  return special ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined;
}

function byteLevel(
  files: TokenizerFiles,
  definition: TokenizerDefinition,
  tokens: readonly Token[],
  entries: Entries,
): Said {
  const { rules, differing } = recognisePreTokenizer(files.definition);
  put(entries, KEY.model, "string", "gpt2");
  put(entries, KEY.pre, "string", rules.name);
  putTokens(entries, tokens);
  put(
    entries,
    KEY.merges,
    "string",
    definition.model.merges.map(([left, right]) => `${left} ${right}`),
  );
  const because =
    differing.length === 0
      ? ""
      : `: it knows its rules for cutting texts into words by name only, and of those "${rules.name}" comes nearest`;
  return { notes: normalizerNotes(definition), because };
}

/** Normalizers have no place in the file; those that the probe tells apart are refused. */
function normalizerNotes(definition: TokenizerDefinition): Note[] {
  const forms = partsOf(definition.normalizer)
    .map(({ type }) => String(type))
    .filter((type) => type !== "ByteLevel");
  return forms.length === 0
    ? []
    : [
        {
          code: "tokenizer/normalizer",
          text: `llama.cpp does not normalize texts (${forms.join(", ")}): those that are not normalized already are cut into other tokens.`,
        },
      ];
}

/** Scores stand for the order of merges: the token of an earlier merge scores higher. */
function sentencePiece(definition: TokenizerDefinition, tokens: readonly Token[], entries: Entries): Said {
  const ranks = new Map<string, number>();
  for (const [rank, [left, right]] of definition.model.merges.entries()) {
    const joined = left + right;
    if (!ranks.has(joined)) ranks.set(joined, rank);
  }
  const unmerged = definition.model.merges.length;
  put(entries, KEY.model, "string", "llama");
  put(entries, KEY.pre, "string", "default");
  putTokens(entries, tokens);
  const scores = tokens.map(({ text, type }, id) => {
    if (type !== TOKEN_TYPE.normal) return type === TOKEN_TYPE.unused ? -10_000 : 0;
    return -(ranks.get(text) ?? unmerged + id);
  });
  put(entries, KEY.scores, "f32", scores);
  const spaces = addedSpaces(definition);
  put(entries, KEY.addSpace, "bool", spaces.length > 0);
  const notes = spaces.includes("Metaspace")
    ? [
        {
          code: BLANKS,
          text: "llama.cpp puts a blank in front of every text and behind every special token, this tokenizer only where there is none yet.",
        },
      ]
    : [];
  return { notes, because: "" };
}

/** What puts a blank in front of a text, if anything does. */
function addedSpaces(definition: TokenizerDefinition): string[] {
  const adding = parts(definition).filter(
    (part) =>
      part["type"] === "Prepend" ||
      (part["type"] === "Metaspace" &&
        (part["prepend_scheme"] ?? (part["add_prefix_space"] === false ? "never" : "always")) !== "never"),
  );
  return adding.map((part) => String(part["type"]));
}

type Part = Readonly<Record<string, unknown>>;

/** The steps before the model, those in sequences one by one. */
function parts({ normalizer, pre_tokenizer: preTokenizer }: TokenizerDefinition): Part[] {
  return [...partsOf(normalizer), ...partsOf(preTokenizer)];
}

function partsOf(part: Part | null | undefined): Part[] {
  if (!part) return [];
  const inner = part["normalizers"] ?? part["pretokenizers"];
  return Array.isArray(inner) ? (inner as Part[]).flatMap(partsOf) : [part];
}

function specialTokens(
  files: TokenizerFiles,
  bos: number | null,
  tokens: readonly Token[],
  modelConfig: Readonly<Record<string, unknown>>,
  entries: Entries,
): void {
  const idOf = (name: string): number | null => {
    const text = tokenContent(files.config[`${name}_token`]) ?? tokenContent(files.specials[`${name}_token`]);
    const found = text === null ? -1 : tokens.findIndex((token) => token.text === text);
    if (found >= 0) return found;
    const given = modelConfig[`${name}_token_id`];
    const first: unknown = Array.isArray(given) ? given[0] : given;
    const usable =
      typeof first === "number" && Number.isInteger(first) && first >= 0 && first < tokens.length;
    return usable ? first : null;
  };
  for (const [key, name] of [
    [KEY.bos, "bos"],
    [KEY.eos, "eos"],
    [KEY.unknown, "unk"],
    [KEY.padding, "pad"],
  ] as const) {
    const id = idOf(name);
    if (id !== null) put(entries, key, "u32", id);
  }
  // the tokenizer's own leading token is what it puts there, whatever the config calls BOS
  if (bos !== null) put(entries, KEY.bos, "u32", bos);
  put(entries, KEY.addBos, "bool", bos !== null);
  put(entries, KEY.addEos, "bool", false);
}

function putTokens(entries: Entries, tokens: readonly Token[]): void {
  put(
    entries,
    KEY.tokens,
    "string",
    tokens.map(({ text }) => text),
  );
  put(
    entries,
    KEY.types,
    "i32",
    tokens.map(({ type }) => type),
  );
}

function put(entries: Entries, key: string, type: ScalarType, value: MetadataEntry["value"]): void {
  entries.set(key, { type, value });
}
