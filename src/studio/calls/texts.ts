import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { TextInfo } from "#shared/estimate.ts";
import { endingOf, OWN_TEXT_NAME, PLAIN_TEXT_ENDINGS, textOf } from "#shared/texts.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { createControl } from "#worker/protocol/control.ts";
import type { Access } from "../models/access.ts";
import type { Answers, StudioContext } from "../context/context.ts";

const MAX_TEXTS = 50;
/** A larger file of rows is not read only to be listed; it can be picked. */
const MAX_LISTED_BYTES = 32 * 2 ** 20;

/** Texts to score on. */
export function textCalls(context: StudioContext): Answers<"text:list" | "text:describe"> {
  const { access, options } = context;
  const own = options.ownText ?? null;
  return {
    "text:list": async ({ model }) => {
      const beside = await listTexts(access, access.check(model));
      const shipped = own !== null && access.allows(own) ? await textAt(own) : [];
      return [...beside.filter(({ path }) => path !== own), ...shipped.map(asOwn)];
    },
    "text:describe": async ({ model, path }) => {
      const real = access.check(path);
      const control = createControl();
      const text = await context.interactivePool.run(
        "describe",
        { model: access.check(model), path: real },
        { control },
      );
      return own !== null && real === access.check(own) ? asOwn({ ...text, path: own }) : text;
    },
  };
}

function asOwn(text: TextInfo): TextInfo {
  return { ...text, name: OWN_TEXT_NAME, own: true };
}

/** Texts beside a model, in its folder and the one above: plain ones, and rows whose first holds a `text`. */
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
  const counting = COUNTING.find(([kinds]) => kinds.includes(endingOf(path)));
  if (!counting) return [];
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile() || facts.size === 0) return [];
  const documents = await counting[1](path, facts.size);
  return documents === 0 ? [] : [{ path, name: basename(path), bytes: facts.size, documents, tokens: null }];
}

/** How many documents a file of each kind holds; 0 = it is no text. A `.json` beside a model is its settings: one that is a text is picked. */
const COUNTING: readonly (readonly [
  kinds: readonly string[],
  count: (path: string, bytes: number) => Promise<number> | number,
])[] = [
  [PLAIN_TEXT_ENDINGS, () => 1],
  [["jsonl", "ndjson"], async (path) => ((await holdsTexts(path)) ? countLines(path) : 0)],
  [["csv", "parquet"], (path, bytes) => (bytes > MAX_LISTED_BYTES ? 0 : countRows(path))],
];

async function countRows(path: string): Promise<number> {
  return readDocuments(path).then(
    ({ length }) => length,
    () => 0,
  );
}

/** Whether the first line is an object with a `text`: task files of the same ending are not texts. */
async function holdsTexts(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    for await (const line of file.readLines()) {
      if (line.trim() === "") continue;
      return textOf(JSON.parse(line)) !== null;
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
