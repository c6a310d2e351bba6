import { KeystoneError } from "#shared/errors.ts";
import type { Answers, StudioContext } from "../context.ts";

/** Reports about runs and kept experiments. */
export function reportCalls({ runs, lab }: StudioContext): Answers<"report:make"> {
  return {
    "report:make": ({ runs: runIds, lab: labIds }) => {
      if (runIds.length + labIds.length === 0) {
        throw new KeystoneError(
          "usage/nothing-to-report",
          "A report is about runs or kept experiments, and none was named.",
          "Name a run or an experiment by its id.",
        );
      }
      const content = JSON.stringify({
        runs: runIds.map((id) => runs.detail(id)),
        lab: labIds.map((id) => lab.get(id)),
      });
      return { name: "keystone-report.json", content };
    },
  };
}
