import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareReport } from "#shared/comparison.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { DEMO_LOGITS, decibelBound, divergenceBound, expectSum } from "../support/rounding.ts";
import { safetensorsBytes, type TensorSpec } from "../support/safetensorsBytes.ts";
import { temporaryFolder, writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const SCORED = ["--text", DEMO.text, "--tokens", "300"];
/** Nats per token: what two roundings of the same logarithms leave. Measured 1e-9. */
const MAX_KL_OF_EQUAL_MODELS = divergenceBound(0, { ...DEMO_LOGITS, figures: 300 });
/** In the demo model's linears. */
const DEMO_WEIGHTS = 4_423_680;

/** The demo model with so many rows more in embedding and output head, copies of its first ones. */
async function writePadded(folder: string, rows: number): Promise<string> {
  await cp(DEMO.model, folder, { recursive: true });
  const checkpoint = await openCheckpoint(DEMO.model);
  const tensors: Record<string, TensorSpec> = {};
  for (const { name, dtype, shape, role } of checkpoint.tensors.values()) {
    const data = await checkpoint.readBytes(name);
    const [length, ...rest] = shape;
    const more = role === "embedding" || role === "head" ? rows : 0;
    const padding = data.subarray(0, (data.byteLength / length) * more);
    tensors[name] = { dtype, shape: [length + more, ...rest], data: Buffer.concat([data, padding]) };
  }
  await checkpoint.close();
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(tensors));
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as { vocab_size: number };
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({ ...config, vocab_size: config.vocab_size + rows }),
  );
  return folder;
}

describe("other checkpoints beside a model", () => {
  it("a GGUF file of its own weights predicts the same; a recipe stands beside both", async () => {
    const home = await temporaryFolder();
    const recipe = join(home, "recipe.json");
    const gguf = join(home, "gguf");
    await writeFile(
      recipe,
      JSON.stringify({ scheme: "q4_0", bits: 4, granularity: "group:32", ignore: ["*"] }),
    );
    const written = await runMain([
      "export",
      DEMO.model,
      "--recipe",
      recipe,
      "--format",
      "gguf",
      "--out",
      gguf,
    ]);
    expect(written.code, written.stderr).toBe(0);
    expect(written.stdout).toMatch(/no tensor quantized, 16\.\d+ bits per weight/);
    const card = await readFile(join(gguf, "README.md"), "utf8");
    expect(card).toContain("library_name: gguf");
    expect(card).not.toMatch(/-bit"|q4_0 \|/);

    const rough = join(home, "rough.json");
    await writeFile(rough, JSON.stringify({ scheme: "int", bits: 3, granularity: "group:64" }));
    const argv = ["compare", DEMO.model, "--with", gguf, "--recipe", rough, ...SCORED];
    const { variants, passage } = compareReport.parse((await runMain([...argv, "--json"])).json());
    const [original, quantized, packed] = variants;
    expect(packed).toMatchObject({
      label: "gguf",
      checkpoint: { path: gguf, packing: "GGUF F16, F32", weights: "exact" },
      bitsPerWeight: null,
      scores: { kl: { mean: 0, topAgreement: 1 } },
    });
    expect(packed?.scores.perplexity).toBe(original?.scores.perplexity);
    expect([original?.sqnrDb, packed?.sqnrDb]).toEqual([null, null]);
    expect(packed?.passageNll).toEqual(original?.passageNll);
    expect(passage.length).toBe(packed?.passageNll.length);
    expect(quantized?.checkpoint).toBeNull();
    expect(quantized?.scores.kl?.mean).toBeGreaterThan(0);

    const { stdout } = await runMain(argv);
    expect(stdout).toMatch(/^original /m);
    expect(stdout).toMatch(/^gguf \(GGUF F16, F32\) .* 0\.000000 .* 100\.0% +exact$/m);
  });

  it("a packed file has the SQNR of the recipe it was made by", async () => {
    const home = await temporaryFolder();
    const recipe = join(home, "recipe.json");
    const out = join(home, "packed");
    const settings = { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:64" };
    await writeFile(recipe, JSON.stringify(settings));
    const format = ["--format", "compressed-tensors", "--out", out];
    expect((await runMain(["export", DEMO.model, "--recipe", recipe, ...format])).code).toBe(0);
    const argv = ["compare", DEMO.model, "--with", out, "--recipe", recipe, ...SCORED, "--json"];
    const { variants } = compareReport.parse((await runMain(argv)).json());
    const [, judged, packed] = variants;
    expect(judged?.sqnrDb).toBeGreaterThan(10);
    expectSum(packed?.sqnrDb, judged?.sqnrDb ?? NaN, decibelBound(DEMO_WEIGHTS), "SQNR");
  });

  it("of a padded vocabulary are compared over the tokens that both can produce, and it is said", async () => {
    const home = await temporaryFolder();
    const padded = await writePadded(join(home, "padded"), 64);
    for (const [model, other] of [
      [DEMO.model, padded],
      [padded, DEMO.model],
    ] as const) {
      const argv = ["compare", model, "--with", other, ...SCORED];
      const { variants } = compareReport.parse((await runMain([...argv, "--json"])).json());
      const [original, found] = variants;
      expect(found?.scores.kl).toMatchObject({ topAgreement: 1 });
      expect(Math.abs(found?.scores.kl?.mean ?? NaN)).toBeLessThan(MAX_KL_OF_EQUAL_MODELS);
      expect(found?.checkpoint?.weights).toBe("exact");
      // what the padding's rows take is the padded model's own loss
      const own = [original, found].map((variant) => variant?.scores.perplexity ?? NaN);
      expect(own[model === padded ? 0 : 1]).toBeGreaterThan(own[model === padded ? 1 : 0] * 1.0001);
      expect((await runMain(argv)).stdout).toMatch(
        /predicts 1,0(24|88) tokens and .* 1,0(24|88): KL and top-1 agreement are over the 1,024 that both can produce/,
      );
    }
  });

  it("refuses a checkpoint of another vocabulary, and one whose tokenizer cuts the text otherwise", async () => {
    const home = await temporaryFolder();
    const env = { KEYSTONE_DEBUG: "1" };
    const small = await writeSyntheticCheckpoint({ vocabulary: 64 }, join(home, "small"));
    const compared = (other: string) => runMain(["compare", DEMO.model, "--with", other, ...SCORED], { env });
    const refused = await compared(small);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/small predicts 64 tokens and demo-model \d+.*compare\/other-vocabulary/s);

    const renamed = join(home, "renamed");
    await cp(DEMO.model, renamed, { recursive: true });
    const file = join(renamed, "tokenizer.json");
    const definition = JSON.parse(await readFile(file, "utf8")) as { model: { merges: unknown[] } };
    definition.model.merges = definition.model.merges.slice(0, 100);
    await writeFile(file, JSON.stringify(definition));
    const otherwise = await compared(renamed);
    expect(otherwise.code).toBe(1);
    expect(otherwise.stderr).toMatch(
      /renamed cuts the text otherwise.*from token \d+ on.*compare\/other-tokens/s,
    );
  });
});
