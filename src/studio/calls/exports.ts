import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { ExportJob } from "#engine/export/exportJob.ts";
import { exportVariant } from "#engine/export/exportVariant.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Answers, StudioContext } from "../context.ts";
import { DEFAULT_DETECTION, runInPool, runnableModel, soloHandle, superWeights } from "../launch.ts";
import { withCheckpoint } from "../summarizeModel.ts";

/** Exports: looked at beforehand, then written by a worker and cleared up by the studio whatever became of it. */
export function exportCalls(context: StudioContext): Answers<"export:check" | "job:export"> {
  const { access, jobs, pools, kept } = context;
  return {
    "export:check": async ({ model: path, request }) => {
      const model = await runnableModel(context, path);
      const out = access.check(request.out);
      const report = kept.detection(model.fingerprint, DEFAULT_DETECTION);
      const found = (report?.superWeights ?? []).map(({ layer, row, column }): Coordinate => [
        layer,
        row,
        column,
      ]);
      const check = await withCheckpoint(model.path, (checkpoint) => {
        const architecture = architectureOf(checkpoint);
        const variant = exportVariant(checkpoint, request.recipe, {
          superWeights: found,
          downProjection: (layer) => architecture.downProjection(layer),
        });
        return checkExport(checkpoint, variant, { ...request, out });
      });
      const searched = request.recipe.restore !== "super-weights" || report !== null;
      return searched
        ? check
        : {
            ...check,
            notes: [
              "The super weights are not known yet; they are searched before the export.",
              ...check.notes,
            ],
          };
    },

    "job:export": async ({ model: path, request, verify }) => {
      const model = await runnableModel(context, path);
      const out = access.check(request.out);
      const text = verify && access.check(verify.text);
      // Whatever refuses the place is told now, not when the job's turn has come.
      await ExportJob.plan({ source: model.path, out, overwrite: request.overwrite });
      return {
        job: jobs.start({
          kind: "export",
          title: `Export ${model.name} to ${out}`,
          model: model.path,
          work: async (job) => {
            const pool = await pools.lend(1);
            const place = await ExportJob.plan({ source: model.path, out, overwrite: request.overwrite });
            try {
              const restores = request.recipe.restore === "super-weights";
              return await runInPool(context, job, pool, "export", {
                model: await soloHandle(context, model),
                request: { ...request, out },
                folders: place.folders,
                superWeights: restores ? await superWeights(context, job, pool, model) : [],
                verify: verify && text !== null ? { text, judge: verify.judge } : null,
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
