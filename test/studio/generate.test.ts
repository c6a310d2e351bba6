import { textsOf } from "#shared/notes.ts";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GenerateReport } from "#shared/comparison.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { Studio } from "#studio/context/studio.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, startStudio, temporaryFolder } from "./helpers.ts";

const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}" +
  "{% if add_generation_prompt %}[assistant] {% endif %}";

function studioOn(): Studio {
  return startStudio({
    home: temporaryFolder(),
    overrides: { device: "cpu", workers: 1, threadsPerWorker: 1 },
  });
}

/** A copy of the demo model with other files beside its weights. */
function demoWith(files: Readonly<Record<string, unknown>>): string {
  const folder = join(temporaryFolder(), "model");
  cpSync(DEMO, folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}

const chatModel = (): string => {
  const config = JSON.parse(readFileSync(join(DEMO, "tokenizer_config.json"), "utf8")) as object;
  return demoWith({ "tokenizer_config.json": { ...config, chat_template: TEMPLATE } });
};

async function generated(studio: Studio, args: Parameters<typeof start>[1]): Promise<GenerateReport> {
  const { job } = await start(studio, args);
  await waitForJob(studio, job);
  return reportOf(studio, job);
}

function start(
  studio: Studio,
  args: { model: string; tokens: number; prompt?: string; template?: string | null; system?: string },
): Promise<{ job: string }> {
  return studio.call("job:generate", { recipes: [], prompt: "Pip was a quiet deer.", ...args });
}

async function reportOf(studio: Studio, job: string): Promise<GenerateReport> {
  const result = await studio.call("job:result", { job });
  if (result.kind !== "generate") throw new Error(result.kind);
  return result.report;
}

describe("generation", () => {
  it("puts a prompt in the model's chat template where it has one, and shows what the model read", async () => {
    const [studio, model] = [studioOn(), chatModel()];
    expect((await studio.call("model:open", { path: model })).chatTemplates).toEqual(["default"]);
    const asked = { model, tokens: 2, prompt: "Who?", system: "Be short." };
    const report = await generated(studio, asked);
    expect(report.template).toBe("default");
    expect(report.rendered).toBe("<s>[system] Be short.\n[user] Who?\n[assistant] ");
    expect(report.promptTokens.map(({ id }) => id).filter((id) => id === 1)).toHaveLength(1);

    const plain = await generated(studio, { model, tokens: 2, prompt: "Who?", template: null });
    expect(plain).toMatchObject({ template: null, rendered: "Who?", notes: [] });
    expect(plain.promptTokens[0]?.id).toBe(1);
  });

  it("feeds BOS once where the prompt begins with it, and says so", async () => {
    const report = await generated(studioOn(), { model: DEMO, tokens: 1, prompt: "<s>Pip was" });
    expect(report.promptTokens.filter(({ id }) => id === 1)).toHaveLength(1);
    expect(textsOf(report.notes)).toEqual(["The prompt begins with BOS itself: none is added."]);
  });

  it("refuses a template that the model does not have, and a system message without one", async () => {
    const studio = studioOn();
    const refused = (more: object) => generated(studio, { model: DEMO, tokens: 1, ...more });
    await expect(refused({ template: "tools" })).rejects.toMatchObject({ code: "chat/no-such-template" });
    await expect(refused({ system: "Be short." })).rejects.toMatchObject({
      code: "chat/system-without-template",
    });
  });

  it("goes on with a conversation, each from its own answers, and shows what each has read", async () => {
    const [studio, model] = [studioOn(), chatModel()];
    const recipes = [parseRecipe({ scheme: "int", bits: 4, granularity: "group:64" })];
    const turns = [{ prompt: "Who?", answers: ["Pip.", "Nobody."] }];
    const { job } = await studio.call("job:generate", { model, recipes, prompt: "Why?", tokens: 2, turns });
    await waitForJob(studio, job);
    const { outputs, rendered } = await reportOf(studio, job);
    expect(outputs.map((output) => output.rendered)).toEqual(
      ["Pip.", "Nobody."].map((answer) => `<s>[user] Who?\n[assistant] ${answer}\n[user] Why?\n[assistant] `),
    );
    expect(rendered).toBe(outputs[0]?.rendered);
    const refused = studio.call("job:generate", {
      ...{ model, recipes: [], prompt: "Why?", tokens: 2, turns },
    });
    await expect(refused).rejects.toMatchObject({ code: "usage/invalid-arguments" });
    const plain = await studio.call("job:generate", {
      ...{ model: DEMO, recipes, prompt: "Why?", tokens: 2, turns },
    });
    await expect(waitForJob(studio, plain.job)).rejects.toMatchObject({ code: "chat/without-template" });
  });

  it("says of an empty text that the model ended at once, and with which token", async () => {
    const studio = studioOn();
    const [first] = (await generated(studio, { model: DEMO, tokens: 1 })).outputs[0]?.output.tokens ?? [];
    const model = demoWith({ "generation_config.json": { eos_token_id: [2, first?.id] } });
    const report = await generated(studio, { model, tokens: 5 });
    expect(report.outputs[0]).toMatchObject({
      output: { tokens: [], text: "" },
      end: "end-token",
      endToken: first,
    });
    expect(report.endTokens).toContainEqual(first);
  });

  it("tells the texts of all variants as they are written, and keeps what is there when it is cancelled", async () => {
    const studio = studioOn();
    const seen: GenerateReport[] = [];
    studio.on(({ event }) => {
      if (event.type !== "generated") return;
      seen.push(event.report);
      if ((event.report.outputs[0]?.output.tokens.length ?? 0) >= 3)
        void studio.call("job:cancel", { job: event.job });
    });
    const recipes = [parseRecipe({ scheme: "int", bits: 4, granularity: "group:64" })];
    const { job } = await studio.call("job:generate", {
      ...{ model: DEMO, recipes, prompt: "Pip was a quiet deer.", tokens: 180 },
    });
    await expect(waitForJob(studio, job)).rejects.toMatchObject({ code: "job/cancelled" });
    const lengths = seen.map(({ outputs }) => outputs.map(({ output }) => output.tokens.length));
    expect(lengths[0]).toEqual([0, 0]);
    for (const [original, variant] of lengths) expect(variant).toBe(original);
    expect(lengths.length).toBeGreaterThan(2);

    const { outputs } = await reportOf(studio, job);
    for (const { output, end, tokensPerSecond } of outputs) {
      expect(end).toBe("cancelled");
      expect(output.tokens.length).toBeGreaterThanOrEqual(3);
      expect(output.tokens.length).toBeLessThan(180);
      expect(tokensPerSecond).toBeGreaterThan(0);
    }
  });
});
