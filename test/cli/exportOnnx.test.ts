import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exportReport } from "#shared/exporting.ts";
import { expectSum, float64Bound } from "../support/rounding.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { runMain } from "./runMain.ts";

it("export --format onnx writes a decoder that opens again with the judged weights and the judged perplexity", async () => {
  const home = await temporaryFolder();
  const recipe = join(home, "recipe.json");
  const settings = { scheme: "matmulnbits", bits: 4, granularity: "group:64", restore: "super-weights" };
  await writeFile(recipe, JSON.stringify(settings));
  const argv = ["export", DEMO.model, "--recipe", recipe, "--format", "onnx", "--out", join(home, "onnx")];
  const { code, stderr, json } = await runMain(
    [...argv, "--verify", "--text", DEMO.text, "--tokens", "1000", "--json"],
    { env: { KEYSTONE_HOME: home } },
  );
  expect([code, stderr]).toEqual([0, ""]);
  const report = exportReport.parse(json());
  expect(report.verified?.maxAbsDiff).toBe(0);
  expect(report.verified?.perplexity).toBe(report.verified?.judgedPerplexity);
  // 4 bits, a zero point of 4 and a scale of 32 bits for every 64 weights, and 48 bits for one restored weight
  expectSum(report.bitsPerWeight, 4 + 36 / 64 + 48 / 4_423_680, float64Bound({ magnitude: 4, terms: 42 }));
  expect(report.files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["model.onnx", "model.onnx.data", "genai_config.json", "tokenizer.json"]),
  );
});
