import type { MetadataReader } from "../layout/metadata.ts";
import { TOKENIZER_KEYS as KEY } from "../layout/tokenTypes.ts";

/** Keys that name a token at which llama.cpp stops: end of text, of turn, of message, and three of code infilling. */
const NAMED = [
  KEY.eos,
  KEY.endOfTurn,
  KEY.endOfMessage,
  KEY.infillPadding,
  KEY.infillRepository,
  KEY.infillSeparator,
];

/** Tokens at which llama.cpp stops for what they are called, whether or not a key names them. */
const BY_TEXT = [
  ...["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "<|end|>"],
  ...["<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<end_of_utterance>"],
  ...["</s>", "<eos>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<turn|>", "<|tool_response>"],
];

/** Of each list the first that a vocabulary has ends a text: padding, repository and file marks of code infilling. */
const INFILLING = [
  {
    key: KEY.infillPadding,
    texts: ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
  },
  {
    key: KEY.infillRepository,
    texts: ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
  },
  { key: KEY.infillSeparator, texts: ["<|file_sep|>"] },
];

/**
 * The ids that end what a GGUF model writes, as llama.cpp (`llama_vocab_is_eog`) has them: those that the metadata name, and
 * those whose text says so. Ascending.
 * @throws KeystoneError gguf/bad-metadata
 */
export function ggufEndTokens(reader: MetadataReader): number[] {
  const tokens = reader.strings(KEY.tokens) ?? [];
  const idOf = new Map(tokens.map((text, id) => [text, id]));
  const named = NAMED.map((key) => reader.number(key)).filter(
    (id): id is number => id !== null && id < tokens.length,
  );
  const infilling = INFILLING.filter(({ key }) => reader.number(key) === null).flatMap(({ texts }) =>
    texts.filter((text) => idOf.has(text)).slice(0, 1),
  );
  const ends = new Set(named);
  for (const text of [...BY_TEXT, ...infilling]) {
    const id = idOf.get(text);
    if (id !== undefined) ends.add(id);
  }
  for (const text of notEnds(new Set([...ends].map((id) => tokens[id] ?? ""))))
    ends.delete(idOf.get(text) ?? -1);
  return [...ends].sort((a, b) => a - b);
}

/** Formats that call something else by a name that ends texts elsewhere. */
function notEnds(texts: ReadonlySet<string>): string[] {
  const calls = texts.has("<|call|>") || texts.has("<|calls|>");
  const harmony = calls && (texts.has("<|return|>") || texts.has("<|flush|>"));
  return [...(harmony ? ["<|end|>"] : []), ...(texts.has("<|tool_response>") ? ["</s>"] : [])];
}
