import { coordinateWords } from "#shared/figures/detectionWords.ts";
import { Command } from "commander";
import type { AblateReport } from "#shared/evaluation.ts";
import { absolute, existingPath, namedText } from "../session/files.ts";
import {
  dropUndefined,
  judgeOf,
  numberList,
  withComputeOptions,
  withJudgeOptions,
  type ComputeOptions,
  type JudgeOptions,
} from "../session/options.ts";
import { count, duration, fixed, percent, perplexityDecimals } from "../output/numbers.ts";
import { conventionClause } from "../output/scores.ts";
import { textTable, type Column } from "../output/table.ts";
import { tasksText } from "../output/taskTables.ts";
import type { CommandContext } from "../session/commandContext.ts";

interface AblateOptions extends ComputeOptions, JudgeOptions {
  text: string;
  scale?: number[];
  tasks?: string;
}

/** `ablate MODEL --text F`: what the super weights are worth. */
export function ablateCommand(context: CommandContext): Command {
  const command = new Command("ablate")
    .description(
      "prune, keep and scale the super weights, and prune as many ordinary outliers, to see what each costs",
    )
    .argument("<model>", "folder of the checkpoint")
    .requiredOption(
      "--text <file>",
      'text to score: .txt or .raw is one document; .jsonl, .json, .csv and .parquet hold one a row in the column "text"; builtin: the one that ships with Keystone (required)',
    )
    .option(
      "--scale <factors>",
      "factors to multiply the super weights with, e.g. 0.5,0.9,2 (default: none)",
      numberList,
    )
    .option("--tasks <path>", "also score this task file, or folder of them, for each row (default: none)");
  return withComputeOptions(withJudgeOptions(command)).action((model: string, options: AblateOptions) =>
    context.session(options, async (session) => {
      const { job } = await session.studio.call("job:ablate", {
        model: absolute(session.io, model),
        text: await namedText(session.io, options.text),
        judge: judgeOf(options),
        factors: options.scale ?? [],
        ...dropUndefined({
          tasks:
            options.tasks === undefined
              ? undefined
              : await existingPath(session.io, options.tasks, "task file"),
        }),
      });
      const { report } = await session.result(job, "ablate");
      session.print(report, () => ablateText(report));
    }),
  );
}

function ablateText(report: AblateReport): string {
  const [original, ...others] = report.rows;
  const decimals = perplexityDecimals(
    original?.perplexity ?? null,
    others.map((row) => row.perplexity),
  );
  const tasks = original?.tasks ?? [];
  const columns: Column[] = [
    { title: "what was done" },
    { title: "weights", align: "right" },
    { title: "perplexity", align: "right" },
    { title: "KL", align: "right" },
    { title: "top-1", align: "right" },
    ...tasks.map((task): Column => ({ title: task.name, align: "right" })),
  ];
  const rows = report.rows.map((row) => [
    row.name,
    count(row.weights),
    fixed(row.perplexity, decimals, row.notFinite),
    fixed(row.kl?.mean, 4, row.notFinite),
    percent(row.kl?.topAgreement),
    ...tasks.map((task) => percent(row.tasks?.find((t) => t.name === task.name)?.accuracy)),
  ]);
  const answered = tasks.length > 0 ? `\nTask files, as the original answers them\n${tasksText(tasks)}` : "";
  const found = report.superWeights.map(coordinateWords).join(", ");
  return `Super weights: ${found || "none found"}. ${conventionClause(report.convention)}; ${duration(report.seconds)} on ${report.device}.\n\n${textTable(columns, rows)}${answered}`;
}
