import { Command } from "commander";
import { sentence } from "#shared/format.ts";
import { experimentName, type ExperimentName, type LabReport } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { absolute } from "../session/files.ts";
import { PROMPTS_FILE, withOwnOptions } from "../lab/experimentOptions.ts";
import { hideUnusedOptions, isGiven, rejectUnusedOptions } from "../lab/rejectUnusedOptions.ts";
import { labRequestOf, type LabOptions } from "../lab/request.ts";
import {
  withCommonOptions,
  withComputeOptions,
  withJudgeOptions,
  wholeNumber,
  type CommonOptions,
} from "../session/options.ts";
import { printJson } from "../output/json.ts";
import { labTable, labText } from "../output/labText.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";
import { wholeLabId } from "../session/runId.ts";
import type { Session } from "../session/session.ts";

interface ParentOptions extends CommonOptions {
  list?: boolean;
}

/** `lab EXPERIMENT MODEL`: one of the paper's experiments; `lab list`, `lab show ID` and `lab delete ID`: those that are kept. */
export function labCommand(context: CommandContext): Command {
  const command = withCommonOptions(
    new Command("lab")
      .description("run the paper's experiments on a checkpoint; each result is kept")
      .usage("EXPERIMENT MODEL [options]")
      .option("--list", "list the experiments and the question each answers (default: off)"),
  )
    // Whatever is no experiment and no subcommand ends here, so that the error can name the experiments.
    .argument("[words...]")
    .allowUnknownOption()
    .action((words: string[], options: ParentOptions) => {
      if (options.list && words.length === 0) listExperiments(context, options);
      else throw noExperiment(words[0]);
    });
  for (const name of experimentName.options) command.addCommand(experimentCommand(context, name));
  for (const build of [keptCommand, showCommand, deleteCommand]) command.addCommand(build(context));
  return command;
}

function noExperiment(word: string | undefined): Error {
  return usageError(
    word === undefined ? "No experiment was named." : `There is no experiment "${word}".`,
    `Name one of ${experimentName.options.join(", ")}; keystone lab --list says what each shows.`,
  );
}

function listExperiments({ io }: CommandContext, options: ParentOptions): void {
  const experiments = experimentName.options.map((name) => {
    const { title, paper, question } = EXPERIMENTS[name];
    return { name, title, paper, question };
  });
  if (options.json) {
    printJson(io.stdout, { experiments });
    return;
  }
  const columns = [{ title: "experiment" }, { title: "in the paper" }, { title: "question" }];
  const rows = experiments.map(({ name, paper, question }) => [name, paper, question]);
  io.stdout.write(textTable(columns, rows));
}

function experimentCommand(context: CommandContext, experiment: ExperimentName): Command {
  const { question, paper } = EXPERIMENTS[experiment];
  const command = new Command(experiment)
    .description(`${sentence(paper)} of the paper: ${question}`)
    .argument("<model>", "folder of the checkpoint")
    .option(
      "--text <file>",
      "text that is judged, or builtin for the one that ships with Keystone (default: eval.jsonl in the model's folder or the one around it)",
    )
    .option(
      "--calibration <file>",
      "text that thresholds and scales are chosen on (default: calibration.jsonl in the model's folder or the one around it)",
    )
    .option(
      "--tasks <path...>",
      "task files or folders of them that are answered too, as keystone tasks reads them (default: none)",
    )
    .option("--task-limit <n>", "answer the first n items of each task (default: all)", wholeNumber(1));
  withOwnOptions(command, experiment);
  return withComputeOptions(hideUnusedOptions(withJudgeOptions(command), experiment)).action(
    (model: string, _options: LabOptions, self: Command) => {
      rejectUnusedOptions(self, experiment);
      const options = self.optsWithGlobals<LabOptions>();
      // Of a file all prompts are run, unless a number was given.
      if (!isGiven(self, "promptCount") && options[PROMPTS_FILE] !== undefined) delete options["promptCount"];
      return context.session(options, (session) => run(session, experiment, model, options));
    },
  );
}

async function run(
  session: Session,
  experiment: ExperimentName,
  model: string,
  options: LabOptions,
): Promise<void> {
  const request = await labRequestOf(session.io, experiment, model, options);
  const path = absolute(session.io, model);
  const { job } = await session.studio.call("job:lab", { model: path, request });
  const stopStreaming = streamPoints(session, job);
  try {
    // After Ctrl-C what was measured until then, marked.
    await session.printResult(job, "lab", ({ id, report }) =>
      session.print({ id, ...report }, () => `${labText(report)}\n${keptAs(id)}`),
    );
  } finally {
    stopStreaming();
  }
}

function keptAs(id: string): string {
  return `Kept as ${id}. keystone report ${id} --out report.html writes it down with its charts.\n`;
}

/** On a terminal, prints each point as it comes, above the bar. */
function streamPoints(session: Session, job: string): () => void {
  if (!session.progress.live) return () => undefined;
  const shown = new Set<string>();
  const show = (report: LabReport): void => {
    for (const line of EXPERIMENTS[report.experiment].livePoints(report)) {
      if (shown.has(line)) continue;
      shown.add(line);
      session.progress.line(line);
    }
  };
  return session.studio.on(({ event }) => {
    if (event.type === "lab-report" && event.job === job) show(event.report);
  });
}

function keptCommand(context: CommandContext): Command {
  return withCommonOptions(new Command("list").description("list the kept experiments, newest first")).action(
    (_options: CommonOptions, self: Command) =>
      context.session(self.optsWithGlobals<CommonOptions>(), async (session) => {
        const kept = await session.studio.call("lab:list", {});
        session.print({ kept }, () =>
          kept.length === 0
            ? "No experiment was kept yet. keystone lab --list names those that can be run.\n"
            : labTable(kept),
        );
      }),
  );
}

function showCommand(context: CommandContext): Command {
  return withCommonOptions(
    new Command("show")
      .description("show a kept experiment")
      .argument("<id>", "id of the experiment, as lab list gives it, or its beginning"),
  ).action((id: string, _options: CommonOptions, self: Command) =>
    context.session(self.optsWithGlobals<CommonOptions>(), async (session) => {
      const whole = await wholeLabId(session, id);
      const { report } = await session.studio.call("lab:get", { id: whole });
      session.print({ id: whole, ...report }, () => labText(report));
    }),
  );
}

function deleteCommand(context: CommandContext): Command {
  return withCommonOptions(
    new Command("delete")
      .description("delete a kept experiment")
      .argument("<id>", "id of the experiment, as lab list gives it, or its beginning"),
  ).action((id: string, _options: CommonOptions, self: Command) =>
    context.session(self.optsWithGlobals<CommonOptions>(), async (session) => {
      const whole = await wholeLabId(session, id);
      await session.studio.call("lab:delete", { id: whole });
      session.print({ deleted: whole }, () => `Deleted experiment ${whole}.\n`);
    }),
  );
}
