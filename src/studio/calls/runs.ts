import type { Answers, StudioContext } from "../context.ts";

type RunCall = "run:list" | "run:get" | "run:variant" | "run:rename" | "run:delete";

/** Runs as they are kept; also those that another process writes. */
export function runCalls({ runs, events }: StudioContext): Answers<RunCall> {
  return {
    "run:list": () => runs.list(),
    "run:get": ({ run }) => runs.detail(run),
    "run:variant": ({ run, variant }) => runs.variantDetail(run, variant),
    "run:rename": ({ run, name }) => {
      const summary = runs.rename(run, name);
      events.emit({ type: "run", run: summary });
      return summary;
    },
    "run:delete": ({ run }) => {
      runs.delete(run);
      events.emit({ type: "run-deleted", run });
      return {};
    },
  };
}
