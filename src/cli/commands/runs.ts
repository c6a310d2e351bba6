import { Command } from "commander";
import { withCommonOptions, type CommonOptions } from "../options.ts";
import { runDocument, runsTable, runText } from "../output/results.ts";
import type { CommandContext } from "../program.ts";
import { wholeRunId } from "../runId.ts";

/** `runs` and `runs show RUN`: what the run store holds. */
export function runsCommand(context: CommandContext): Command {
  const list = async (options: CommonOptions): Promise<void> =>
    context.session(options, async (session) => {
      const runs = await session.studio.call("run:list", {});
      session.print({ runs }, () =>
        runs.length === 0 ? "No runs yet. keystone sweep starts one.\n" : runsTable(runs),
      );
    });
  const show = withCommonOptions(
    new Command("show")
      .description("show one run with its results")
      .argument("<run>", "id of the run, as runs lists it, or its beginning"),
  ).action((run: string, _options: CommonOptions, command: Command) =>
    context.session(command.optsWithGlobals<CommonOptions>(), async (session) => {
      const detail = await session.studio.call("run:get", { run: await wholeRunId(session, run) });
      session.print(runDocument(detail), () => runText(detail));
    }),
  );
  return withCommonOptions(new Command("runs").description("list the runs in the run store, newest first"))
    .action(list)
    .addCommand(show);
}
