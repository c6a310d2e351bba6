import { join } from "node:path";
import { z } from "zod";
import { ggufEndTokens } from "../gguf/read/ggufEndTokens.ts";
import { readGgufMetadata } from "../gguf/read/ggufTokenizer.ts";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";

const GENERATION_FILE = "generation_config.json";
const RULES = { maxBytes: 16_000_000, badCode: "checkpoint/bad-config" };

const id = z.number().int().nonnegative();
const endIds = z.union([id.transform((one) => [one]), z.array(id)]);

/**
 * The ids that end a text, ascending: what generation_config.json names, or config.json where that names none, as transformers
 * has it; the tokenizer's own EOS; and of a GGUF file every token at which llama.cpp stops.
 * @throws KeystoneError checkpoint/bad-config, checkpoint/read-failed, gguf/…
 */
export async function endTokens(
  { path, config }: Pick<Checkpoint, "path" | "config">,
  { eos }: Pick<Tokenizer, "eos">,
): Promise<number[]> {
  const file = join(path, GENERATION_FILE);
  const generation = (await isRegularFile(file)) ? await readJsonObject(file, RULES) : {};
  const metadata = await readGgufMetadata(path);
  const ends = new Set([
    ...(idsOf(generation["eos_token_id"]) ?? idsOf(config["eos_token_id"]) ?? []),
    ...(eos === null ? [] : [eos]),
    ...(metadata ? ggufEndTokens(metadata) : []),
  ]);
  return [...ends].sort((a, b) => a - b);
}

/** One id, or a list; null where there is none. */
function idsOf(value: unknown): number[] | null {
  return endIds.safeParse(value).data ?? null;
}
