import type { Command } from "commander";
import { list } from "#shared/format.ts";
import { experimentName, type ExperimentName } from "#shared/lab/index.ts";
import { EXPERIMENTS, type AnyExperiment } from "#shared/lab/index.ts";
import { usageError } from "../session/reportError.ts";

/** Options that all experiments read, by the field they fill: what of an experiment uses them, and why not. */
const MEANT_FOR: Readonly<Record<string, { use: keyof AnyExperiment["uses"]; otherwise: string }>> =
  Object.fromEntries([
    ...each(["tasks", "taskLimit"], "tasks", "answers no tasks"),
    ...each(["calibration"], "calibration", "chooses nothing on a calibration text"),
    ...each(
      ["context", "stride", "tokens", "windows"],
      "windows",
      "runs prompts and scores no windows of text",
    ),
  ]);

function each(fields: readonly string[], use: keyof AnyExperiment["uses"], otherwise: string) {
  return fields.map((field) => [field, { use, otherwise }] as const);
}

/** What an option of all experiments is for; undefined for an experiment's own. */
function meaning(field: string) {
  return Object.hasOwn(MEANT_FOR, field) ? MEANT_FOR[field] : undefined;
}

/** Leaves out of an experiment's help what means nothing to it. */
export function hideUnusedOptions(command: Command, experiment: ExperimentName): Command {
  for (const option of command.options) {
    const meant = meaning(option.attributeName());
    if (meant && !EXPERIMENTS[experiment].uses[meant.use]) option.hideHelp();
  }
  return command;
}

/** Whether an option was written, rather than left at its default. */
export function isGiven(command: Command, field: string): boolean {
  return command.getOptionValueSource(field) === "cli";
}

/**
 * Refuses what was asked for and would be passed over without a word.
 * @throws KeystoneError usage/arguments
 */
export function rejectUnusedOptions(command: Command, experiment: ExperimentName): void {
  for (const option of command.options) {
    const field = option.attributeName();
    const meant = meaning(field);
    if (!meant || EXPERIMENTS[experiment].uses[meant.use] || !isGiven(command, field)) continue;
    throw usageError(
      `--${option.name()} has no meaning here: ${experiment} ${meant.otherwise}.`,
      `Leave it out; it is taken by ${list(experimentName.options.filter((name) => EXPERIMENTS[name].uses[meant.use]))}.`,
    );
  }
  for (const option of EXPERIMENTS[experiment].options) {
    const { key, idleProblem } = option;
    if (idleProblem && isGiven(command, key) && option.idle?.(command.opts()))
      throw usageError(...idleProblem);
  }
  if (isGiven(command, "taskLimit") && !isGiven(command, "tasks"))
    throw usageError(
      "--task-limit has no meaning here: no tasks were named.",
      "Leave it out, or name task files with --tasks.",
    );
}
