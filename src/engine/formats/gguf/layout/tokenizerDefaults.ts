import type { Note } from "#shared/notes.ts";
import type { MetadataReader } from "./metadata.ts";
import { TOKENIZER_KEYS as KEY } from "./tokenTypes.ts";

/** Rules for cutting words with which llama.cpp puts BOS in front of every text where the file does not say (llama-vocab.cpp, `add_bos`). */
const LED_BY_BOS: ReadonlySet<string> = new Set([
  ...["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
  ...["jina-v5-nano", "tekken", "chameleon"],
]);

/** The ids that llama.cpp takes for tokens which a file does not name. */
const DEFAULT_IDS: Readonly<Record<string, { readonly bos: number; readonly eos: number | null }>> = {
  llama: { bos: 1, eos: 2 },
  gpt2: { bos: 11, eos: null },
};

/** What a GGUF file's tokenizer puts around texts, with llama.cpp's own defaults where the file does not say. */
export interface AroundTexts {
  readonly bos: number | null;
  readonly eos: number | null;
  readonly addBos: boolean;
  readonly addEos: boolean;
}

/** @param kind `tokenizer.ggml.model` */
export function aroundTexts(reader: MetadataReader, kind: string): AroundTexts {
  const defaults = DEFAULT_IDS[kind];
  const addBos =
    reader.boolean(KEY.addBos) ?? (kind === "llama" || LED_BY_BOS.has(reader.string(KEY.pre) ?? ""));
  const usesDefault = addBos || kind === "llama";
  return {
    bos: reader.number(KEY.bos) ?? (usesDefault ? (defaults?.bos ?? null) : null),
    eos: reader.number(KEY.eos) ?? defaults?.eos ?? null,
    addBos,
    addEos: reader.boolean(KEY.addEos) ?? false,
  };
}

/** What a person should know of a GGUF file's tokenizer before trusting a number made with it. */
export function tokenizerNotes(reader: MetadataReader): Note[] {
  const isSilent = reader.string(KEY.model) === "gpt2" && reader.string(KEY.pre) === null;
  return isSilent
    ? [
        {
          code: "tokenizer/rules-unknown",
          text: `The GGUF file does not say how its tokenizer cuts texts into words (${KEY.pre} is missing). llama.cpp's default rules are followed, as llama.cpp does; where the model was trained with others, perplexities come out too high. Convert the model again with a current converter, or put its tokenizer.json into the folder and open the folder.`,
        },
      ]
    : [];
}
