import { coordinateOf } from "#shared/recipe.ts";
import { architectureOf, familyNameOf } from "#engine/architecture/readArchitecture.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { adaptVariant, type FormatRequest } from "#engine/export/variant/adaptVariant.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { listedModel } from "#engine/export/variant/listedModel.ts";
import { checkSupport } from "#engine/export/variant/checkSupport.ts";
import { clearLeftovers } from "#engine/export/folder/leftovers.ts";
import { outlineExport } from "#engine/export/writeExport.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import type { DetectReport } from "#shared/detection.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { descriptionOf, exportFormat, type ExportRequest, type FormatAnswer } from "#shared/exporting.ts";
import type { ModelSummary } from "#shared/model.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import {
  DEFAULT_DETECTION,
  runInPool,
  exportableModel,
  soloHandle,
  superWeights,
} from "../context/launch.ts";
import { memoryBudget } from "../models/sizing.ts";
import { withCheckpoint } from "../context/summarizeModel.ts";

/** Exports: looked at beforehand, then written by a worker and cleared up by the studio whatever became of it. */
export function exportCalls(context: StudioContext): Answers<"export:check" | "format:list" | "job:export"> {
  const { access, jobs, pools, kept } = context;
  return {
    "export:check": async ({ model: path, request }) => {
      const model = await exportableModel(context, path);
      const out = access.check(request.out);
      const report = kept.detection(model.revision, DEFAULT_DETECTION);
      const check = await withCheckpoint(model.path, (checkpoint) =>
        checkExport(exportModel(checkpoint, report), { ...request, out }),
      );
      const searched = request.recipe.restore !== "super-weights" || report !== null;
      return searched
        ? check
        : {
            ...check,
            notes: [
              {
                code: "restore/not-searched",
                text: "The super weights are not known yet; they are searched before the export.",
              },
              ...check.notes,
            ],
          };
    },

    "format:list": async ({ model: path, recipe, kept: keptModule, embedding }) => {
      if (path === undefined || recipe === undefined)
        return exportFormat.options.map((format) => ({
          description: descriptionOf(format),
          problems: recipe ? exporters[format].problems(recipe) : [],
          changes: [],
          bitsPerWeight: null,
          fileBitsPerWeight: null,
          weightBytes: null,
          bytes: null,
        }));
      const model = await exportableModel(context, path);
      const report = kept.detection(model.revision, DEFAULT_DETECTION);
      return withCheckpoint(model.path, (checkpoint) =>
        Promise.all(
          exportFormat.options.map((format) =>
            formatAnswer(exportModel(checkpoint, report), { format, recipe, kept: keptModule, embedding }),
          ),
        ),
      );
    },

    "job:export": async ({ model: path, fingerprint, request, verify }) => {
      const model = await exportableModel(context, path);
      if (fingerprint !== undefined && fingerprint !== model.fingerprint) throw otherModel(model.path);
      if (model.unknown !== null) requireTensorByTensor(model, request, verify !== null);
      const out = access.check(request.out);
      const text = verify && access.check(verify.text);
      // What a crash left there must neither stay nor stand in the way.
      await clearLeftovers(out);
      // Whatever refuses the place or the recipe is told now, not when the job's turn has come.
      await ExportJob.plan({ source: model.path, out, overwrite: request.overwrite });
      const report = kept.detection(model.revision, DEFAULT_DETECTION);
      await withCheckpoint(model.path, (checkpoint) => requireHeld(exportModel(checkpoint, report), request));
      return {
        job: jobs.start({
          kind: "export",
          title: `Export ${model.name} to ${out}`,
          model: model.path,
          work: async (job) => {
            const pool = await pools.lend(1);
            const place = await ExportJob.plan({ source: model.path, out, overwrite: request.overwrite });
            try {
              const memoryBytes = memoryBudget(context.machine(), context.settings());
              const restores = request.recipe.restore === "super-weights";
              return await runInPool(context, job, pool, "export", {
                model: await soloHandle(context, model),
                request: { ...request, out },
                listed: model.unknown !== null,
                folders: place.folders,
                superWeights: restores ? await superWeights(context, job, pool, model) : [],
                verify:
                  verify && text !== null
                    ? { text, judge: verify.judge, memoryBytes, programs: [context.home] }
                    : null,
                versions: { keystone: context.options.version ?? "0.0.0", node: process.versions.node },
              });
            } catch (error) {
              await place.cleanup();
              throw error;
            } finally {
              pools.giveBack(pool);
            }
          },
        }),
      };
    },
  };
}

function otherModel(path: string): KeystoneError {
  return new KeystoneError(
    "export/other-model",
    `${path} does not hold the checkpoint that this variant was scored in.`,
    "Open the checkpoint that the run was made with, or sweep this one.",
    { model: path },
  );
}

/** @throws KeystoneError architecture/unsupported where something of the export needs a forward pass */
function requireTensorByTensor({ path }: ModelSummary, { recipe }: ExportRequest, verify: boolean): void {
  const needs = verify
    ? "Scoring an export again"
    : recipe.restore === "super-weights"
      ? "Searching super weights to restore"
      : null;
  if (needs === null) return;
  throw new KeystoneError(
    "architecture/unsupported",
    `${needs} needs a model's equations, and those of this one are not known.`,
    verify ? "Leave out --verify." : "Name the weights by their coordinates, or restore none.",
    { model: path },
  );
}

/** @throws KeystoneError recipe/…, export/… where the format cannot store the recipe or for what is asked of it */
function requireHeld(model: ExportModel, request: ExportRequest): void {
  const { variant } = adaptVariant(model, request);
  const [problem] = exporters[request.format].problems(variant.recipe, { model, plans: variant.plans });
  if (problem) throw KeystoneError.fromData(problem);
}

function exportModel(checkpoint: Checkpoint, report: DetectReport | null): ExportModel {
  const superWeights = (report?.superWeights ?? []).map(coordinateOf);
  const listed = familyNameOf(checkpoint.config) === null;
  const architecture = listed ? listedModel(checkpoint) : architectureOf(checkpoint);
  return { checkpoint, architecture, superWeights };
}

/** One format held against a recipe: what it cannot hold, or what it makes of it and what that takes. */
async function formatAnswer(model: ExportModel, request: FormatRequest): Promise<FormatAnswer> {
  const description = descriptionOf(request.format);
  const refused = (problems: readonly KeystoneErrorData[]): FormatAnswer => ({
    description,
    problems: [...problems],
    changes: [],
    bitsPerWeight: null,
    fileBitsPerWeight: null,
    weightBytes: null,
    bytes: null,
  });
  const { problems, adapted } = checkSupport(model, request);
  if (!adapted) return refused(problems);
  const { variant, changes } = adapted;
  const source = { model, variant, fileSystem: nodeFileSystem, maxShardBytes: null };
  try {
    const { bytes } = await outlineExport(request.format, source);
    const { bitsPerWeight, fileBitsPerWeight } = variant;
    const weightBytes = exporters[request.format].weightBytes(model, variant.plans);
    return {
      ...{ description, problems: [], changes: [...changes], bitsPerWeight, fileBitsPerWeight },
      ...{ weightBytes, bytes },
    };
  } catch (thrown) {
    // a tokenizer that one format cannot store is no reason to say nothing of the others
    if (!(thrown instanceof KeystoneError)) throw thrown;
    return refused([thrown.toData()]);
  }
}
