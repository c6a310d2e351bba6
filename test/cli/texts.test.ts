import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evalReport, type EvalReport } from "#shared/evaluation.ts";
import { expectSum, float64Bound } from "../support/rounding.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const GOLDEN = join(import.meta.dirname, "../golden/texts");
const ARTICLE =
  ' = The Crow = \n \n The crow is a bird , old and black . It said " caw , caw " to the owl . \n \n';

async function scored(text: string, ...options: string[]): Promise<EvalReport> {
  const argv = ["eval", DEMO.model, "--text", text, "--context", "16", "--json", ...options];
  const { stderr, json } = await runMain(argv);
  expect(stderr).toBe("");
  return evalReport.parse(json());
}

describe("keystone eval", () => {
  it("reads rows of every form, joined as the convention's authors join them or as it is told", async () => {
    const folder = await temporaryFolder();
    for (const kind of ["jsonl", "csv", "parquet"])
      await copyFile(join(GOLDEN, `rows.${kind}`), join(folder, `rows.${kind}`));
    const rows = await Promise.all(
      ["jsonl", "csv", "parquet"].map((kind) => scored(join(folder, `rows.${kind}`), "--windows", "gptq")),
    );
    for (const { perplexity, convention } of rows) {
      expect(perplexity).toBe(rows[0].perplexity);
      expect(convention).toMatchObject({ windows: "gptq", join: "blank-line", documents: 3 });
    }
    const joined = await scored(join(folder, "rows.csv"), "--windows", "gptq", "--join", "concat");
    expect(joined.convention.text).toContain("3 rows joined by nothing between them into one document");
    expect(joined.perplexity).not.toBe(rows[0].perplexity);
  });

  it("gives word and byte perplexity in every convention, and says which tokens they are estimated for", async () => {
    const text = join(await temporaryFolder(), "wiki.test.raw");
    await writeFile(text, ARTICLE.repeat(3));
    for (const options of [
      ["--windows", "bos"],
      ["--windows", "bos", "--tokens", "20"],
      ["--windows", "gptq"],
      ["--windows", "llama.cpp"],
      ["--windows", "rolling", "--join", "articles"],
      ["--windows", "lm-eval", "--join", "articles"],
    ]) {
      const { nll, tokens, wordPerplexity, bytePerplexity, convention } = await scored(text, ...options);
      const { textTokens = NaN, words = NaN, bytes = NaN } = convention;
      const perToken = Math.log(bytePerplexity ?? NaN) * (bytes / textTokens);
      const total = perToken * textTokens;
      expectSum(perToken, nll ?? NaN, float64Bound({ magnitude: perToken, terms: textTokens }));
      expectSum(
        Math.log(wordPerplexity ?? NaN) * words,
        total,
        float64Bound({ magnitude: total, terms: textTokens }),
      );
      expect(/word and byte perplexity take the/.test(convention.text)).toBe(tokens < textTokens);
    }
  });

  it("takes the text that ships with Keystone by a word, and a file of that name by its path", async () => {
    const own = await scored("builtin");
    expect(own.convention.documents).toBe(14);
    const folder = await temporaryFolder();
    await writeFile(join(folder, "builtin"), "Once upon a time there was a cat.");
    const file = await runMain(["eval", DEMO.model, "--text", "./builtin", "--json"], {
      cwd: folder,
    });
    expect(file.code).toBe(1);
    expect(file.stderr).toContain("builtin is not of a kind that Keystone reads as text");
    const none = await runMain(["compare", folder, "--with", DEMO.model], {
      cwd: folder,
    });
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("--text builtin");
  });
});
