import { randomUUID } from "node:crypto";
import { EXPERIMENTS, type LabRequest } from "#shared/lab.ts";
import type { Access } from "../access.ts";
import type { Answers, StudioContext } from "../context.ts";
import { runInPool, runnableModel, soloHandle, superWeights } from "../launch.ts";

type LabCall = "job:lab" | "lab:list" | "lab:get" | "lab:delete";

/** Experiments: run by one worker, told as they grow, kept when they are done. */
export function labCalls(context: StudioContext): Answers<LabCall> {
  const { access, events, jobs, lab, pools } = context;
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
            try {
              const report = await runInPool(context, job, pool, "lab", {
                model: await soloHandle(context, model),
                request,
                superWeights: await superWeights(context, job, pool, model),
              });
              const { id } = lab.save(randomUUID(), request, report);
              events.emit({ type: "lab-results" });
              return { id, report };
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
