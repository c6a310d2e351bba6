import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readManifest } from "#engine/export/card/manifestFiles.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import { compareReport } from "#shared/comparison.ts";
import { exportReport } from "#shared/exporting.ts";
import { fileHash } from "#studio/calls/texts.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const SCORED = ["--text", DEMO.text, "--tokens", "1000"];
const CASES = [
  ["compressed-tensors", { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:64" }],
  ["gptq", { scheme: "gptq-int", bits: 4, granularity: "group:32", range: { method: "mse" } }],
  ["awq", { scheme: "awq-int", bits: 4, granularity: "group:64" }],
] as const;

describe("a packed export from the command line", () => {
  for (const [format, settings] of CASES) {
    it(`as ${format} scores what was judged, and so does eval on the folder; detect finds the super weight in it`, async () => {
      const home = await temporaryFolder();
      const recipe = join(home, "recipe.json");
      const out = join(home, "packed");
      await writeFile(recipe, JSON.stringify({ ...settings, restore: "super-weights" }));
      const argv = ["export", DEMO.model, "--recipe", recipe, "--format", format, "--out", out];
      const exported = await runMain([...argv, "--verify", ...SCORED, "--json"]);
      expect([exported.code, exported.stderr]).toEqual([0, ""]);
      const report = exportReport.parse(exported.json());
      expect(report.verified?.maxAbsDiff).toBe(0);
      expect(report.verified?.perplexity).toBe(report.verified?.judgedPerplexity);
      expect(report.changes[0].text).toMatch(
        /^The module model\.layers\.1\.mlp\.down_proj\.weight stays unquantized/,
      );

      const record = await readManifest(out);
      expect(record.asked).toMatchObject({ recipe: { restore: "super-weights" }, kept: "unquantized" });
      expect(record.asked.recipeId).toBe(recipeId(record.asked.recipe));
      expect(record).toMatchObject({ recipeId: recipeId(report.recipe), recipe: { restore: "none" } });
      expect(record.restored).toMatchObject({ count: 0, held: [{ layer: 1, row: 137, column: 401 }] });
      expect(record.results?.text).toEqual({ name: basename(DEMO.text), sha256: await fileHash(DEMO.text) });
      const card = await readFile(join(out, "README.md"), "utf8");
      expect(card).toContain('restores 1 weight, named as "super-weights"');
      for (const folder of [dirname(DEMO.text), dirname(DEMO.model), home])
        expect(card + JSON.stringify(record)).not.toContain(folder);

      const scored = await runMain(["eval", out, ...SCORED, "--json"]);
      expect([scored.code, scored.stderr]).toEqual([0, ""]);
      expect(z.object({ perplexity: z.number() }).parse(scored.json()).perplexity).toBe(
        report.verified?.perplexity,
      );

      const beside = await runMain(["compare", DEMO.model, "--with", out, ...SCORED, "--json"]);
      expect([beside.code, beside.stderr]).toEqual([0, ""]);
      const [original, column] = compareReport.parse(beside.json()).variants;
      // a comparison's scores have intervals beside them; the card's have none
      expect({ ...original?.scores, confidence: undefined }).toEqual(record.results?.original);
      expect(column).toMatchObject({ recipe: null, checkpoint: { path: out } });
      // the graphs are the same and so are the weights: not a digit may differ
      expect({ ...column?.scores, confidence: undefined }).toEqual(record.results?.variant);

      const found = await runMain(["detect", out, "--json"]);
      expect(found.json()).toMatchObject({ superWeights: [{ layer: 1, row: 137, column: 401 }] });

      const shown = await runMain(["inspect", out, "--no-statistics"]);
      expect(shown.stdout).toMatch(/layers\.0\.mlp\.down_proj\.weight +256 × 704 +.* int4, group \d+/);
      expect(shown.stdout).toMatch(/already quantized/);
    });
  }
});
