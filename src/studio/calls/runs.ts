import type { RunSummary } from "#shared/run.ts";
import type { Answers, StudioContext } from "../context/context.ts";

type RunCall =
  "run:list" | "run:get" | "run:variant" | "run:rename" | "run:note" | "run:undo-note" | "run:delete";

/** Runs as they are kept; also those that another process writes. */
export function runCalls({ runs, words, events }: StudioContext): Answers<RunCall> {
  const told = (run: RunSummary): RunSummary => {
    events.emit({ type: "run", run });
    return run;
  };
  return {
    "run:list": () => runs.list(),
    "run:get": ({ run }) => runs.detail(run),
    "run:variant": ({ run, variant }) => runs.variantDetail(run, variant),
    "run:rename": ({ run, name }) => told(words.write(run, { name })),
    "run:note": ({ run, name, note, was }) =>
      told(
        words.write(
          run,
          { ...(name === undefined ? {} : { name }), ...(note === undefined ? {} : { note }) },
          was ?? null,
        ),
      ),
    "run:undo-note": ({ run, was }) => told(words.undo(run, was ?? null)),
    "run:delete": ({ run }) => {
      runs.delete(run);
      events.emit({ type: "run-deleted", run });
      return {};
    },
  };
}
