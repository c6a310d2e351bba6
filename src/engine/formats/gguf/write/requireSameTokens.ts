import { ggufTokenizer } from "../read/ggufTokenizer.ts";
import { MetadataReader, type Metadata } from "../layout/metadata.ts";
import { PHI3_TOKENS, stripsAsPhi3 } from "../layout/phi3Tokens.ts";
import { tokenizerOf } from "#engine/tokenizer/tokenizerFiles.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { KeystoneError } from "#shared/errors.ts";
import { PROBE } from "./recognisePreTokenizer.ts";
import type { AddedToken } from "./tokenizerDefinition.ts";

/** What llama.cpp reads instead of tokenizer.json, and what of it is known to differ. */
export interface WrittenTokenizer {
  readonly metadata: Metadata;
  /** Added tokens that are written. */
  readonly added: readonly AddedToken[];
  /** Why it may cut texts otherwise, as a clause; empty where there is nothing to say. */
  readonly because: string;
  /** True where llama.cpp's blanks in front of texts and behind added tokens are said in a note. */
  readonly blanksAreSaid: boolean;
}

/**
 * Holds the tokenizer that llama.cpp will have to the model's own: flags of added tokens, texts of all kinds, and every added
 * token beside letters, blanks, line ends and itself.
 * @throws KeystoneError export/gguf-tokenizer with the token or the text that would be cut otherwise
 */
export function requireSameTokens(own: Tokenizer, written: WrittenTokenizer): void {
  const { metadata, added, because, blanksAreSaid } = written;
  const read = ggufTokenizer(new MetadataReader(metadata, "the GGUF file"));
  if (!read) throw new TypeError("a vocabulary was written and cannot be read");
  requireLoadable(metadata);
  requireSameFlags(added, read.definition["added_tokens"] as AddedToken[]);
  const other = tokenizerOf(read);
  const texts = [...PROBE, ...(blanksAreSaid ? [] : added.map(({ content }) => around(content)))];
  const apart = texts.find((text) => {
    if (blanksAreSaid && text.startsWith(" ")) return false;
    return own.encode(text).join() !== other.encode(text).join();
  });
  if (apart === undefined) return;
  throw refusal(
    `llama.cpp would cut texts into other tokens than this model's tokenizer does${because}. One such text: ${JSON.stringify(apart)}.`,
    { text: apart },
  );
}

function around(token: string): string {
  return `a${token}b ${token} c${token}${token}\n${token}\n1`;
}

/** A model that llama.cpp takes for Phi-3 by its name must have that model's tokens. */
function requireLoadable(metadata: Metadata): void {
  if (!stripsAsPhi3(metadata)) return;
  const tokens = metadata.get("tokenizer.ggml.tokens")?.value;
  const missing = PHI3_TOKENS.find((token) => !(Array.isArray(tokens) && tokens.includes(token)));
  if (missing === undefined) return;
  throw refusal(
    `llama.cpp takes a model with "phi-3" in its name for Phi-3 and does not load it without the token ${JSON.stringify(missing)}, which this vocabulary has not.`,
    { token: missing },
    "Rename the model's folder.",
  );
}

const FLAGS = {
  single_word: "it counts only where it stands alone (single_word)",
  lstrip: "blanks in front of it belong to it (lstrip)",
  rstrip: "blanks behind it belong to it (rstrip)",
} as const;

function requireSameFlags(added: readonly AddedToken[], read: readonly AddedToken[]): void {
  const written = new Map(read.map((token) => [token.content, token]));
  for (const token of added) {
    const other = written.get(token.content);
    for (const flag of ["single_word", "lstrip", "rstrip"] as const) {
      if (token[flag] === (other?.[flag] ?? false)) continue;
      const name = JSON.stringify(token.content);
      const said = token[flag]
        ? `The tokenizer says of ${name} that ${FLAGS[flag]}, and a GGUF file cannot store that.`
        : `llama.cpp strips blanks behind ${name} in a model with "phi-3" in its name, and this tokenizer does not.`;
      throw refusal(
        `${said} llama.cpp would cut texts with that token otherwise.`,
        { token: token.content, flag },
        token[flag]
          ? "Export as safetensors; or, where the model does without, take the flag out of the tokenizer's files."
          : "Rename the model's folder.",
      );
    }
  }
}

function refusal(
  message: string,
  details: Record<string, string>,
  next = "Export as safetensors or ONNX instead, which carry tokenizer.json.",
): KeystoneError {
  return new KeystoneError("export/gguf-tokenizer", message, next, details);
}
