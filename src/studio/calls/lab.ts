import { randomUUID } from "node:crypto";
import { isCancellation, toErrorData } from "#shared/errors.ts";
import type { LabReport, LabRequest } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { unfinishedReport } from "#shared/lab/reports/unfinished.ts";
import type { Access } from "../models/access.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { runInPool, runnableModel, soloHandle, superWeights } from "../context/launch.ts";

type LabCall = "job:lab" | "lab:list" | "lab:get" | "lab:delete";

/** Experiments: run by one worker, told as they grow, kept when they are done; of cancelled and failed ones what they had measured. */
export function labCalls(context: StudioContext): Answers<LabCall> {
  const { access, events, jobs, lab, pools } = context;
  const keep = (request: LabRequest, report: LabReport): { id: string; report: LabReport } => {
    const { id } = lab.save(randomUUID(), request, report);
    events.emit({ type: "lab-results" });
    return { id, report };
  };
  return {
    "job:lab": async ({ model: path, request: asked }) => {
      const model = await runnableModel(context, path);
      const request = checkPaths(access, asked);
      return {
        job: jobs.start({
          kind: "lab",
          title: `${EXPERIMENTS[request.experiment].title} of ${model.name}`,
          model: model.path,
          experiment: request.experiment,
          work: async (job) => {
            const pool = await pools.lend(1);
            let told: LabReport | null = null;
            try {
              const fields = {
                model: await soloHandle(context, model),
                request,
                superWeights: await superWeights(context, job, pool, model),
              };
              const report = await runInPool(context, job, pool, "lab", fields, (soFar) => (told = soFar));
              return keep(request, report);
            } catch (error) {
              const measured = unfinishedReport<LabReport>(
                told,
                isCancellation(error) ? null : toErrorData(error).message,
              );
              if (measured !== null) job.keep(keep(request, measured));
              throw error;
            } finally {
              pools.giveBack(pool);
            }
          },
        }),
      };
    },
    "lab:list": (of) => lab.list(of),
    "lab:get": ({ id }) => lab.get(id),
    "lab:delete": ({ id }) => {
      lab.delete(id);
      events.emit({ type: "lab-results" });
      return {};
    },
  };
}

/** Every path of a request, as the studio may read it. @throws KeystoneError access/outside */
function checkPaths(access: Access, request: LabRequest): LabRequest {
  return {
    ...request,
    text: access.check(request.text),
    calibration: request.calibration === null ? null : access.check(request.calibration),
    tasks: request.tasks.map((path) => access.check(path)),
  };
}
