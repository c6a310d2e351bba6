import { join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { readTokenizerFiles, tokenizerOf, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { readGgufTokenizer } from "../gguf/read/ggufTokenizer.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";

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
