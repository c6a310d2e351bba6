import { join } from "node:path";
import { stat } from "node:fs/promises";
import { KeystoneError } from "#shared/errors.ts";
import { fileSource } from "#engine/files/byteSource.ts";
import type { TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import { surrounded, type Special } from "#engine/tokenizer/surrounded.ts";
import { findGguf } from "./findGguf.ts";
import { MetadataReader } from "../layout/metadata.ts";
import { stripsAsPhi3, takesBlanksBehind } from "../layout/phi3Tokens.ts";
import { preTokenizer } from "../layout/preTokenizerRules.ts";
import { readGgufHeader } from "./readGgufHeader.ts";
import { spmMerges } from "./spmMerges.ts";
import { aroundTexts, tokenizerNotes } from "../layout/tokenizerDefaults.ts";
import { TOKEN_TYPE, TOKENIZER_KEYS as KEY } from "../layout/tokenTypes.ts";

/**
 * The tokenizer in a GGUF model's metadata, as a tokenizer.json would define it; null where there is no GGUF model at the
 * location or it holds no vocabulary.
 * @throws KeystoneError tokenizer/unsupported, gguf/…
 */
export async function readGgufTokenizer(location: string): Promise<TokenizerFiles | null> {
  const reader = await readGgufMetadata(location);
  return reader && ggufTokenizer(reader);
}

/** The metadata of the GGUF model at a location, null where there is none. @throws KeystoneError gguf/… */
export async function readGgufMetadata(location: string): Promise<MetadataReader | null> {
  const found = await findGguf(location);
  const [file] = found?.files ?? [];
  if (!found || file === undefined) return null;
  const path = join(found.folder, file);
  const source = fileSource(path, (await stat(path)).size);
  try {
    const { metadata } = await readGgufHeader(source);
    return new MetadataReader(metadata, file);
  } finally {
    await source.close();
  }
}

/** @throws KeystoneError tokenizer/unsupported, gguf/bad-metadata */
export function ggufTokenizer(reader: MetadataReader): TokenizerFiles | null {
  const kind = reader.string(KEY.model);
  const tokens = reader.strings(KEY.tokens);
  if (kind === null || kind === "none" || kind === "no_vocab" || tokens === null) return null;
  const words = kind === "gpt2" ? byteLevel(reader) : kind === "llama" ? sentencePiece(reader, tokens) : null;
  if (!words)
    throw unsupported(`its tokenizer is of the kind "${kind}", and gpt2 and llama are read`, { kind });
  const named = (key: string): Special | null => tokenAt(tokens, reader.number(key));
  const { addBos, addEos, ...ids } = aroundTexts(reader, kind);
  const [bos, eos] = [tokenAt(tokens, ids.bos), tokenAt(tokens, ids.eos)];
  return {
    definition: {
      version: "1.0",
      ...words,
      model: { type: "BPE", ...words.model, vocab: vocabularyOf(tokens) },
      added_tokens: addedTokens(reader, tokens),
      post_processor: surrounded(addBos ? bos : null, addEos ? eos : null),
    },
    config: {
      chat_template: ggufChatTemplate(reader),
      ...nameOf("bos_token", bos),
      ...nameOf("eos_token", eos),
      ...nameOf("unk_token", named(KEY.unknown)),
      ...nameOf("pad_token", named(KEY.padding)),
    },
    specials: {},
    notes: tokenizerNotes(reader),
  };
}

/** As tokenizer_config.json holds it: one text, or several by name where the file has more than the default one. */
export function ggufChatTemplate(
  reader: MetadataReader,
): string | { name: string; template: string }[] | null {
  const standard = reader.string(KEY.chatTemplate);
  const prefix = `${KEY.chatTemplate}.`;
  const others = [...reader.metadata.keys()].filter((key) => key.startsWith(prefix));
  if (others.length === 0) return standard;
  return [
    ...(standard === null ? [] : [{ name: "default", template: standard }]),
    ...others.map((key) => ({ name: key.slice(prefix.length), template: reader.string(key) ?? "" })),
  ];
}

interface Words {
  readonly model: Readonly<Record<string, unknown>>;
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
}

function byteLevel(reader: MetadataReader): Words {
  const name = reader.string(KEY.pre) ?? "default";
  const rules = preTokenizer(name);
  if (!rules)
    throw unsupported(`its tokenizer cuts texts by the rules "${name}", which are not known here`, {
      rules: name,
    });
  return {
    model: { merges: reader.strings(KEY.merges) ?? [], ignore_merges: rules.ignoreMerges },
    normalizer: null,
    pre_tokenizer: rules.definition,
    decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  };
}

function sentencePiece(reader: MetadataReader, tokens: readonly string[]): Words {
  const scores = reader.numbers(KEY.scores) ?? [];
  const types = reader.numbers(KEY.types) ?? [];
  const unknown = tokens.findIndex((_, i) => types[i] === TOKEN_TYPE.unknown);
  const prefix = reader.boolean(KEY.addSpace) ?? true;
  return {
    model: {
      merges: spmMerges(tokens, scores, types),
      byte_fallback: true,
      fuse_unk: true,
      unk_token: unknown < 0 ? null : tokens[unknown],
    },
    normalizer: {
      type: "Sequence",
      normalizers: [
        ...(prefix ? [{ type: "Prepend", prepend: "▁" }] : []),
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
  };
}

/** Of equal texts the first id counts; a Map's order keeps names that look like numbers in place. */
function vocabularyOf(tokens: readonly string[]): Record<string, number> {
  const ids = new Map<string, number>();
  tokens.forEach((text, id) => {
    if (!ids.has(text)) ids.set(text, id);
  });
  return Object.fromEntries(ids);
}

function addedTokens(reader: MetadataReader, tokens: readonly string[]): object[] {
  const types = reader.numbers(KEY.types) ?? [];
  const strips = stripsAsPhi3(reader.metadata);
  return tokens.flatMap((content, id) => {
    const type = types[id];
    const special = type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown;
    if (!special && type !== TOKEN_TYPE.userDefined) return [];
    const rstrip = strips && takesBlanksBehind(content);
    return [{ id, content, special, single_word: false, lstrip: false, rstrip, normalized: false }];
  });
}

function tokenAt(tokens: readonly string[], id: number | null): Special | null {
  const text = id === null ? undefined : tokens[id];
  return id === null || text === undefined ? null : { id, text };
}

function nameOf(key: string, token: Special | null): Record<string, string> {
  return token ? { [key]: token.text } : {};
}

function unsupported(reason: string, details: Record<string, string>): KeystoneError {
  return new KeystoneError(
    "tokenizer/unsupported",
    `The GGUF file's tokenizer cannot be used: ${reason}.`,
    "Put the model's tokenizer.json into the folder and open the folder.",
    { reason, ...details },
  );
}
