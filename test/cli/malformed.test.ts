import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { f32, safetensorsBytes } from "../support/safetensorsBytes.ts";
import {
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

/** Whatever is wrong: nothing on stdout, one `error:` line on stderr that says what and what next, and this exit code. */
async function refused(argv: readonly string[], code: 1 | 2, sentence: RegExp): Promise<void> {
  const outcome = await runMain([...argv, "--json"], { env: { KEYSTONE_HOME: home } });
  expect(outcome.stdout).toBe("");
  expect(outcome.stderr).toMatch(/^error: [^\n]{20,600}\n$/);
  expect(outcome.stderr).toMatch(sentence);
  expect(outcome.stderr).not.toMatch(/\bundefined\b|\[object|ENOENT|\bat .*\.ts:\d/);
  expect(outcome.code).toBe(code);
}

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "keystone-test-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** A tiny valid checkpoint with the demo model's tokenizer, then damaged. */
async function checkpoint(
  damage: (folder: string) => Promise<unknown>,
  options: SyntheticOptions = {},
): Promise<string> {
  const folder = await writeSyntheticCheckpoint({ vocabulary: 1024, ...options });
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(DEMO.model, file), join(folder, file));
  await damage(folder);
  return folder;
}

const nothing = (): Promise<void> => Promise.resolve();
const put = (file: string, content: string | Uint8Array) => (folder: string) =>
  writeFile(join(folder, file), content);
const remove = (file: string) => (folder: string) => rm(join(folder, file));
const weights = (bytes: Uint8Array) => put("model.safetensors", bytes);
const twoTensors = (second: readonly [number, number]) =>
  weights(safetensorsBytes({ a: f32([2, 2], [0, 16]), b: f32([2, 2], second) }));

async function changeIndex(folder: string, change: (map: Record<string, string>) => void): Promise<void> {
  const file = join(folder, "model.safetensors.index.json");
  const index = JSON.parse(await readFile(file, "utf8")) as { weight_map: Record<string, string> };
  change(index.weight_map);
  await writeFile(file, JSON.stringify(index));
}

describe("a malformed checkpoint ends detect with exit code 1 and one sentence:", () => {
  const SHARDED: SyntheticOptions = { shards: 2 };
  const DOWN = "model.layers.1.mlp.down_proj.weight";
  it.each<[string, (folder: string) => Promise<unknown>, RegExp, SyntheticOptions?]>([
    ["the folder is missing", (folder) => rm(folder, { recursive: true }), /does not exist/],
    ["no config.json", remove("config.json"), /config\.json/],
    ["config.json is not JSON", put("config.json", "{ hidden"), /config\.json.*not valid JSON/],
    ["no weights", remove("model.safetensors"), /holds no safetensors file/],
    ["a file of four bytes", weights(new Uint8Array(4)), /model\.safetensors.*4 bytes/],
    ["a header cut short", weights(safetensorsBytes({ a: f32([2, 2]) }, { truncateTo: 30 })), /header/],
    [
      "a header of 2^60 bytes",
      weights(safetensorsBytes({ a: f32([2, 2]) }, { headerLength: 2n ** 60n })),
      /1,?152,?921,?504,?606,?846,?976/,
    ],
    ["a header that is not JSON", weights(safetensorsBytes({}, { headerText: "{nope" })), /header.*JSON/],
    ["overlapping offsets", twoTensors([8, 24]), /"?b"? .*inside|overlap/i],
    ["a hole between tensors", twoTensors([24, 40]), /"b" (begins|ends) at data byte/],
    ["bytes that do not fit the shape", twoTensors([16, 28]), /12 bytes.*16|16 bytes.*12/],
    ["data cut short", weights(safetensorsBytes({ a: f32([64, 64]) }, { truncateTo: 900 })), /truncated/],
    [
      "an unknown dtype",
      weights(safetensorsBytes({ a: { dtype: "F12", shape: [1], data: new Uint8Array(2) } })),
      /F12/,
    ],
    [
      "a shard that is not there",
      remove("model-00002-of-00002.safetensors"),
      /model-00002-of-00002\.safetensors/,
      SHARDED,
    ],
    [
      "an index that leaves the folder",
      (folder) => changeIndex(folder, (map) => (map[DOWN] = "../../other.safetensors")),
      /\.\.\/\.\.\/other\.safetensors/,
      SHARDED,
    ],
    [
      "an index that names the wrong shard",
      (folder) => changeIndex(folder, (map) => (map[DOWN] = "model-00001-of-00002.safetensors")),
      /index/,
      SHARDED,
    ],
    [
      "an unknown architecture",
      nothing,
      /model type "mamba".*What works/,
      { config: { architectures: ["MambaForCausalLM"], model_type: "mamba" } },
    ],
    ["a config without its hidden size", nothing, /hidden|shape/, { config: { hidden_size: undefined } }],
    [
      "a config whose sizes are not the tensors'",
      nothing,
      /shape|\[\d+, ?\d+\]/,
      { config: { intermediate_size: 48 } },
    ],
    [
      "a config with more layers than the file",
      nothing,
      /model\.layers\.2\./,
      { config: { num_hidden_layers: 3 } },
    ],
    ["no tokenizer", remove("tokenizer.json"), /tokenizer\.json/],
    ["a tokenizer that is not JSON", put("tokenizer.json", "[1,"), /tokenizer\.json/],
    [
      "a NaN among the weights",
      nothing,
      new RegExp(`${DOWN.replaceAll(".", "\\.")}.*(NaN|infinite|finite)`),
      { plant: [{ tensor: DOWN, row: 3, column: 5, value: NaN }] },
    ],
    [
      "an infinite weight",
      nothing,
      /q_proj.*(NaN|infinite|finite)/,
      { plant: [{ tensor: "model.layers.0.self_attn.q_proj.weight", row: 0, column: 0, value: -Infinity }] },
    ],
  ])("%s", async (_fact, damage, sentence, options) => {
    await refused(["detect", await checkpoint(damage, options)], 1, sentence);
  });

  it("weights of a type that is listed but not computed with", async () => {
    const folder = await checkpoint(nothing);
    const bytes = await readFile(join(folder, "model.safetensors"));
    const text = bytes.toString("latin1").replace('"dtype":"F32"', '"dtype":"I32"');
    await writeFile(join(folder, "model.safetensors"), Buffer.from(text, "latin1"));
    await refused(["detect", folder], 1, /I32/);
  });
});

describe("a malformed recipe ends eval with exit code 2 and one sentence:", () => {
  const VALID = { scheme: "affine", bits: 4, granularity: "group:64" };
  it.each<[string, string | object, RegExp]>([
    ["not JSON", "{ scheme: rtn }", /recipe\.json is not valid JSON/],
    ["not UTF-8", "\xff\xfe", /recipe\.json is not (valid JSON|UTF-8)/],
    ["a list", [], /recipe\.json/],
    ["an unknown key", { ...VALID, bitz: 4 }, /bitz/],
    ["a missing key", { scheme: "affine", bits: 4 }, /granularity: is missing/],
    ["an unknown scheme", { ...VALID, scheme: "squeeze" }, /scheme/],
    ["one bit", { ...VALID, bits: 1 }, /bits/],
    ["a block in other words", { ...VALID, granularity: "groups of 64" }, /group:N/],
    [
      "a block that does not divide",
      { ...VALID, granularity: "group:96" },
      /96.*(columns|divide|multiple)|(columns|divide|multiple).*96/,
    ],
    ["excludeFromRange without restore", { ...VALID, excludeFromRange: true }, /excludeFromRange.*restore/],
    ["NF4 with three bits", { ...VALID, scheme: "nf4", bits: 3 }, /nf4 stores 4 bits, but bits is 3/],
    [
      "a symmetric scheme without symmetric form",
      { ...VALID, symmetric: true },
      /symmetric form; int, .* have/,
    ],
    ["a weight outside the model", { ...VALID, restore: [[99, 0, 0]] }, /99/],
    ["a weight outside its tensor", { ...VALID, restore: [[1, 137, 704]] }, /704/],
    [
      "a clip of more than all weights",
      { ...VALID, range: { method: "block-percentage", threshold: 1.5 } },
      /threshold/,
    ],
  ])("%s", async (_fact, content, sentence) => {
    const file = join(await temporaryFolder(), "recipe.json");
    await writeFile(
      file,
      typeof content === "string" ? Buffer.from(content, "latin1") : JSON.stringify(content),
    );
    await refused(["eval", DEMO.model, "--recipe", file, "--text", DEMO.text], 2, sentence);
  });

  it("not there", async () => {
    await refused(
      ["eval", DEMO.model, "--recipe", "/nowhere/r.json", "--text", DEMO.text],
      2,
      /recipe \/nowhere\/r\.json does not exist/,
    );
  });
});

describe("a malformed plan ends sweep with exit code 2 and one sentence:", () => {
  const BASE = { scheme: "affine", granularity: "group:64" };
  it.each<[string, string | object, RegExp]>([
    ["not JSON", '{ "grid": ', /plan\.json is not valid JSON/],
    ["neither grid nor list", { base: BASE }, /grid/],
    ["an unknown key", { base: BASE, grid: { bits: [4] }, judges: {} }, /judges/],
    ["an axis that is no field of a recipe", { base: BASE, grid: { bit: [3, 4] } }, /varies "bit"/],
    ["an empty axis", { base: BASE, grid: { bits: [] } }, /bits/],
    ["an empty list", { recipes: [] }, /recipes/],
    [
      "a recipe in the grid that contradicts itself",
      { base: { ...BASE, bits: 4, excludeFromRange: true }, grid: { restore: ["super-weights", "none"] } },
      /recipe 2 of the plan.*excludeFromRange/,
    ],
    [
      "more variants than anyone means",
      {
        base: BASE,
        grid: {
          bits: Array.from({ length: 400 }, () => 4),
          granularity: Array.from({ length: 400 }, () => "group:64"),
        },
      },
      /160,000/,
    ],
    [
      "a block that does not divide",
      { base: { scheme: "affine", bits: 4 }, grid: { granularity: ["group:64", "group:100"] } },
      /100/,
    ],
    ["a judge that cannot be", { base: BASE, grid: { bits: [4] }, judge: { context: 1 } }, /context/],
  ])("%s", async (_fact, content, sentence) => {
    const file = join(await temporaryFolder(), "plan.json");
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    await refused(["sweep", DEMO.model, "--plan", file], 2, sentence);
  });
});

describe("a malformed text ends eval with one sentence:", () => {
  it.each<[string, string, string | Uint8Array, RegExp]>([
    ["empty", "t.txt", "", /empty|no text/i],
    ["only white space", "t.jsonl", "\n\n", /empty|no text|no document/i],
    ["lines without text", "t.jsonl", '{"text":"a"}\n{"story":"b"}\n', /line 2.*text|text.*line 2/i],
    ["lines that are not JSON", "t.jsonl", "once upon a time\n", /line 1/i],
    ["text that is a number", "t.jsonl", '{"text": 7}\n', /line 1/i],
    ["bytes that are not UTF-8", "t.txt", Uint8Array.of(0x4f, 0xff, 0xfe, 0x20), /UTF-8/],
    ["a kind that is not read", "t.pdf", "%PDF", /\.txt|\.jsonl/],
  ])("%s", async (_fact, name, content, sentence) => {
    const file = join(await temporaryFolder(), name);
    await writeFile(file, content);
    await refused(["eval", DEMO.model, "--text", file], 1, sentence);
  });

  it("not there, and a folder: wrong usage", async () => {
    await refused(
      ["eval", DEMO.model, "--text", "/nowhere/t.txt"],
      2,
      /text \/nowhere\/t\.txt does not exist/,
    );
    await refused(["eval", DEMO.model, "--text", DEMO.model], 2, /is a folder, not a file/);
  });
});

describe("what does not belong together is refused:", () => {
  it("a sweep without text, where none lies beside the model", async () => {
    const folder = await checkpoint(nothing);
    await refused(["sweep", folder, "--plan", DEMO.plan], 2, /no eval\.jsonl/);
  });

  it("options of a verification without one, and a name for a run that goes on", async () => {
    const out = join(home, "never");
    const argv = ["export", DEMO.model, "--recipe", DEMO.recipe("rtn4-group64-plain"), "--out", out];
    await refused([...argv, "--tokens", "50"], 2, /--tokens was given without --verify/);
    await refused([...argv, "--context", "64"], 2, /--context was given without --verify/);
    await refused(["sweep", DEMO.model, "--resume", "x", "--name", "y"], 2, /--name was given with --resume/);
  });

  it("serving a folder that is not there", async () => {
    const { code, stdout, stderr } = await runMain(["serve", "/nowhere"], { env: { KEYSTONE_HOME: home } });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: There is no folder \/nowhere\. /);
  });

  it("going on with a run that is not there", async () => {
    await refused(["sweep", DEMO.model, "--resume", "no-such-run"], 1, /no run no-such-run/);
    await refused(["runs", "show", "no-such-run"], 1, /no run no-such-run/);
  });

  it("a plan that asks its target format for what it cannot hold", async () => {
    const folder = await mkdtemp(join(tmpdir(), "keystone-test-"));
    const plan = join(folder, "plan.json");
    await writeFile(
      plan,
      JSON.stringify({ recipes: [{ scheme: "affine", bits: 4, granularity: "group:64" }], target: "awq" }),
    );
    await refused(
      ["sweep", DEMO.model, "--plan", plan, "--text", DEMO.text],
      2,
      /aims for awq, which cannot hold "affine4, group 64": AWQ holds 4-bit integers, asymmetric.*scheme awq/,
    );
    await rm(folder, { recursive: true });
  });

  it("an export as a format that cannot store the recipe", async () => {
    const out = join(home, "never");
    const recipe = DEMO.recipe("rtn4-group64-plain");
    await refused(
      ["export", DEMO.model, "--recipe", recipe, "--format", "gptq", "--out", out],
      1,
      /GPTQ holds 2, 3, 4, 8-bit integers.*cannot store affine4/,
    );
  });

  it("an export over an existing folder", async () => {
    const out = join(await temporaryFolder(), "there");
    await mkdir(out);
    await writeFile(join(out, "mine.txt"), "keep");
    await refused(
      ["export", DEMO.model, "--recipe", DEMO.recipe("rtn4-group64-plain"), "--out", out],
      1,
      /there.*exist/,
    );
    expect(await readFile(join(out, "mine.txt"), "utf8")).toBe("keep");
  });

  it("a device this machine has not", async () => {
    await refused(
      ["detect", DEMO.model, "--device", process.platform === "darwin" ? "dml" : "coreml"],
      1,
      /coreml|dml|CoreML|DirectML/,
    );
  });

  it("tasks in another form", async () => {
    const file = join(await temporaryFolder(), "tasks.jsonl");
    await writeFile(file, '{"question": "why?"}\n');
    await refused(["tasks", DEMO.model, "--tasks", file], 1, /line 1.*"context"/);
  });
});
