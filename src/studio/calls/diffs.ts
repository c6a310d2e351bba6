import type { Answers, StudioContext } from "../context/context.ts";
import { soloTask } from "../context/launch.ts";
import { summarizeModel } from "../context/summarizeModel.ts";

/** Two checkpoints beside each other; both are opened before the job is queued, and neither needs to be one that can be run. */
export function diffCalls(context: StudioContext): Answers<"job:diff"> {
  const { access, jobs } = context;
  return {
    "job:diff": async (asked) => {
      const a = await summarizeModel(access.check(asked.a));
      const b = await summarizeModel(access.check(asked.b));
      return {
        job: jobs.start({
          kind: "diff",
          title: `Compare the tensors of ${a.name} and ${b.name}`,
          model: a.path,
          work: (job) =>
            soloTask(context, job, "diff", async () => Promise.resolve({ a: a.path, b: b.path })),
        }),
      };
    },
  };
}
