import { join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { readTokenizerFiles, tokenizerOf, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { olderTokenizer, readOlderTokenizer } from "./olderTokenizers.ts";
import { readGgufTokenizer } from "../gguf/read/ggufTokenizer.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";

/**
 * The tokenizer of a model: from tokenizer.json in its folder, SentencePiece's tokenizer.model, GPT-2's vocab.json and merges.txt, or
 * from the metadata of its GGUF file.
 * @param location folder or `.gguf` file
 * @throws KeystoneError tokenizer/missing, tokenizer/bad-file, tokenizer/unsupported, gguf/…
 */
export async function loadTokenizer(location: string): Promise<Tokenizer> {
  const files = await findTokenizerFiles(location);
  if (!files) throw missingError(location);
  return tokenizerOf(files);
}

/** tokenizer.json and its kin, older files, or what a GGUF file says instead; null where there is none of them. */
export async function findTokenizerFiles(location: string): Promise<TokenizerFiles | null> {
  return (
    (await readTokenizerFiles(location)) ??
    (await readOlderTokenizer(location)) ??
    readGgufTokenizer(location)
  );
}

/** True where {@link loadTokenizer} has something to read. */
export async function hasTokenizer(location: string): Promise<boolean> {
  if (await isRegularFile(join(location, "tokenizer.json"))) return true;
  if ((await olderTokenizer(location)) !== null) return true;
  return readGgufTokenizer(location).then(
    (files) => files !== null,
    () => false,
  );
}

function missingError(folder: string): KeystoneError {
  return new KeystoneError(
    "tokenizer/missing",
    `${folder} holds no tokenizer.json, no tokenizer.model, and no vocab.json with merges.txt.`,
    "Download tokenizer.json and tokenizer_config.json of this model into the folder.",
    { folder },
  );
}
