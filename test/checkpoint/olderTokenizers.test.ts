import { readdirSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { parseRecipe } from "#shared/plan.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { hasTokenizer, loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { exportTo, modelOf } from "../export/exporting.ts";
import { temporaryFolder, writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "../golden/tokenizer/older");
const golden = z.object({
  cases: z.array(z.tuple([z.string(), z.array(z.number())])),
  decoded: z.array(z.string()).optional(),
});

// scripts/golden/tokenizer_older.py: sentencepiece itself, and transformers' own classes for vocab.json and merges.txt
describe("files of before tokenizer.json give the tokens of their own libraries", () => {
  for (const name of readdirSync(GOLDEN))
    it(name, async () => {
      const { cases, decoded } = golden.parse(
        JSON.parse(readFileSync(join(GOLDEN, name, "golden.json"), "utf8")),
      );
      const tokenizer = await loadTokenizer(join(GOLDEN, name));
      const wrong = cases.filter(([text, ids]) => tokenizer.encode(text).join() !== ids.join());
      expect(wrong.map(([text, ids]) => ({ text, ids: tokenizer.encode(text), theirs: ids }))).toEqual([]);
      if (decoded) expect(cases.map(([, ids]) => tokenizer.decode(ids))).toEqual(decoded);
    });
});

it("BOS and EOS stand around a text as transformers' classes put them", async () => {
  const folder = await temporaryFolder();
  await cp(join(GOLDEN, "bpe-bytes"), folder, { recursive: true });
  const asLlama = await loadTokenizer(folder);
  expect([asLlama.bos, asLlama.eos, asLlama.prefix]).toEqual([1, 2, 1]);
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ add_bos_token: false }));
  expect((await loadTokenizer(folder)).bos).toBeNull();
  expect((await loadTokenizer(join(GOLDEN, "unigram-rules"))).bos).toBeNull();
  const gpt2 = await loadTokenizer(join(GOLDEN, "gpt2"));
  expect([gpt2.bos, gpt2.eos, gpt2.prefix]).toEqual([null, 0, 0]);
  expect(gpt2.encode("a<|endoftext|>b")).toContain(0);
});

it("the overview has a tokenizer where only such files are, and says which are read", async () => {
  const folder = await writeSyntheticCheckpoint();
  await cp(join(GOLDEN, "gpt2"), folder, { recursive: true });
  const checkpoint = await openCheckpoint(folder);
  await checkpoint.close();
  for (const name of ["vocab.json", "merges.txt"])
    expect(checkpoint.inventory).toContainEqual({ name, kind: "file", usedBy: "tokenizer" });
  expect(await hasTokenizer(folder)).toBe(true);
  await cp(join(GOLDEN, "bpe-bytes", "tokenizer.model"), join(folder, "tokenizer.model"));
  const other = await openCheckpoint(folder);
  await other.close();
  expect(other.inventory).toContainEqual({ name: "tokenizer.model", kind: "file", usedBy: "tokenizer" });
});

it.each([
  ["cut short", (bytes: Buffer) => bytes.subarray(0, 1000), "tokenizer/bad-file"],
  ["empty", () => Buffer.alloc(0), "tokenizer/bad-file"],
  ["of another kind", () => Buffer.from("these are words, not pieces"), "tokenizer/bad-file"],
  ["of whole words", () => Buffer.from([10, 5, 10, 3, 97, 98, 99, 18, 2, 24, 3]), "tokenizer/unsupported"],
])("a tokenizer.model that is %s is refused", async (_, change, code) => {
  const folder = await temporaryFolder();
  const bytes = readFileSync(join(GOLDEN, "bpe-bytes", "tokenizer.model"));
  await writeFile(join(folder, "tokenizer.model"), change(bytes));
  await expect(loadTokenizer(folder)).rejects.toMatchObject({ code });
});

it("a model with a tokenizer.model and a vocabulary padded beyond it leaves as GGUF and gives the same tokens there", async () => {
  const source = await writeSyntheticCheckpoint({ vocabulary: 704, hidden: 32, intermediate: 32 });
  await cp(join(GOLDEN, "bpe-bytes", "tokenizer.model"), join(source, "tokenizer.model"));
  const checkpoint = await openCheckpoint(source);
  onTestFinished(() => checkpoint.close());
  const out = join(await temporaryFolder(), "export");
  const recipe = parseRecipe({ scheme: "q8_0", bits: 8, granularity: "group:32" });
  const { variant } = adaptVariant(modelOf(checkpoint), { recipe, format: "gguf", kept: "unquantized" });
  await exportTo({ folder: source, checkpoint, variant, out }, { format: "gguf" });
  const [file] = readdirSync(out).filter((name) => name.endsWith(".gguf"));
  const alone = join(await temporaryFolder(), file);
  await cp(join(out, file), alone);
  const [ours, theirs] = [await loadTokenizer(source), await loadTokenizer(alone)];
  for (const text of ["Hello world", "  two blanks", "naïve café 😀"])
    expect(theirs.encode(text)).toEqual(ours.encode(text));
  expect([theirs.bos, theirs.eos]).toEqual([ours.bos, ours.eos]);
});
