import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { exportReport } from "#shared/exporting.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { demoGguf } from "./demoGguf.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const SCORED = ["--text", DEMO.text, "--tokens", "400"];
/** Each format's own scheme, asked for without saying how it is to be sharded. */
const CASES = [
  ["safetensors", { scheme: "awq-int", bits: 4, granularity: "group:64" }],
  ["compressed-tensors", { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:64" }],
  ["gptq", { scheme: "gptq-int", bits: 4, granularity: "group:64" }],
  ["awq", { scheme: "awq-int", bits: 4, granularity: "group:64" }],
  ["onnx", { scheme: "matmulnbits", bits: 4, granularity: "group:32" }],
] as const;
const TEXT =
  "Once upon a time, there was a little girl named Lily — with 3 naïve friends!\n\n  She said: <s>";

async function exported(model: string, format: string, settings: object) {
  const home = await temporaryFolder();
  const recipe = join(home, "recipe.json");
  const out = join(home, "out");
  await writeFile(recipe, JSON.stringify(settings));
  const argv = ["export", model, "--recipe", recipe, "--format", format, "--out", out];
  const outcome = await runMain([...argv, "--verify", ...SCORED, "--json"]);
  expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
  return { out, report: exportReport.parse(outcome.json()) };
}

describe("an export whose source is a GGUF file and nothing else", () => {
  let folder: string;
  /** The demo model as one GGUF file in a folder of its own. */
  let bare: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "keystone-test-"));
    const made = await demoGguf(runMain, join(folder, "made"));
    bare = join(folder, basename(made));
    await rename(made, bare);
    await rm(join(folder, "made"), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  for (const [format, settings] of CASES) {
    it(`as ${format} holds the tokenizer of its metadata, and scores by itself what was judged`, async () => {
      const { out, report } = await exported(bare, format, settings);
      expect(report.verified?.perplexity).toBe(report.verified?.judgedPerplexity);
      expect(await readdir(out)).toEqual(
        expect.arrayContaining(["generation_config.json", "tokenizer.json", "tokenizer_config.json"]),
      );
      const scored = await runMain(["eval", out, ...SCORED, "--json"]);
      expect([scored.code, scored.stderr]).toEqual([0, ""]);
      expect(z.object({ perplexity: z.number() }).parse(scored.json()).perplexity).toBe(
        report.verified?.perplexity,
      );
      const [made, own] = [await loadTokenizer(out), await loadTokenizer(DEMO.model)];
      expect(made.encode(TEXT)).toEqual(own.encode(TEXT));
      expect([made.bos, made.eos]).toEqual([own.bos, own.eos]);
      const config: unknown = JSON.parse(await readFile(join(out, "generation_config.json"), "utf8"));
      expect(config).toMatchObject({ eos_token_id: own.eos });
    });
  }
});
