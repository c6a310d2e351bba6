import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { DEMO, startStudio, temporaryFolder } from "./helpers.ts";

const TEXTS = join(import.meta.dirname, "../../resources/texts");
const OWN = join(TEXTS, "keystone-own-text.jsonl");
const row = z.strictObject({ text: z.string().min(400) });

function modelAlone(): string {
  const model = join(temporaryFolder(), "model");
  mkdirSync(model);
  for (const name of ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
    copyFileSync(join(DEMO, name), join(model, name));
  return model;
}

it("the text that ships is of several documents, as long as a small sweep needs, and plain", () => {
  const documents = readFileSync(OWN, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => row.parse(JSON.parse(line)).text);
  expect(documents.length).toBeGreaterThanOrEqual(10);
  expect(new Set(documents).size).toBe(documents.length);
  const words = documents.join(" ").split(/\s+/).length;
  expect(words).toBeGreaterThan(2_000);
  expect(words).toBeLessThan(4_000);
});

it("is listed last for every model, and counted with its tokenizer under its own name", async () => {
  const model = modelAlone();
  writeFileSync(join(model, "eval.txt"), "Once upon a time.");
  const studio = startStudio({ home: temporaryFolder(), ownText: OWN, roots: [model, TEXTS] });
  const texts = await studio.call("text:list", { model });
  expect(texts.map(({ name, own }) => [name, own])).toEqual([
    ["eval.txt", undefined],
    ["Keystone’s own text", true],
  ]);
  const counted = await studio.call("text:describe", { model, path: OWN });
  expect(counted).toMatchObject({ name: "Keystone’s own text", own: true, path: OWN, documents: 14 });
  expect(counted.tokens).toBeGreaterThan(3_000);
});

it("is not listed where it was not shipped or may not be read", async () => {
  const model = modelAlone();
  for (const options of [{}, { ownText: join(TEXTS, "gone.jsonl") }, { ownText: OWN, roots: [model] }]) {
    const studio = startStudio({ home: temporaryFolder(), ...options });
    expect(await studio.call("text:list", { model })).toEqual([]);
  }
});
