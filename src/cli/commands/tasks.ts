import { Command, Option } from "commander";
import { taskDataset, type TaskDataset } from "#shared/evaluation.ts";
import { absolute, existingPath, namedCalibration, readRecipe } from "../session/files.ts";
import {
  dropUndefined,
  withCalibrationOption,
  withComputeOptions,
  wholeNumber,
  type CalibrationOptions,
  type ComputeOptions,
} from "../session/options.ts";
import { itemsText, tasksText } from "../output/taskTables.ts";
import type { CommandContext } from "../session/commandContext.ts";

interface TasksOptions extends ComputeOptions, CalibrationOptions {
  tasks: string[];
  recipe?: string;
  dataset?: TaskDataset;
  limit?: number;
  items?: boolean;
}

/** `tasks MODEL --tasks F`: zero-shot accuracy on last-word and multiple-choice questions. */
export function tasksCommand(context: CommandContext): Command {
  const command = new Command("tasks")
    .description("score a checkpoint, or a recipe of it, zero-shot on task files")
    .argument("<model>", "folder of the checkpoint")
    .requiredOption(
      "--tasks <path...>",
      "task files (JSON lines, a JSON array, CSV or Parquet) or folders of them, in the columns of a known dataset (required)",
    )
    .option("--recipe <file>", "recipe of the variant to score (default: none, the original)")
    .addOption(
      new Option(
        "--dataset <name>",
        "whose columns the files have; others are refused (default: recognised from the columns)",
      ).choices(taskDataset.options),
    )
    .option("--limit <n>", "score the first n items of each task (default: all)", wholeNumber(1, 100_000_000))
    .option("--items", "report every item's log-likelihoods, right choice and verdict too (default: totals)");
  return withComputeOptions(withCalibrationOption(command)).action((model: string, options: TasksOptions) =>
    context.session(options, async (session) => {
      const recipe = options.recipe === undefined ? null : await readRecipe(session.io, options.recipe);
      const files = await Promise.all(
        options.tasks.map((path) => existingPath(session.io, path, "task file")),
      );
      const started = performance.now();
      const path = absolute(session.io, model);
      const { dataset, limit, items } = options;
      const { job } = await session.studio.call("job:tasks", {
        model: path,
        recipe,
        files,
        ...dropUndefined({ dataset, limit, items }),
        ...(await namedCalibration(session.io, options.calibration)),
      });
      const { report } = await session.result(job, "tasks");
      const seconds = (performance.now() - started) / 1000;
      session.print(
        { model: path, recipe, tasks: report, seconds },
        () => itemsText(report) + tasksText(report),
      );
    }),
  );
}
