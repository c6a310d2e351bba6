import { Command } from "commander";
import { ablateCommand } from "./commands/ablate.ts";
import { compareCommand } from "./commands/compare.ts";
import { demoCommand } from "./commands/demo.ts";
import { detectCommand } from "./commands/detect.ts";
import { diffCommand } from "./commands/diff.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { fitCommand } from "./commands/fit.ts";
import { generateCommand } from "./commands/generate.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { labCommand } from "./commands/lab.ts";
import { reportCommand } from "./commands/report.ts";
import { runsCommand } from "./commands/runs.ts";
import { serveCommand } from "./commands/serve.ts";
import { sweepCommand } from "./commands/sweep.ts";
import { tasksCommand } from "./commands/tasks.ts";
import type { CommandContext } from "./session/commandContext.ts";
import type { Io } from "./output/io.ts";
import type { Dependencies } from "./session/dependencies.ts";
import { oneLine } from "./session/reportError.ts";
import { withSession } from "./session/session.ts";
import { version } from "./session/root.ts";

/** The command line's grammar: one file per command under commands/. Errors are thrown, never exited with. */
export function buildProgram(io: Io, dependencies: Dependencies): Command {
  const context: CommandContext = {
    io,
    session: (options, body) => withSession(io, dependencies, options, body),
  };
  const program = new Command("keystone")
    .description(
      "Finds the few weights a language model cannot live without, quantizes everything else, and proves the result.",
    )
    .version(version(), "-V, --version", "print the version (default: off)")
    .helpOption("-h, --help", "explain a command and its options with their defaults (default: off)")
    .addHelpText("after", AFTER_HELP)
    .helpCommand(false);
  const commands = [
    inspectCommand,
    fitCommand,
    detectCommand,
    evalCommand,
    compareCommand,
    diffCommand,
    generateCommand,
    sweepCommand,
    ablateCommand,
    labCommand,
    tasksCommand,
    exportCommand,
    runsCommand,
    reportCommand,
    demoCommand,
    serveCommand,
  ];
  for (const build of commands) program.addCommand(build(context));
  settle(program, io);
  return program;
}

const AFTER_HELP = `
keystone COMMAND --help explains the options of a command. MODEL is a folder as Hugging Face writes it.
Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong usage. KEYSTONE_DEBUG=1 adds stack traces.
`;

/** Every command writes through the io, throws instead of exiting, and says a usage error in one line. */
function settle(command: Command, io: Io): void {
  command
    .exitOverride()
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .helpOption("-h, --help", "explain this command and its options (default: off)")
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      outputError: (text, write) => {
        write(`${sentence(oneLine(text))} Run keystone ${commandPath(command)}--help for the options.\n`);
      },
    });
  for (const inner of command.commands) settle(inner, io);
}

function sentence(text: string): string {
  return /[.?!)]$/.test(text) ? text : `${text}.`;
}

/** `runs show ` for a nested command, nothing for the program itself. */
function commandPath(command: Command): string {
  return command.parent ? `${commandPath(command.parent)}${command.name()} ` : "";
}
