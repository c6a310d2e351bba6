import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";
import {
  readBeside,
  tokenContent,
  withTokens,
  type BesideTokenizer,
  type TokenizerFiles,
} from "#engine/tokenizer/tokenizerFiles.ts";
import { preTokenizer } from "../gguf/layout/preTokenizerRules.ts";
import { readSentencePiece } from "./sentencePieceModel.ts";
import { surrounded, type Special } from "#engine/tokenizer/surrounded.ts";

const MODEL = "tokenizer.model";
const [VOCABULARY, MERGES] = ["vocab.json", "merges.txt"];
const MAX_BYTES = 256_000_000;

/** The files that define a tokenizer in a folder without tokenizer.json; null where there are none. */
export async function olderTokenizer(folder: string): Promise<"sentencepiece" | "byte-pairs" | null> {
  if (await isRegularFile(join(folder, MODEL))) return "sentencepiece";
  const both = await Promise.all([VOCABULARY, MERGES].map((name) => isRegularFile(join(folder, name))));
  return both.every(Boolean) ? "byte-pairs" : null;
}

/**
 * The tokenizer of a folder without tokenizer.json: SentencePiece's `tokenizer.model`, or GPT-2's `vocab.json` and `merges.txt`,
 * as a tokenizer.json would define it. Null where there is neither.
 * @throws KeystoneError tokenizer/bad-file, tokenizer/unsupported
 */
export async function readOlderTokenizer(folder: string): Promise<TokenizerFiles | null> {
  const kind = await olderTokenizer(folder);
  if (kind === null) return null;
  const beside = await readBeside(folder);
  return kind === "sentencepiece" ? sentencePiece(folder, beside) : bytePairs(folder, beside);
}

async function sentencePiece(folder: string, beside: BesideTokenizer): Promise<TokenizerFiles> {
  const { definition, begin, end, isBpe } = await readSentencePiece(join(folder, MODEL));
  const { config } = beside;
  // transformers' classes of byte pairs put BOS in front of every text unless they are told not to
  const addBos = config["add_bos_token"] ?? isBpe;
  const addEos = config["add_eos_token"] ?? false;
  const files = withTokens(
    {
      ...definition,
      post_processor: surrounded(addBos === true ? begin : null, addEos === true ? end : null),
    },
    beside,
  );
  return { ...files, config: { ...roles({ bos: begin?.text, eos: end?.text }), ...config } };
}

/** transformers' name of the one token that GPT-2's classes begin, end and stand in with. */
const GPT2_TOKEN = "<|endoftext|>";
const QWEN2_CLASSES = ["Qwen2Tokenizer", "Qwen2TokenizerFast"];

async function bytePairs(folder: string, { config, ...beside }: BesideTokenizer): Promise<TokenizerFiles> {
  const vocabulary = await readJsonObject(join(folder, VOCABULARY), {
    maxBytes: MAX_BYTES,
    badCode: "tokenizer/bad-file",
  });
  const lines = (await readFile(join(folder, MERGES), "utf8"))
    .split("\n")
    .map((line) => line.replace(/\r$/, ""));
  const merges = lines.filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
  const isQwen2 = QWEN2_CLASSES.includes(String(config["tokenizer_class"]));
  const standard = GPT2_TOKEN in vocabulary ? GPT2_TOKEN : undefined;
  const named = {
    ...roles({ bos: isQwen2 ? undefined : standard, eos: standard, unk: standard }),
    ...config,
  };
  const bos = specialOf(vocabulary, named, "bos_token");
  const prefix = config["add_prefix_space"] === true;
  return withTokens(
    {
      version: "1.0",
      normalizer: isQwen2 ? { type: "NFC" } : null,
      pre_tokenizer: isQwen2
        ? (preTokenizer("qwen2")?.definition ?? null)
        : { type: "ByteLevel", add_prefix_space: prefix, trim_offsets: true, use_regex: true },
      model: { type: "BPE", vocab: vocabulary, merges },
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      post_processor: surrounded(config["add_bos_token"] === true ? bos : null, null),
      added_tokens: [],
    },
    { ...beside, config: named },
  );
}

function roles(named: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(named).flatMap(([role, token]) => (token === undefined ? [] : [[`${role}_token`, token]])),
  );
}

function specialOf(
  vocabulary: Readonly<Record<string, unknown>>,
  named: Readonly<Record<string, unknown>>,
  role: string,
): Special | null {
  const text = tokenContent(named[role]);
  const id = text === null ? undefined : vocabulary[text];
  return text === null || typeof id !== "number" ? null : { id, text };
}
