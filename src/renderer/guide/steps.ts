import type { RunSummary } from "#shared/run.ts";

/** What is true now of the way from an opened model to a verified file; everything is about the model that is open. */
export interface GuideFacts {
  /** Name of the open model; null = none is open. */
  model: string | null;
  /** Whether its super weights were searched. */
  searched: boolean;
  searching: boolean;
  /** Its newest run with results, or the one that runs. */
  run: Pick<RunSummary, "id" | "status" | "done" | "total"> | null;
  /** Whether two of its variants were looked at side by side. */
  compared: boolean;
  /** The last folder it was exported to; null = none. */
  exported: string | null;
  /** Whether that export was opened again and scored as it was judged. */
  verified: boolean;
}

export type StepId = "open" | "find" | "sweep" | "compare" | "export" | "verify";

export interface Step {
  readonly id: StepId;
  readonly title: string;
  readonly done: boolean;
}

/** Fewest scored variants that can be compared. */
export const FEWEST_SCORED = 2;

const TITLES: Readonly<Record<StepId, string>> = {
  open: "Open a model",
  find: "Find super weights",
  sweep: "Small sweep",
  compare: "Compare",
  export: "Export",
  verify: "Verified file",
};

/** The six steps, each done or not. */
export function stepsOf(facts: GuideFacts): readonly Step[] {
  const done: Readonly<Record<StepId, boolean>> = {
    open: facts.model !== null,
    find: facts.searched,
    sweep: facts.run !== null && isScored(facts.run),
    compare: facts.compared,
    export: facts.exported !== null,
    verify: facts.verified,
  };
  return (Object.keys(TITLES) as StepId[]).map((id) => ({ id, title: TITLES[id], done: done[id] }));
}

/** The first step that is not done; null = all are. What was left out on the way is not asked for once the file is verified. */
export function currentStep(facts: GuideFacts): StepId | null {
  if (facts.verified) return null;
  return stepsOf(facts).find(({ done }) => !done)?.id ?? null;
}

/** Whether a run has ended with variants to compare. */
export function isScored({ status, done }: Pick<RunSummary, "status" | "done">): boolean {
  return done >= FEWEST_SCORED && !["waiting", "running", "paused"].includes(status);
}

/** What there is to do now, in one sentence. */
export function hintOf(facts: GuideFacts): string {
  switch (currentStep(facts)) {
    case null:
      return `Exported and verified: ${facts.exported ?? ""}`;
    case "open":
      return "The demo model, a folder or a file of yours, or one found here.";
    case "find":
      return facts.searching
        ? "The search runs; its result opens the next step."
        : "Which single weights the model depends on.";
    case "sweep":
      return facts.run && !isScored(facts.run)
        ? `${facts.run.done} of ${facts.run.total} variants scored.`
        : "Quantize a few ways and score each against the original.";
    case "compare":
      return "Compare the two variants of lowest KL with the original.";
    case "export":
      return "Export the best variant; its files are reloaded and scored.";
    case "verify":
      return "The last export was not verified: export again with Verify on.";
  }
}
