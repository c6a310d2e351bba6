import { basename } from "node:path";
import type { ExportFormat, ExportReport } from "#shared/exporting.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Judge } from "#shared/plan.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { exporters } from "#engine/formats/exporters.ts";
import type { JudgedResults } from "#engine/export/manifest/manifest.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import type { RunRequest } from "#engine/export/verify/runRequest.ts";
import type { ExportControl, ExportVariant } from "#engine/formats/write/exportedVariant.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { openModel, withListed, type OpenModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import { hasRuntime, runExported } from "#engine/export/verify/runExported.ts";
import { scoreReopened } from "#engine/export/verify/scoreReopened.ts";
import type { TaskFields } from "../protocol/task.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/**
 * Judges the variant where it is to be verified, writes it, and opens and scores it again before it gets its name. A model that is only
 * listed is written tensor by tensor.
 */
export async function exportTask(fields: TaskFields<"export">, talk: Talk): Promise<ExportReport> {
  if (fields.listed)
    return withListed(fields.model, (model) => exportModel({ ...fields, verify: null }, talk, model));
  const model = await openModel(fields.model);
  return exportModel(fields, talk, model, model);
}

async function exportModel(
  fields: TaskFields<"export">,
  talk: Talk,
  { checkpoint, architecture }: Pick<OpenModel, "checkpoint" | "architecture">,
  model?: OpenModel,
): Promise<ExportReport> {
  const begin = performance.now();
  const { request, folders, superWeights, versions } = fields;
  const verify = model && fields.verify ? { ...fields.verify, model } : null;
  const exported = { checkpoint, architecture, superWeights };
  const { variant, changes, asked } = adaptVariant(exported, request);
  const stages = stagesOf(talk, request.format, verify !== null);
  const windows = verify && (await windowsOf(verify.model, verify.text, verify.judge));
  const results = verify && windows && (await judged(verify.model, variant, { ...verify, windows }, stages));
  const judgedPerplexity = results?.variant.perplexity ?? null;
  const written = await writeExport({
    format: request.format,
    model: exported,
    variant,
    changes,
    asked,
    versions,
    results,
    control: controlOf(stages.writing),
    job: new ExportJob(folders),
    overwrite: request.overwrite,
    maxShardBytes: request.maxShardBytes,
    fileSystem: nodeFileSystem,
    verify:
      verify && windows
        ? async (folder) => {
            const weights = await verifyExport({
              source: checkpoint,
              variant,
              carried: exporters[request.format].tensors?.(exported),
              out: folder,
              evaluate: async (reopened) => ({
                ...(await scoreReopened(
                  reopened,
                  fields.model,
                  { ...verify, windows, format: request.format },
                  stages.reopened,
                )),
                judgedPerplexity,
              }),
              control: controlOf(stages.verifying),
            });
            const runtime = await runExported(request.format, folder, weights.perplexity, {
              ...{ model: exported, windows, threads: fields.model.threads, watch: stages.running },
              ...{ memoryBytes: verify.memoryBytes, programs: verify.programs },
              passages: await passagesOf(verify.model, verify.text),
            });
            return { ...weights, runtime };
          }
        : undefined,
  });
  return {
    out: written.out,
    format: request.format,
    files: [...written.files],
    bytes: written.bytes,
    recipe: variant.recipe,
    bitsPerWeight: written.bitsPerWeight,
    fileBitsPerWeight: variant.fileBitsPerWeight,
    changes: [...changes],
    notes: [...written.notes],
    verified: written.verified,
    seconds: (performance.now() - begin) / 1000,
  };
}

/** The pieces of an export's work in their order: nothing but writing where it is not verified. */
function stagesOf(talk: Talk, format: ExportFormat, verified: boolean) {
  const count = verified ? (hasRuntime(format) ? 6 : 5) : 1;
  return {
    original: talk.stage(0, count, "the original"),
    variant: talk.stage(1, count, "the variant"),
    writing: talk.stage(verified ? 2 : 0, count),
    verifying: talk.stage(3, count),
    reopened: talk.stage(4, count, "the export, opened again"),
    running: talk.stage(5, count),
  };
}
type Stages = ReturnType<typeof stagesOf>;

function controlOf({ control, onProgress }: Watch): ExportControl {
  return { check: () => control?.check(), report: (progress) => onProgress?.(progress) };
}

/** Characters of a text whose tokens are held against a runtime's own. */
const PASSAGE_CHARACTERS = 20_000;

/** The beginning of a text, document by document, with its tokens. */
async function passagesOf(model: OpenModel, text: string): Promise<RunRequest["passages"]> {
  const tokenizer = await model.tokenizer();
  let left = PASSAGE_CHARACTERS;
  const passages: { text: string; ids: number[] }[] = [];
  for (const document of await readDocuments(text)) {
    if (left <= 0) break;
    // not between the halves of a character
    const passage = document.slice(0, left).replace(/[\ud800-\udbff]$/, "");
    left -= passage.length;
    passages.push({ text: passage, ids: tokenizer.encode(passage) });
  }
  return passages;
}

/** Original and variant (as the format holds it) on the text, before anything is written. */
async function judged(
  model: OpenModel,
  exported: ExportVariant,
  { text, judge, windows }: { text: string; judge: Judge; windows: WindowSet },
  stages: Stages,
): Promise<JudgedResults> {
  const { sha256 } = await nodeFileSystem.hash(text, () => undefined);
  const variant = { id: exported.recipeId, plans: exported.plans };
  const reference = await scoreOriginal({ ...model, windows, ...stages.original });
  const [score] = await scoreWave({ ...model, windows, reference, variants: [variant], ...stages.variant });
  if (!score?.scores)
    throw KeystoneError.fromData(
      score?.error ?? {
        code: "export/not-judged",
        message: "The variant could not be scored.",
        next: "Score it first.",
        details: {},
      },
    );
  return {
    text: { name: basename(text), sha256 },
    judge,
    convention: windows.convention,
    original: reference.scores,
    variant: score.scores,
    sqnrDb: score.sqnrDb,
  };
}
