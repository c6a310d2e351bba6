import { Command } from "commander";
import type { TaskReport } from "#shared/evaluation.ts";
import { absolute, existingFile, readRecipe } from "../files.ts";
import { withComputeOptions, type ComputeOptions } from "../options.ts";
import { count, percent } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../program.ts";

interface TasksOptions extends ComputeOptions {
  tasks: string[];
  recipe?: string;
}

/** `tasks MODEL --tasks F`: accuracy on last-word and multiple-choice questions. */
export function tasksCommand(context: CommandContext): Command {
  const command = new Command("tasks")
    .description("score a checkpoint, or a recipe of it, on task files")
    .argument("<model>", "folder of the checkpoint")
    .requiredOption(
      "--tasks <file...>",
      'task files, .jsonl: {"context", "target"} or {"context", "choices", "gold"} a line (required)',
    )
    .option("--recipe <file>", "recipe of the variant to score (default: none, the original)");
  return withComputeOptions(command).action((model: string, options: TasksOptions) =>
    context.session(options, async (session) => {
      const recipe = options.recipe === undefined ? null : await readRecipe(session.io, options.recipe);
      const files = await Promise.all(
        options.tasks.map((file) => existingFile(session.io, file, "task file")),
      );
      const started = performance.now();
      const path = absolute(session.io, model);
      const { job } = await session.studio.call("job:tasks", { model: path, recipe, files });
      const { report } = await session.result(job, "tasks");
      const seconds = (performance.now() - started) / 1000;
      session.print({ model: path, recipe, tasks: report, seconds }, () => tasksText(report));
    }),
  );
}

/** One row a task; the standard error stands once beside each accuracy. */
export function tasksText(tasks: readonly TaskReport[]): string {
  const table = textTable(
    [
      { title: "task" },
      { title: "right", align: "right" },
      { title: "of", align: "right" },
      { title: "accuracy", align: "right" },
      { title: "± standard error", align: "right" },
    ],
    tasks.map((task) => [
      task.name,
      count(task.correct),
      count(task.n),
      percent(task.accuracy),
      percent(task.stderr),
    ]),
  );
  const skipped = tasks.flatMap((task) =>
    task.skipped.map((s) => `Skipped line ${s.line} of ${task.name}: ${s.reason}\n`),
  );
  return table + skipped.join("");
}
