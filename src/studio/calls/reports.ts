import { KeystoneError } from "#shared/errors.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { makeReport } from "../report/makeReport.ts";
import { gatherSource } from "../report/source.ts";

/** Reports about runs and kept experiments. */
export function reportCalls(context: StudioContext): Answers<"report:make"> {
  return {
    "report:make": async ({ format, ...asked }) => {
      if (asked.runs.length + asked.lab.length > 0)
        return makeReport(await gatherSource(context, asked), format);
      throw new KeystoneError(
        "usage/nothing-to-report",
        "A report is about runs or kept experiments, and none was named.",
        "Name a run or an experiment by its id.",
      );
    },
  };
}
