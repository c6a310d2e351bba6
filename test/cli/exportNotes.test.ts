import { z } from "zod";
import { textsOf } from "#shared/notes.ts";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportReport } from "#shared/exporting.ts";
import { readManifest } from "#engine/export/card/manifestFiles.ts";
import { temporaryFolder, writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const SIZES = {
  hidden: 32,
  intermediate: 64,
  heads: 4,
  keyValueHeads: 4,
  vocabulary: 64,
  storage: "F16",
} as const;

describe("what a format's loaders do not take of an export", () => {
  it.each([
    ["gptq", { scheme: "gptq-int", bits: 4, symmetric: false }, /gptq_v2.*vLLM and older loaders do not/],
    [
      "compressed-tensors",
      { scheme: "compressed-tensors", bits: 8, symmetric: false },
      /vLLM has kernels for asymmetric 8-bit weights on few GPUs only/,
    ],
  ])("is printed, put on the card and kept in keystone.json: %s %j", async (format, settings, note) => {
    const home = await temporaryFolder();
    const model = await writeSyntheticCheckpoint(SIZES, join(home, "model"));
    const recipe = join(home, "recipe.json");
    await writeFile(recipe, JSON.stringify({ ...settings, granularity: "group:32" }));
    const exported = (out: string, ...more: string[]) =>
      runMain(["export", model, "--recipe", recipe, "--format", format, "--out", join(home, out), ...more]);

    const text = await exported("text");
    expect(text.code, text.stderr).toBe(0);
    expect(text.stdout).toMatch(note);

    const printed = (await exported("json", "--json")).json();
    const { noteCodes } = z.object({ noteCodes: z.array(z.string()) }).parse(printed);
    const report = exportReport.parse(printed);
    expect(textsOf(report.notes).filter((each) => note.test(each))).toHaveLength(1);
    const kept = await readManifest(report.out);
    expect(textsOf(kept.notes)).toEqual(textsOf(report.notes));
    expect(noteCodes).toEqual(kept.notes.map(({ code }) => code));
    const card = (await readFile(join(report.out, "README.md"), "utf8")).replaceAll("\\", "");
    expect(card).toContain("## What loads it");
    expect(card).toMatch(note);
  });
});
