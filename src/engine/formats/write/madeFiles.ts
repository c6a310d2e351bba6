import type { Note } from "#shared/notes.ts";
import { join } from "node:path";
import { ggufEndTokens } from "../gguf/read/ggufEndTokens.ts";
import { readGgufMetadata, ggufTokenizer } from "../gguf/read/ggufTokenizer.ts";
import type { MetadataReader } from "../gguf/layout/metadata.ts";
import { TOKENIZER_KEYS as KEY } from "../gguf/layout/tokenTypes.ts";
import { tokenizerOf, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { WriteInput } from "./exporter.ts";
import { jsonBytes, writeFile, type WrittenFile } from "#engine/files/output/outputFile.ts";

const TOKENIZER_FILE = "tokenizer.json";
const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";
export const GENERATION_FILE = "generation_config.json";

/** By name, the content of files that are made for an export because the source holds them in another form. */
export type MadeFiles = ReadonlyMap<string, Uint8Array>;

const kept = new WeakMap<Checkpoint, Promise<MadeFiles>>();

/**
 * What a Hugging Face folder has beside its weights and a GGUF file in its metadata: the tokenizer, and the tokens that
 * generation begins and ends with. Files that lie in the source's folder already are not made: they travel as they are.
 * @throws KeystoneError tokenizer/unsupported where the tokenizer cannot be written so that it gives the same tokens; gguf/…
 */
export function madeFiles(checkpoint: Checkpoint): Promise<MadeFiles> {
  const found = kept.get(checkpoint) ?? makeFiles(checkpoint);
  kept.set(checkpoint, found);
  return found;
}

/** Bytes of all of them. @throws KeystoneError as {@link madeFiles} */
export async function madeBytes(checkpoint: Checkpoint): Promise<number> {
  return [...(await madeFiles(checkpoint)).values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

export async function writeMadeFiles({ model, disk, progress }: WriteInput): Promise<WrittenFile[]> {
  const files: WrittenFile[] = [];
  for (const [name, content] of await madeFiles(model.checkpoint)) {
    await progress.begin(`writing ${name}`);
    files.push(await writeFile(disk, name, join(disk.folder, name), (append) => append(content)));
    await progress.advance(content.byteLength);
  }
  return files;
}

/** Says where a source in one file has no tokenizer that could be written. */
export async function tokenizerNotes(checkpoint: Checkpoint): Promise<Note[]> {
  const { path } = checkpoint;
  const there = (await madeFiles(checkpoint)).has(TOKENIZER_FILE);
  if (there || !isGguf(checkpoint) || (await isRegularFile(join(path, TOKENIZER_FILE)))) return [];
  return [
    {
      code: "tokenizer/none",
      text: `The source's GGUF file holds no vocabulary, so no ${TOKENIZER_FILE} is written: put the model's own beside the weights.`,
    },
  ];
}

function isGguf({ shards }: Checkpoint): boolean {
  return shards.some(({ file }) => /\.gguf$/i.test(file));
}

async function makeFiles(checkpoint: Checkpoint): Promise<MadeFiles> {
  const reader = isGguf(checkpoint) ? await readGgufMetadata(checkpoint.path) : null;
  if (!reader) return new Map();
  const made = new Map<string, unknown>();
  if (!(await isRegularFile(join(checkpoint.path, TOKENIZER_FILE)))) {
    const files = ggufTokenizer(reader);
    if (files) {
      // refuses what could not be opened again
      tokenizerOf(files);
      made.set(TOKENIZER_FILE, { truncation: null, padding: null, ...files.definition });
      made.set(TOKENIZER_CONFIG_FILE, tokenizerConfig(files));
    }
  }
  const generation = generationConfig(reader);
  if (generation) made.set(GENERATION_FILE, generation);
  const there = await Promise.all([...made.keys()].map((name) => isRegularFile(join(checkpoint.path, name))));
  return new Map([...made].filter((_, i) => !there[i]).map(([name, content]) => [name, jsonBytes(content)]));
}

/** The class that takes tokenizer.json as it is, whatever the model's family. */
function tokenizerConfig({ config }: TokenizerFiles): Record<string, unknown> {
  const { chat_template: template, ...tokens } = config;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...tokens,
    ...(template === null ? {} : { chat_template: template }),
    clean_up_tokenization_spaces: false,
  };
}

/** Null where the file names no token that ends a text. What is generated ends wherever it does in llama.cpp, EOS named first. */
function generationConfig(reader: MetadataReader): Record<string, unknown> | null {
  const [bos, eos, pad] = [KEY.bos, KEY.eos, KEY.padding].map((key) => reader.number(key));
  if (eos === null) return null;
  const others = ggufEndTokens(reader).filter((id) => id !== eos);
  return {
    ...(bos === null ? {} : { bos_token_id: bos }),
    eos_token_id: others.length === 0 ? eos : [eos, ...others],
    ...(pad === null ? {} : { pad_token_id: pad }),
  };
}
