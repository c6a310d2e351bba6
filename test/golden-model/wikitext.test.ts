import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { judge } from "#shared/plan.ts";
import { judgedTexts } from "#engine/evaluate/windows/judgedTexts.ts";
import { scoreOriginal } from "#engine/evaluate/score.ts";
import { detokenizeWikitext } from "#engine/evaluate/windows/wikitext.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { openModelAt, type OpenModel } from "../support/openModelAt.ts";
import { expectWithin } from "./bounds.ts";

/** Relative; measured below 2e-6, which is f32 sums in another order. */
const NLL_BOUND = 5e-5;

const GOLDEN = join(import.meta.dirname, "../golden");
const numbers = z.array(z.number());
const nll = z.object({ "lm-eval": numbers, rolling: numbers });
const golden = z
  .object({
    pages: z.array(z.string()),
    detokenized: z.array(z.string()),
    words: numbers,
    bytes: numbers,
    context: z.number(),
    texts: z.array(z.string()),
    nll: z.object({ bos: nll, "no-bos": nll }),
  })
  .parse(JSON.parse(readFileSync(join(GOLDEN, "evaluate/wikitext.json"), "utf8")));

describe("WikiText's articles", () => {
  it("are detokenized as lm-eval's wikitext task does it", () => {
    expect(golden.pages.map(detokenizeWikitext)).toEqual(golden.detokenized);
  });

  it("are told apart in one text, and counted as lm-eval counts them: as published", () => {
    const { texts } = judgedTexts([golden.pages.join("\n")], { windows: "lm-eval", join: "articles" });
    expect(texts.map(({ text }) => text)).toEqual(golden.detokenized);
    expect(texts.map(({ words }) => words)).toEqual(golden.words);
    expect(texts.map(({ bytes }) => bytes)).toEqual(golden.bytes);
  });
});

describe.each(["bos", "no-bos"] as const)("the model %s", (name) => {
  let model: OpenModel;
  beforeAll(async () => {
    model = await openModelAt(join(GOLDEN, "tasks", name));
  });
  afterAll(() => model.close());

  async function total(text: string, windows: "lm-eval" | "rolling"): Promise<number> {
    const asked = judge.parse({ windows, context: golden.context });
    const set = cutWindows([text], model.tokenizer, asked, model.architecture.facts.contextLength);
    const { nll } = await scoreOriginal({ ...model, windows: set });
    return nll.reduce((sum, value) => sum + value, 0);
  }

  it("has lm-eval's rolling log-likelihoods in lm-eval windows, which lead a text by BOS twice where lm-eval does", async () => {
    for (const [i, text] of golden.texts.entries())
      expectWithin(
        await total(text, "lm-eval"),
        golden.nll[name]["lm-eval"][i],
        NLL_BOUND,
        text.slice(0, 20),
      );
  });

  it("has those of lm-eval told to add no BOS in rolling windows, which lead a text by one", async () => {
    for (const [i, text] of golden.texts.entries())
      // lm-eval leads a text that begins with BOS by another one all the same
      if (!(name === "bos" && text.startsWith("<s>")))
        expectWithin(await total(text, "rolling"), golden.nll[name].rolling[i], NLL_BOUND, text.slice(0, 20));
  });
});
