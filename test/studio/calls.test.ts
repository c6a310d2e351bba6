import { textsOf } from "#shared/notes.ts";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { calls, type CallName } from "#shared/contract/contract.ts";
import { DEMO, fakeStudio, PLAN, startStudio, temporaryFolder } from "./helpers.ts";

/** Calls as something hostile would make them: the types are not there to stop it. */
type Untyped = (name: string, args: unknown) => Promise<unknown>;

describe("arguments", () => {
  const bad: [string, unknown][] = [
    ["model:open", {}],
    ["model:open", { path: "" }],
    ["model:open", { path: 7 }],
    ["model:open", { path: "x".repeat(5000) }],
    ["model:open", { path: DEMO, more: 1 }],
    ["model:open", null],
    ["model:open", "text"],
    ["settings:set", { workers: 0 }],
    ["settings:set", { workers: 1.5 }],
    ["settings:set", { memoryLimitBytes: 5 }],
    ["settings:set", { home: "/" }],
    ["job:detect", { model: DEMO, options: { maxPasses: 1e9 } }],
    [
      "job:evaluate",
      { model: DEMO, recipe: { scheme: "affine", bits: 99, granularity: "tensor" }, text: "t", judge: {} },
    ],
    ["job:compare", { model: DEMO, recipes: [], text: "t", judge: {} }],
    ["job:generate", { model: DEMO, recipes: [], prompt: "", tokens: 5 }],
    ["job:generate", { model: DEMO, recipes: [], prompt: "x", tokens: 1e9 }],
    ["job:sweep", { plan: PLAN, text: "t" }],
    ["run:get", { run: "" }],
    ["run:rename", { run: "x", name: "" }],
    ["events:since", { seq: -1 }],
    ["events:since", { seq: "0" }],
    ["folder:pick", { purpose: "everything" }],
  ];
  it.each(bad)("of %s that are not valid are refused: %j", async (name, args) => {
    const studio = startStudio({ home: temporaryFolder() });
    await expect((studio.call as Untyped)(name, args)).rejects.toMatchObject({
      code: "usage/invalid-arguments",
    });
  });

  it.each(["", "toString", "__proto__", "model:steal"])("a call named %j is refused", async (name) => {
    const studio = startStudio({ home: temporaryFolder() });
    await expect((studio.call as Untyped)(name, {})).rejects.toMatchObject({ code: "usage/unknown-call" });
  });

  it("unknown jobs, runs and plans are named in the error", async () => {
    const studio = startStudio({ home: temporaryFolder() });
    for (const [name, args] of [
      ["job:cancel", { job: "j" }],
      ["job:result", { job: "j" }],
      ["run:get", { run: "r" }],
      ["plan:delete", { id: "p" }],
    ] as const) {
      await expect((studio.call as Untyped)(name, args)).rejects.toMatchObject({
        code: expect.stringMatching(/\/unknown$/) as string,
      });
    }
  });

  it("nothing is answered after closing", async () => {
    const studio = startStudio({ home: temporaryFolder() });
    await studio.close();
    await expect(studio.call("run:list", {})).rejects.toMatchObject({ code: "studio/closing" });
  });
});

