import { describe, expect, it } from "vitest";
import { generateReport, type GenerateReport } from "#shared/comparison.ts";
import { cancelledError } from "#shared/errors.ts";
import { fakeStudio, jobView, type Answers } from "./fakeStudio.ts";
import { runMain } from "./runMain.ts";

const REPORT: GenerateReport = {
  prompt: "Who?",
  rendered: "<s>[user] Who? [assistant]",
  template: "default",
  promptTokens: [{ id: 1, text: "<s>" }],
  endTokens: [{ id: 2, text: "</s>" }],
  notes: [],
  outputs: [
    {
      ...{ label: "original", id: null, end: "end-token", endToken: { id: 2, text: "</s>" } },
      output: { tokens: [], text: "" },
      tokensPerSecond: null,
    },
    {
      ...{ label: "int4", id: "a", end: "cancelled", endToken: null },
      output: { tokens: [{ id: 7, text: "Me" }], text: "Me" },
      tokensPerSecond: 12.34,
    },
  ],
  seconds: 2,
};

const answers = (status: "done" | "cancelled"): Answers => ({
  "job:generate": () => ({ job: "job-1" }),
  "job:list": () => [
    jobView({ kind: "generate", status, error: status === "done" ? null : cancelledError().toData() }),
  ],
  "job:result": () => ({ kind: "generate", report: REPORT }),
});
const ARGV = ["generate", "m", "--prompt", "Who?"];

describe("keystone generate", () => {
  it.each([
    [[], {}],
    [["--no-template"], { template: null }],
    [["--template", "rag", "--system", "Be short."], { template: "rag", system: "Be short." }],
  ])("asks for the model's template unless told otherwise: %j", async (options, wanted) => {
    const fake = fakeStudio(answers("done"));
    expect((await runMain([...ARGV, ...options], { dependencies: fake })).code).toBe(0);
    const { args } = fake.asked.find(({ name }) => name === "job:generate") ?? {};
    expect(args).toEqual({
      ...{ model: expect.stringMatching(/m$/) as string, recipes: [], prompt: "Who?", tokens: 64 },
      ...wanted,
    });
  });

  it("prints what the model read, how each text ended and how fast it came", async () => {
    const { stdout } = await runMain(ARGV, { dependencies: fakeStudio(answers("done")) });
    expect(stdout).toContain('in the model\'s chat template "default", 1 token:\n<s>[user] Who? [assistant]');
    expect(stdout).toContain("original: 0 tokens, ended at once, with </s>\n");
    expect(stdout).toContain("int4: 1 token, cancelled, not finished, 12.3 tokens/s\nMe\n");
  });

  it("prints what there is of a cancelled job, and fails", async () => {
    const { code, json } = await runMain([...ARGV, "--json"], {
      dependencies: fakeStudio(answers("cancelled")),
    });
    expect(code).toBe(1);
    expect(generateReport.parse(json())).toEqual(REPORT);
  });
});
