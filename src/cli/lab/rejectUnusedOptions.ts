import type { Command } from "commander";
import { list } from "#shared/format.ts";
import type { ExperimentName } from "#shared/lab.ts";
import { ANSWERS_TASKS, CALIBRATED, SCORES_TEXT } from "#shared/labUses.ts";
import { usageError } from "../session/reportError.ts";

/** Options that all experiments read, by the field they fill: which experiments they mean something to, and why not to others. */
const MEANT_FOR: ReadonlyMap<string, { experiments: ReadonlySet<ExperimentName>; otherwise: string }> =
  new Map([
    ...each(["tasks", "taskLimit"], ANSWERS_TASKS, "answers no tasks"),
    ...each(["calibration"], CALIBRATED, "chooses nothing on a calibration text"),
    ...each(
      ["context", "stride", "tokens", "windows"],
      SCORES_TEXT,
      "runs prompts and scores no windows of text",
    ),
  ]);

function each(fields: readonly string[], experiments: ReadonlySet<ExperimentName>, otherwise: string) {
  return fields.map((field) => [field, { experiments, otherwise }] as const);
}

/** Leaves out of an experiment's help what means nothing to it. */
export function hideUnusedOptions(command: Command, experiment: ExperimentName): Command {
  for (const option of command.options) {
    const meant = MEANT_FOR.get(option.attributeName());
    if (meant && !meant.experiments.has(experiment)) option.hideHelp();
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
    const meant = MEANT_FOR.get(field);
    if (!meant || meant.experiments.has(experiment) || !isGiven(command, field)) continue;
    throw usageError(
      `--${option.name()} has no meaning here: ${experiment} ${meant.otherwise}.`,
      `Leave it out; it is taken by ${list([...meant.experiments])}.`,
    );
  }
  if (isGiven(command, "by") && command.getOptionValue("scope") !== "tensor")
    throw usageError(
      "--by has no meaning here: one range for all tensors is chosen by KL on the calibration text.",
      "Leave it out, or add --scope tensor, with which each tensor has its own range.",
    );
  if (isGiven(command, "taskLimit") && !isGiven(command, "tasks"))
    throw usageError(
      "--task-limit has no meaning here: no tasks were named.",
      "Leave it out, or name task files with --tasks.",
    );
}