describe("folders outside the allowed ones", () => {
  it("are refused wherever a path is an argument", async () => {
    const root = temporaryFolder();
    const outside = temporaryFolder();
    const text = join(outside, "secret.txt");
    writeFileSync(text, "secret");
    symlinkSync(DEMO, join(root, "link"));
    const studio = startStudio({ home: temporaryFolder(), roots: [root] });
    const recipe = { scheme: "affine", bits: 4, granularity: "tensor" } as const;
    const judge = {};
    const attempts: [CallName, unknown][] = [
      ["model:open", { path: outside }],
      ["model:open", { path: join(root, "link") }],
      ["model:open", { path: join(root, "..") }],
      ["folder:list", { path: outside }],
      ["folder:reveal", { path: text }],
      ["model:detection", { path: outside }],
      ["tensor:statistics", { path: outside, name: "x" }],
      ["text:list", { model: outside }],
      ["text:describe", { model: outside, path: text }],
      ["plan:read", { path: text }],
      ["job:detect", { model: outside }],
      ["job:evaluate", { model: outside, recipe, text, judge }],
      ["job:sweep", { model: outside, plan: PLAN, text }],
      ["sweep:estimate", { model: outside, plan: PLAN, text: null }],
      ["job:export", { model: outside, request: { recipe, out: outside }, verify: null }],
      ["export:check", { model: outside, request: { recipe, out: outside } }],
    ];
    for (const [name, args] of attempts) {
      await expect(
        (studio.call as Untyped)(name, args),
        `${name} ${JSON.stringify(args)}`,
      ).rejects.toMatchObject({ code: "access/outside" });
    }
  });

  it("are refused for the second path too: text and target of an allowed model", async () => {
    const root = dirname(DEMO);
    const text = join(temporaryFolder(), "secret.txt");
    writeFileSync(text, "secret");
    const studio = startStudio({ home: temporaryFolder(), roots: [root] });
    const recipe = { scheme: "affine", bits: 4, granularity: "tensor" } as const;
    for (const [name, args] of [
      ["job:evaluate", { model: DEMO, recipe, text, judge: {} }],
      ["job:ablate", { model: DEMO, text, judge: {}, factors: [] }],
      ["job:tasks", { model: DEMO, recipe, files: [text] }],
      ["job:compare", { model: DEMO, recipes: [recipe], text, judge: {} }],
      ["job:sweep", { model: DEMO, plan: PLAN, text }],
      ["job:detect", { model: DEMO, effectText: text }],
      ["job:export", { model: DEMO, request: { recipe, out: text }, verify: null }],
    ] as const) {
      await expect((studio.call as Untyped)(name, args), name).rejects.toMatchObject({
        code: "access/outside",
      });
    }
  });

  it("do not appear in a listing; the roots do when no path is given", async () => {
    const root = temporaryFolder();
    const other = temporaryFolder();
    mkdirSync(join(root, "model"));
    writeFileSync(join(root, "model", "config.json"), "{}");
    writeFileSync(join(root, "text.txt"), "words");
    writeFileSync(join(root, "image.png"), "");
    symlinkSync(other, join(root, "out"));
    const studio = startStudio({ home: temporaryFolder(), roots: [root, other] });
    expect((await studio.call("folder:list", { path: null })).entries.map(({ path }) => path)).toEqual([
      root,
      other,
    ]);
    const single = startStudio({ home: temporaryFolder(), roots: [root] });
    const { entries, parent } = await single.call("folder:list", { path: root });
    expect(parent).toBeNull();
    expect(entries).toEqual([
      { name: "model", path: join(root, "model"), kind: "folder", model: true, bytes: null },
      { name: "text.txt", path: join(root, "text.txt"), kind: "file", model: false, bytes: 5 },
    ]);
  });
});

describe("a model", () => {
  it("is opened from its headers and remembered", async () => {
    const { studio } = fakeStudio();
    const summary = await studio.call("model:open", { path: DEMO });
    expect(summary).toMatchObject({
      name: "demo-model",
      unsupported: null,
      hasTokenizer: true,
      architecture: { layers: 6, hiddenSize: 256 },
    });
    expect(calls["model:open"].reply.parse(summary)).toEqual(summary);
    expect(await studio.call("model:recent", {})).toMatchObject([
      { path: DEMO, superWeights: null, missing: false },
    ]);
    await studio.call("model:forget", { path: DEMO });
    expect(await studio.call("model:recent", {})).toEqual([]);
  });

  it("is not exported as the model of a run that was scored in another checkpoint", async () => {
    const { studio, home } = fakeStudio();
    const request = {
      recipe: { scheme: "int", bits: 4, granularity: "group:32" },
      format: "safetensors",
      out: join(home, "out"),
    } as const;
    const asked = { model: DEMO, fingerprint: "0".repeat(64), request, verify: null };
    await expect(studio.call("job:export", asked)).rejects.toMatchObject({ code: "export/other-model" });
  });

  it("has the texts beside it, and not its task files", async () => {
    const { studio } = fakeStudio();
    const texts = await studio.call("text:list", { model: DEMO });
    expect(texts.map(({ name }) => name)).toEqual(["calibration.jsonl", "eval.jsonl"]);
    expect(texts.every(({ documents, tokens }) => documents > 10 && tokens === null)).toBe(true);
  });
});

