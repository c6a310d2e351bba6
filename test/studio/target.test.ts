import { textsOf } from "#shared/notes.ts";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportFormat } from "#shared/exporting.ts";
import { DEMO, fakeStudio } from "./helpers.ts";

const RTN = { scheme: "affine", bits: 4, granularity: "group:64" } as const;

/** Half of these leave as GPTQ; the others are one reason each. */
const MIXED = {
  recipes: [
    { scheme: "gptq-int", bits: 4, symmetric: true, granularity: "group:64" },
    RTN,
    { ...RTN, bits: 3 },
    { scheme: "gptq-int", bits: 4, granularity: "group:8" },
  ],
  judge: { tokens: 100 },
  target: "gptq",
} as const;

describe("a plan that aims for a format", () => {
  it("is told in the receipt what the format cannot store, recipe by recipe", async () => {
    const { studio, text } = fakeStudio();
    const { problems } = await studio.call("sweep:estimate", { model: DEMO, plan: MIXED, text });
    expect(problems.map(({ code }) => code)).toEqual(["plan/target", "plan/target"]);
    expect(problems[0].message).toContain(
      '"affine4, group 64", "affine3, group 64": GPTQ holds 2, 3, 4, 8-bit integers',
    );
    expect(problems[1].message).toContain('"gptq-int4, group 8": GPTQ has blocks of group:16');
    expect(problems[1].next).toContain("Use group:16.");
  });

  it("does not start, and starts without the target", async () => {
    const { studio, text } = fakeStudio();
    await expect(studio.call("job:sweep", { model: DEMO, plan: MIXED, text })).rejects.toMatchObject({
      code: "plan/target",
      details: { format: "gptq", reason: "export/packed-scheme" },
    });
    expect(await studio.call("run:list", {})).toEqual([]);
    const free = { recipes: MIXED.recipes, judge: MIXED.judge };
    expect((await studio.call("job:sweep", { model: DEMO, plan: free, text })).run).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });

  it("is told what becomes of restored weights, with the cost", async () => {
    const { studio, text } = fakeStudio();
    const plan = {
      recipes: [
        {
          scheme: "compressed-tensors",
          bits: 4,
          symmetric: true,
          granularity: "group:64",
          restore: [[1, 137, 401]],
        },
      ],
      target: "compressed-tensors",
    };
    const { problems, notes } = await studio.call("sweep:estimate", { model: DEMO, plan, text });
    expect(problems).toEqual([]);
    expect(textsOf(notes).join("\n")).toMatch(
      /Exported as compressed-tensors: The module model\.layers\.1\.mlp\.down_proj\.weight stays unquantized.*[\d,]+ bytes more/,
    );
  });
});

describe("formats held against a recipe", () => {
  it("say for each format what it makes of it: bits, bytes, changes, or why it has no place", async () => {
    const { studio } = fakeStudio();
    const recipe = {
      scheme: "gptq-int",
      bits: 4,
      symmetric: true,
      granularity: "group:64",
      restore: [[1, 137, 401]],
    } as const;
    const answers = await studio.call("format:list", {
      model: DEMO,
      recipe: { ...recipe, restore: [[1, 137, 401]] },
      kept: "8-bit",
    } as never);
    const byFormat = new Map(answers.map((answer) => [answer.description.format, answer]));
    expect([...byFormat.keys()]).toEqual(exportFormat.options);
    const gptq = byFormat.get("gptq");
    expect(gptq?.problems).toEqual([]);
    expect(gptq?.changes[0]?.text).toMatch(/gets 8 bits/);
    expect(gptq?.bytes).toBeLessThan((byFormat.get("safetensors")?.bytes ?? 0) / 2);
    expect(byFormat.get("awq")?.problems[0]).toMatchObject({ code: "export/packed-scheme" });
    expect(byFormat.get("safetensors")).toMatchObject({ problems: [], changes: [] });
  });

  it("say what one of them cannot store beside the recipe, and go on with the others", async () => {
    const { studio, home } = fakeStudio();
    const model = join(home, "unigram");
    await cp(DEMO, model, { recursive: true });
    const unigram = {
      version: "1.0",
      added_tokens: [],
      model: { type: "Unigram", vocab: [["<unk>", 0]], unk_id: 0 },
    };
    await writeFile(join(model, "tokenizer.json"), JSON.stringify(unigram));
    const recipe = { scheme: "q4_0", bits: 4, granularity: "group:32" } as const;
    const answers = await studio.call("format:list", { model, recipe });
    const byFormat = new Map(answers.map((answer) => [answer.description.format, answer]));
    expect(byFormat.get("gguf")).toMatchObject({
      problems: [{ code: "export/gguf-tokenizer" }],
      bytes: null,
    });
    expect(byFormat.get("safetensors")).toMatchObject({ problems: [] });
    expect(byFormat.get("safetensors")?.bytes).toBeGreaterThan(0);
  });
});

it("an export that its format cannot hold is refused before a job is made", async () => {
  const { studio, home } = fakeStudio();
  const request = { recipe: RTN, format: "awq", out: join(home, "out") } as const;
  await expect(studio.call("job:export", { model: DEMO, request, verify: null })).rejects.toMatchObject({
    code: "export/packed-scheme",
  });
  expect(await studio.call("job:list", {})).toEqual([]);
});
