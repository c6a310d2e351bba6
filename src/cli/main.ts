import { CommanderError } from "commander";
import type { Dependencies } from "./session/dependencies.ts";
import type { Io } from "./output/io.ts";
import { buildProgram } from "./program.ts";
import { EXIT_USAGE, oneLine, reportError } from "./session/reportError.ts";

/** The studio is loaded when a command needs it: help and mistakes in the arguments answer at once. */
const REAL: Dependencies = {
  createStudio: async (options) => (await import("#studio/createStudio.ts")).createStudio(options),
};

/**
 * Runs one command line and returns its exit code: 0 done, 1 failed, 2 wrong usage. Never throws and never ends the process.
 * @param argv the arguments after the program's name
 */
export async function main(
  argv: readonly string[],
  io: Io,
  dependencies: Dependencies = REAL,
): Promise<number> {
  const program = buildProgram(io, dependencies);
  try {
    if (argv.length === 0) {
      io.stderr.write("error: no command was given. Run keystone --help for the list.\n");
      return EXIT_USAGE;
    }
    await program.parseAsync(argv, { from: "user" });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return exitCodeOf(thrown, io);
    return reportError(thrown, io);
  }
}

/** Commander ends `--help` and `--version` by throwing too; every other of its errors is wrong usage. */
function exitCodeOf(error: CommanderError, io: Io): number {
  if (error.exitCode === 0) return 0;
  if (error.code === "commander.help") {
    io.stderr.write(`error: ${oneLine("a subcommand is missing. Add --help for the list.")}\n`);
  }
  return EXIT_USAGE;
}