describe("texts beside a model", () => {
  it("may be plain or in rows of every form, and are counted as documents", async () => {
    const { studio } = fakeStudio();
    const folder = temporaryFolder();
    const model = join(folder, "model");
    mkdirSync(model);
    for (const kind of ["csv", "parquet", "jsonl"])
      copyFileSync(join(import.meta.dirname, `../golden/texts/rows.${kind}`), join(folder, `rows.${kind}`));
    writeFileSync(join(folder, "wiki.test.raw"), " = Crow = \n");
    writeFileSync(join(folder, "mmlu.csv"), "Which?,a,b,c,d,D\n");
    writeFileSync(join(folder, "notes.md"), "no text to score");
    const texts = await studio.call("text:list", { model });
    expect(texts.map(({ name, documents }) => `${name} ${documents}`)).toEqual([
      "rows.csv 3",
      "rows.jsonl 5",
      "rows.parquet 3",
      "wiki.test.raw 1",
    ]);
  });
});

describe("a plan's estimate", () => {
  it("does not say of weights that are yet to be searched that there are none", async () => {
    const { studio, text } = fakeStudio();
    const recipe = { scheme: "affine", bits: 4, granularity: "channel", restore: "super-weights" };
    const { notes, problems } = await studio.call("sweep:estimate", {
      ...{ model: DEMO, plan: { recipes: [recipe, { ...recipe, ignore: ["*"] }] }, text },
    });
    expect(problems).toEqual([]);
    // what else its recipes are to be known for is said
    expect(textsOf(notes).join(" ")).toContain("quantizes no tensor");
    expect(textsOf(notes).join(" ")).not.toContain("super weight");
  });

  it("counts variants and tokens, gives the range of bits, and says when nothing was measured yet", async () => {
    const { studio, text } = fakeStudio();
    const estimate = await studio.call("sweep:estimate", { model: DEMO, plan: PLAN, text });
    expect(estimate).toMatchObject({ variants: 21, workers: 2, seconds: null, problems: [] });
    expect(estimate.bitsPerWeight?.[0]).toBeGreaterThan(2);
    expect(estimate.bitsPerWeight?.[1]).toBeLessThan(9);
    expect(estimate.peakBytes).toBeGreaterThan(10e6);
    expect(textsOf(estimate.notes).join(" ")).toMatch(/nothing has been measured/);
  });

  it("names what keeps it from starting", async () => {
    const { studio, text } = fakeStudio();
    const wrongBlock = { base: { scheme: "affine", bits: 4 }, grid: { granularity: ["group:96"] } };
    expect(
      (await studio.call("sweep:estimate", { model: DEMO, plan: wrongBlock, text })).problems,
    ).toMatchObject([{ code: "recipe/block-does-not-divide" }]);
    // Of what is no plan there is no estimate: numbers of nothing would be taken for the machine's.
    await expect(
      studio.call("sweep:estimate", { model: DEMO, plan: { grid: 3 }, text }),
    ).rejects.toMatchObject({ code: "plan/invalid" });
    await expect(studio.call("job:sweep", { model: DEMO, plan: wrongBlock, text })).rejects.toMatchObject({
      code: "recipe/block-does-not-divide",
    });
    expect(await studio.call("run:list", {})).toEqual([]);
  });
});

it("a saved plan is listed until it is deleted; a preset cannot be deleted", async () => {
  const { studio, home } = fakeStudio();
  const { id } = await studio.call("plan:save", { name: "mine", plan: PLAN });
  expect((await studio.call("plan:list", {})).at(-1)).toMatchObject({
    id,
    name: "mine",
    description: "21 variants",
  });
  await studio.call("plan:delete", { id });
  await expect(studio.call("plan:delete", { id: "preset:demo" })).rejects.toMatchObject({
    code: "plan/unknown",
  });
  const file = join(home, "scan.json");
  writeFileSync(file, JSON.stringify(PLAN));
  expect(await studio.call("plan:read", { path: file })).toEqual({ name: "scan", plan: PLAN });
  writeFileSync(file, "{");
  await expect(studio.call("plan:read", { path: file })).rejects.toMatchObject({ code: "plan/not-json" });
});
