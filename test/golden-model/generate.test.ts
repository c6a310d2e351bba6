import { readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { endTokens } from "#engine/formats/tokens/endTokens.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { generate } from "#engine/evaluate/generate/generate.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { ORIGINAL } from "#engine/tasks/score/runTasks.ts";
import { generateWhole } from "../support/generateWhole.ts";
import { openModelAt } from "../support/openModelAt.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { demoFile, demoVariant, openDemo, type Demo } from "./demoModel.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden");
const ids = z.array(z.number());
const golden = z
  .object({
    tiny: z.array(z.object({ name: z.string(), prompt: ids, tokens: ids })),
    demo: z.object({
      prompt: ids,
      limit: z.number(),
      free: ids,
      cases: z.array(
        z.object({
          name: z.string(),
          generation: z.unknown().optional(),
          config: z.object({ eos_token_id: z.union([z.number(), ids]) }),
          tokens: ids,
        }),
      ),
    }),
  })
  .parse(JSON.parse(readFileSync(join(GOLDEN, "generate/golden.json"), "utf8")));

describe("greedy generation gives the tokens of transformers' generate", () => {
  it.each(golden.tiny)("$name", async ({ name, prompt, tokens }) => {
    const checkpoint = await openCheckpoint(join(GOLDEN, "transformers", name));
    const architecture = architectureOf(checkpoint);
    const forward = await createForward(architecture, { device: "cpu", threads: 1 });
    const engine = { checkpoint, architecture, forward };
    const [text] = await generate({
      ...engine,
      variants: [ORIGINAL],
      prompts: [prompt],
      tokens: tokens.length,
      ends: [],
    });
    expect(text.ids).toEqual(tokens);
    expect(text.end).toBe("length");
    await forward.close();
    await checkpoint.close();
  });
});

describe("the demo model", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo();
  });
  afterAll(() => demo.forward.close());
  const { prompt, limit, free, cases } = golden.demo;

  it.each(cases)("ends its text where transformers does: $name", async ({ generation, config, tokens }) => {
    const path = await temporaryFolder();
    await cp(demoFile("model"), path, { recursive: true });
    await writeFile(join(path, "config.json"), JSON.stringify({ ...demo.checkpoint.config, ...config }));
    await writeFile(join(path, "tokenizer_config.json"), "{}");
    if (generation !== undefined)
      await writeFile(join(path, "generation_config.json"), JSON.stringify(generation));
    const model = await openModelAt(path);
    const ends = await endTokens(model.checkpoint, model.tokenizer);
    const [text] = await generate({ ...model, variants: [ORIGINAL], prompts: [prompt], tokens: limit, ends });
    const last = tokens.at(-1);
    expect([...text.ids, text.endToken]).toEqual(tokens);
    expect(text).toMatchObject({ end: "end-token", endToken: last });
    await model.forward.close();
  });

  it("writes the same tokens with keys and values kept as without, every variant beside the others", async () => {
    const variants: Variant[] = [
      ORIGINAL,
      demoVariant(demo, "4 bits", { scheme: "int", bits: 4, granularity: "group:64" }),
      demoVariant(demo, "head and table too", {
        scheme: "int",
        bits: 5,
        granularity: "group:64",
        ignore: [],
      }),
    ];
    const texts = await generate({ ...demo, variants, prompts: [prompt], tokens: 12, ends: [] });
    expect(texts[0].ids).toEqual(free.slice(0, 12));
    for (const [i, variant] of variants.slice(0, 2).entries())
      expect(texts[i].ids, variant.id).toEqual(await generateWhole(demo, variant, prompt, 12));
    const [alone] = await generate({
      ...demo,
      variants: [variants[2]],
      prompts: [prompt],
      tokens: 12,
      ends: [],
    });
    expect(texts[2].ids).toEqual(alone.ids);
  });

  it("goes on from a prompt of its own for each variant, as each would alone", async () => {
    // What the first has written of its own is what the second is given.
    const prompts = [prompt, [...prompt, ...free.slice(0, 2)]];
    const texts = await generate({ ...demo, variants: [ORIGINAL, ORIGINAL], prompts, tokens: 4, ends: [] });
    expect(texts[0].ids).toEqual(free.slice(0, 4));
    expect(texts[1].ids).toEqual(free.slice(2, 6));
  });

  it("tells every token as it is written, and the end of each text", async () => {
    const lengths: number[][] = [];
    const texts = await generate({
      ...demo,
      variants: [ORIGINAL, ORIGINAL],
      prompts: [prompt],
      tokens: 3,
      ends: [],
      onStep: (so) => void lengths.push(so.map(({ ids: written }) => written.length)),
    });
    expect(lengths).toEqual([1, 2, 3].map((n) => [n, n]));
    expect(texts[0].rate.tokens).toBe(2);
    expect(texts[0].rate.seconds).toBeGreaterThan(0);
  });

  it("a text whose logits are no numbers stops and says so", async () => {
    const name = demo.architecture.downProjection(2);
    const broken: Variant = { ...ORIGINAL, edits: new Map([[name, [{ index: 0, factor: Infinity }]]]) };
    const [text] = await generate({ ...demo, variants: [broken], prompts: [prompt], tokens: 3, ends: [] });
    expect(text).toMatchObject({ ids: [], end: "not-finite" });
  });
});
