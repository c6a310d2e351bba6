import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files around the weights, by name. Weights, pickles and code are not on the list and so never travel. */
const CARRIED: readonly RegExp[] = [
  /^(config|generation_config|preprocessor_config|processor_config|special_tokens_map|added_tokens)\.json$/,
  /^tokenizer[\w.-]*\.(json|model)$/,
  /^(vocab\.(json|txt|bpe)|merges\.txt|spiece\.model|sentencepiece\.bpe\.model)$/,
  /^chat_template[\w.-]*\.(json|jinja)$/,
  /^(LICEN[CS]E|NOTICE|COPYING|USE_POLICY)([_-][\w-]+)?(\.(txt|md|pdf))?$/i,
];

/**
 * Names of the files that an export carries along so that the copy is a drop-in: config, generation settings,
 * tokenizer, chat template, licence. Regular files of the folder itself (links are followed), sorted.
 */
export async function sideFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => CARRIED.some((pattern) => pattern.test(name)));
  const regular = await Promise.all(names.map((name) => isRegularFile(join(folder, name))));
  return names.filter((_, i) => regular[i]).sort();
}

/** True for a regular file or a link to one; false where nothing is. */
export async function isRegularFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
