import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ggufTokenizer } from "#engine/formats/gguf/read/ggufTokenizer.ts";
import { MetadataReader, type MetadataEntry } from "#engine/formats/gguf/layout/metadata.ts";
import { TOKENIZER_KEYS as KEY } from "#engine/formats/gguf/layout/tokenTypes.ts";
import { readTokenizerFiles, tokenizerOf } from "#engine/tokenizer/tokenizerFiles.ts";
import { encodeHeader } from "#engine/formats/gguf/write/metadataWriter.ts";
import { tokenizerMetadata } from "#engine/formats/gguf/write/tokenizerMetadata.ts";
import { llama, type LlamaLibraries } from "./llamaLibraries.ts";

/** Enough for every vocabulary and what is added to it. */
const ROWS = 1000;
const ROOT = join(import.meta.dirname, "../../..");
const GOLDEN = join(ROOT, "test/golden/tokenizer");

const answer = z.object({ tokens: z.array(z.array(z.array(z.number())).nullable()) });
const golden = z.object({ texts: z.array(z.string()) });
const added = z.object({
  content: z.string(),
  lstrip: z.boolean(),
  rstrip: z.boolean(),
  single_word: z.boolean(),
});
const filesCases = z.array(
  z.object({
    name: z.string(),
    added: z.array(z.looseObject(added.shape)),
    rows: z.array(z.tuple([z.string(), z.array(z.number())])),
  }),
);

type Entries = ReadonlyMap<string, MetadataEntry>;

interface Vocabulary {
  readonly name: string;
  readonly entries: Entries;
}

/**
 * Vocabularies that say little, or have tokens of every kind: without `add_bos_token`, under every name of rules, without a name, without the ids of BOS and EOS.
 * llama.cpp and Keystone must take the same defaults and cut the same texts alike.
 */
export async function vocabulariesAlike(
  libraries: LlamaLibraries,
  python: string,
  folder: string,
): Promise<{ text: string; failures: string[] }> {
  const cases = filesCases.parse(JSON.parse(readFileSync(join(GOLDEN, "files.json"), "utf8")));
  const texts = [
    ...golden.parse(JSON.parse(readFileSync(join(GOLDEN, "kinds.json"), "utf8"))).texts,
    ...cases[0].rows.map(([text]) => text),
    PHI3_TEXT,
  ];
  const vocabularies = [
    ...(await silentVocabularies()),
    ...(await addedVocabularies(cases)),
    await phi3Vocabulary(),
  ];
  const models = vocabularies.map(({ entries }, i) =>
    writeVocabulary(entries, join(folder, `vocabulary-${i}.gguf`)),
  );
  const { tokens } = answer.parse(llama(libraries, { tokenize: { models, texts } }, python));
  const failures = vocabularies.flatMap(({ name, entries }, i) => {
    const theirs = tokens[i];
    if (theirs === null) return [`${name}: llama.cpp does not load the vocabulary`];
    const ours = tokensOf(entries, texts);
    return texts.flatMap((text, j) =>
      theirs[j].join() === ours[j].join()
        ? []
        : [
            `${name}: ${JSON.stringify(text)} is cut otherwise: ${theirs[j].join()} there, ${ours[j].join()} here`,
          ],
    );
  });
  const text = `Vocabularies that leave the defaults to llama.cpp or have added tokens, cut alike on ${texts.length} texts: ${vocabularies.length} (${failures.length} differences).`;
  return { text, failures };
}

/** A GGUF file that holds nothing but a vocabulary. Returns its path. */
function writeVocabulary(entries: Entries, path: string): string {
  const text = (value: string): MetadataEntry => ({ type: "string", value });
  writeFileSync(path, encodeHeader(new Map([["general.architecture", text("llama")], ...entries]), []));
  return path;
}

function tokensOf(entries: Entries, texts: readonly string[]): number[][] {
  const files = ggufTokenizer(new MetadataReader(entries, "vocabulary.gguf"));
  if (!files) throw new Error("there is no vocabulary");
  const tokenizer = tokenizerOf(files);
  return texts.map((text) => [...(tokenizer.bos === null ? [] : [tokenizer.bos]), ...tokenizer.encode(text)]);
}

async function silentVocabularies(): Promise<Vocabulary[]> {
  const [bytes, pieces] = [await entriesOf("byte-level"), await entriesOf("metaspace-normalizer")];
  const without = (entries: Entries, ...keys: string[]): Entries =>
    new Map([...entries].filter(([key]) => !keys.includes(key)));
  const named = (name: string): Vocabulary => ({
    name,
    entries: new Map([...without(bytes, KEY.addBos), [KEY.pre, { type: "string", value: name }]]),
  });
  const names = [
    "llama-bpe",
    "falcon3",
    "lfm2",
    "pixtral",
    "tekken",
    "gpt-2",
    "qwen2",
    "smollm",
    "smaug-bpe",
    "gpt-4o",
    "llama4",
  ];
  return [
    ...[...names, "default", "olmo", "starcoder", "dbrx", "stablelm2", "exaone"].map(named),
    { name: "no rules", entries: without(bytes, KEY.addBos, KEY.pre) },
    { name: "llama-bpe without BOS", entries: without(named("llama-bpe").entries, KEY.bos, KEY.eos) },
    { name: "llama, blanks where there is none", entries: await entriesOf("metaspace-pretokenizer") },
    { name: "llama", entries: without(pieces, KEY.addBos, KEY.addEos, KEY.addSpace) },
    { name: "llama without BOS", entries: without(pieces, KEY.addBos, KEY.bos, KEY.eos, KEY.unknown) },
  ];
}

/** Tokens that stood beside tokenizer.json, but for those that a GGUF file cannot store. */
async function addedVocabularies(cases: z.output<typeof filesCases>): Promise<Vocabulary[]> {
  const plain = cases.filter(
    ({ added: tokens }) => !tokens.some((token) => token.lstrip || token.rstrip || token.single_word),
  );
  return Promise.all(
    plain.map(async ({ name, added: tokens }) => ({ name, entries: await entriesOf("byte-level", tokens) })),
  );
}

const PHI3_TEXT = "a <|end|>  b <s>  c</s>\n\nd<|endoftext|> e<unk> f";

/** llama.cpp takes the blanks behind special tokens of a model that is called so. */
async function phi3Vocabulary(): Promise<Vocabulary> {
  const name = "Phi-3-made-up";
  const token = (content: string): object => ({
    ...{ id: 0, content, lstrip: false, single_word: false, normalized: false, special: true },
    rstrip: !["<unk>", "<s>", "<|endoftext|>"].includes(content),
  });
  const tokens = ["<|begin_of_text|>", "<|end_of_text|>", "<unk>", "<s>", "</s>", "<|endoftext|>", "<|end|>"];
  const entries = await entriesOf("byte-level", tokens.map(token), name);
  return { name, entries: new Map(entries).set("general.name", { type: "string", value: name }) };
}

async function entriesOf(name: string, tokens?: readonly object[], model = ""): Promise<Entries> {
  const files = await readTokenizerFiles(join(GOLDEN, name));
  if (!files) throw new Error(`${name} has no tokenizer.json`);
  const definition = { ...files.definition, ...(tokens && { added_tokens: tokens }) };
  return tokenizerMetadata({ ...files, definition }, ROWS, {}, model).entries;
}
