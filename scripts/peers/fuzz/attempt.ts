import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { scoreOriginal } from "#engine/evaluate/score.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { KeystoneError } from "#shared/errors.ts";
import { exportRequest, type ExportFormat, type ExportReport } from "#shared/exporting.ts";
import { judge } from "#shared/plan.ts";
import { openModel } from "#worker/model/openModel.ts";
import type { Talk } from "#worker/protocol/talk.ts";
import type { ModelHandle } from "#worker/protocol/task.ts";
import { exportTask } from "#worker/tasks/export.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/** What is scored: long enough that every position of a short context counts. */
export const PASSAGE = [
  "The river rose in the night, and by morning the fields were water.",
  "Seven boats came down from the mill; nobody had counted them before.",
];
const JUDGE = judge.parse({ context: 48, tokens: 96 });
const MEMORY = 2 ** 30;

const alone: Talk = { post: () => undefined, watch: {}, pass: () => ({}), stage: () => ({}) };

/** What came of one attempt: a value, a refusal with its code, or an error that nobody foresaw. */
export type Attempt<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "crashed"; readonly message: string };

export interface Scored {
  readonly windows: WindowSet;
  readonly perplexity: number | null;
}

/** Opens a checkpoint and scores it, as `eval` does. */
export async function score(location: string, folder: string): Promise<Attempt<Scored>> {
  return attempt(async () => {
    const model = await openModel(await handleOf(location));
    const windows = await windowsOf(model, await textIn(folder), JUDGE);
    const { scores } = await scoreOriginal({ ...model, windows });
    return { windows, perplexity: scores.perplexity };
  });
}

/** Exports and verifies, as `export --verify` does. */
export async function exportVerified(
  location: string,
  folder: string,
  { name, format, recipe }: { name: string; format: ExportFormat; recipe: object },
): Promise<Attempt<ExportReport>> {
  return attempt(async () => {
    const out = join(folder, name.replaceAll(/\W+/g, "-"));
    const request = exportRequest.parse({ recipe, format, out });
    const place = await ExportJob.plan({ source: location, out, overwrite: false }, nodeFileSystem);
    try {
      return await exportTask(
        {
          ...{
            model: await handleOf(location),
            request,
            folders: place.folders,
            superWeights: [],
            versions: {},
          },
          verify: { text: await textIn(folder), judge: JUDGE, memoryBytes: MEMORY, programs: [] },
        },
        alone,
      );
    } finally {
      await place.cleanup();
    }
  });
}

async function attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { kind: "done", value: await work() };
  } catch (thrown) {
    if (thrown instanceof KeystoneError)
      return { kind: "refused", code: thrown.code, message: thrown.message };
    return { kind: "crashed", message: thrown instanceof Error ? (thrown.stack ?? "") : String(thrown) };
  }
}

async function handleOf(path: string): Promise<ModelHandle> {
  const checkpoint = await openCheckpoint(path);
  await checkpoint.close();
  return { path, revision: checkpoint.revision, device: "cpu", threads: 1 };
}

async function textIn(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "passage.jsonl");
  await writeFile(path, PASSAGE.map((text) => JSON.stringify({ text })).join("\n"));
  return path;
}
