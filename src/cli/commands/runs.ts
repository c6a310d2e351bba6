import { Command } from "commander";
import { readFile, stat } from "node:fs/promises";
import { KeystoneError } from "#shared/errors.ts";
import { ARCHIVE_ENDING, MAX_ARCHIVE_BYTES } from "#shared/runArchive.ts";
import { absolute, existingFile } from "../session/files.ts";
import { dropUndefined, withCommonOptions, type CommonOptions } from "../session/options.ts";
import { fileSize } from "../output/numbers.ts";
import { runDocument, runsTable, runText } from "../output/results.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";
import { wholeRunId } from "../session/runId.ts";
import { tableCommand } from "./runsTable.ts";
import type { Session } from "../session/session.ts";
import { checkPlace, writeWhole } from "../session/writeWhole.ts";

const RUN = "id of the run, as runs lists it, or its beginning";

/** `runs` and what is below it: what the run store holds, tables over it, notes, and archives. */
export function runsCommand(context: CommandContext): Command {
  const list = async (options: CommonOptions): Promise<void> =>
    context.session(options, async (session) => {
      const runs = await session.studio.call("run:list", {});
      session.print({ runs }, () =>
        runs.length === 0 ? "No runs yet. keystone sweep starts one.\n" : runsTable(runs),
      );
    });
  return withCommonOptions(new Command("runs").description("list the runs in the run store, newest first"))
    .action(list)
    .addCommand(showCommand(context))
    .addCommand(tableCommand(context))
    .addCommand(noteCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(importCommand(context));
}

function showCommand(context: CommandContext): Command {
  const command = new Command("show").description("show one run with its results").argument("<run>", RUN);
  return withCommonOptions(command).action((run: string, _options: CommonOptions, self: Command) =>
    context.session(self.optsWithGlobals<CommonOptions>(), async (session) => {
      const detail = await session.studio.call("run:get", { run: await wholeRunId(session, run) });
      session.print(runDocument(detail), () => runText(detail));
    }),
  );
}

interface NoteOptions extends CommonOptions {
  title?: string;
  undo?: boolean;
}

/** `runs note RUN "…"`: what a person writes about a run. Without a text it shows what is there. */
function noteCommand(context: CommandContext): Command {
  const command = new Command("note")
    .description("write a note about a run, kept with it and in its reports; without a text, show it")
    .argument("<run>", RUN)
    .argument("[text]", 'the note; "" removes it')
    .option("--title <text>", "give the run another title (default: the title stays)")
    .option("--undo", "take back the last edit of title and note (default: off)");
  return withCommonOptions(command).action(
    (named: string, note: string | undefined, _options: NoteOptions, self: Command) => {
      const options = self.optsWithGlobals<NoteOptions>();
      return context.session(options, async (session) => {
        const run = await wholeRunId(session, named);
        const summary = await noteOf(session, run, note, options);
        session.print(summary, () => `${summary.name}\n${summary.note === "" ? "No note." : summary.note}\n`);
      });
    },
  );
}

async function noteOf(session: Session, run: string, note: string | undefined, options: NoteOptions) {
  const changes = dropUndefined({ note, name: options.title });
  if (options.undo === true) {
    if (Object.keys(changes).length > 0)
      throw usageError("--undo takes an edit back and writes none.", "Leave the text and --title out.");
    return session.studio.call("run:undo-note", { run });
  }
  if (Object.keys(changes).length > 0) return session.studio.call("run:note", { run, ...changes });
  return (await session.studio.call("run:get", { run })).summary;
}

interface ExportOptions extends CommonOptions {
  out?: string;
  overwrite?: boolean;
}

/** `runs export RUN -o FILE`: one file for another Keystone. */
function exportCommand(context: CommandContext): Command {
  const command = new Command("export")
    .description(
      "write a run as one file that another Keystone imports: plan, results, report, the model's fingerprint and the text's hash; no weights, no paths",
    )
    .argument("<run>", RUN)
    .option(
      "-o, --out <file>",
      `file to write (default: keystone-MODEL-DATE-RUN.${ARCHIVE_ENDING} in this folder)`,
    )
    .option(
      "--overwrite",
      "replace the file if it is there already (default: off, an existing file is an error)",
    );
  return withCommonOptions(command).action((named: string, _options: ExportOptions, self: Command) => {
    const options = self.optsWithGlobals<ExportOptions>();
    return context.session(options, async (session) => {
      const overwrite = options.overwrite === true;
      if (options.out !== undefined) await checkPlace(absolute(session.io, options.out), overwrite);
      const run = await wholeRunId(session, named);
      const { name, content } = await session.studio.call("run:export", { run });
      const out = absolute(session.io, options.out ?? name);
      const archive = Buffer.from(content, "base64");
      await writeWhole(out, archive, { overwrite });
      session.print(
        { run, out, bytes: archive.length },
        () => `Wrote ${out} (${fileSize(archive.length)}).\n`,
      );
    });
  });
}

/** `runs import FILE`: a run that another Keystone executed. */
function importCommand(context: CommandContext): Command {
  const command = new Command("import")
    .description("keep a run that another Keystone exported, with its results and its note")
    .argument("<file>", "the file that runs export, or the window, wrote")
    .option("--replace", "take the place of an earlier import of the same run (default: off)");
  return withCommonOptions(command).action(
    (file: string, _options: CommonOptions & { replace?: boolean }, self: Command) => {
      const options = self.optsWithGlobals<CommonOptions & { replace?: boolean }>();
      return context.session(options, async (session) => {
        const content = await readBounded(await existingFile(session.io, file, "archive"));
        const summary = await session.studio.call("run:import", {
          content: content.toString("base64"),
          replace: options.replace === true,
        });
        session.print(
          { run: summary.id, ...summary },
          () =>
            `Imported run ${summary.id} (${summary.name}): ${summary.done} of ${summary.total} variants scored.\n`,
        );
      });
    },
  );
}

async function readBounded(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size <= MAX_ARCHIVE_BYTES) return readFile(path);
  throw new KeystoneError(
    "archive/too-large",
    `${path} has ${fileSize(size)}; an archive may hold ${fileSize(MAX_ARCHIVE_BYTES)}.`,
    "Choose a file that Keystone exported from a run.",
    { path },
  );
}
