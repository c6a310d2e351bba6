import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { promptConvention, toPrompt } from "#engine/lab/run/prompts.ts";
import { openDemo, type Demo } from "../golden-model/demoModel.ts";

describe("a prompt of the lab that begins with BOS itself", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo();
  });
  afterAll(() => demo.forward.close());

  it("is fed it once, as the same prompt without it is", () => {
    const [own, plain] = ["<s>Pip was a quiet deer.", "Pip was a quiet deer."].map((text) =>
      toPrompt(demo, text, "beginning"),
    );
    expect(own.ids).toEqual(plain.ids);
    expect([own.ownBos, plain.ownBos]).toEqual([true, false]);
    expect(promptConvention(demo, [own, plain]).text).toContain(
      "each led by BOS (1 begins with it already: none is added)",
    );
  });

  it("that holds nothing else is refused as empty", () => {
    expect(() => toPrompt(demo, "<s>", "end")).toThrow(/holds no token/);
  });
});
