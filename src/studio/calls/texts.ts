import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { createInterface } from "node:readline";
import type { TextInfo } from "#shared/estimate.ts";
import { createControl } from "#worker/control.ts";
import type { Access } from "../access.ts";
import type { Answers, StudioContext } from "../context.ts";

const MAX_TEXTS = 50;

/** Texts to score on. */
export function textCalls(context: StudioContext): Answers<"text:list" | "text:describe"> {
  const { access } = context;
  return {
    "text:list": ({ model }) => listTexts(access, access.check(model)),
    "text:describe": ({ model, path }) =>
      context.light.run(
        "describe",
        { model: access.check(model), path: access.check(path) },
        { control: createControl() },
      ),
  };
}

/** Texts beside a model: `.txt`, and `.jsonl` whose lines hold a `text`, in its folder and the one above. */
async function listTexts(access: Access, model: string): Promise<TextInfo[]> {
  const texts: TextInfo[] = [];
  for (const folder of [model, dirname(model)]) {
    if (!access.allows(folder)) continue;
    const names = await readdir(folder).catch((): string[] => []);
    for (const name of names.sort()) {
      const path = join(folder, name);
      if (texts.length < MAX_TEXTS && access.allows(path)) texts.push(...(await textAt(path)));
    }
  }
  return texts;
}

async function textAt(path: string): Promise<TextInfo[]> {
  const kind = extname(path).toLowerCase();
  if (kind !== ".txt" && kind !== ".jsonl") return [];
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile() || facts.size === 0) return [];
  if (kind === ".jsonl" && !(await holdsTexts(path))) return [];
  const documents = kind === ".txt" ? 1 : await countLines(path);
  return [{ path, name: basename(path), bytes: facts.size, documents, tokens: null }];
}

/** Whether the first line of a `.jsonl` is an object with a `text`: task files of the same ending are not texts. */
async function holdsTexts(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    for await (const line of file.readLines()) {
      if (line.trim() === "") continue;
      const value: unknown = JSON.parse(line);
      return typeof value === "object" && value !== null && "text" in value && typeof value.text === "string";
    }
    return false;
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

async function countLines(path: string): Promise<number> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line.trim() !== "") count++;
  }
  return count;
}

/** SHA-256 of a file's bytes, by which a run knows its text again. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
