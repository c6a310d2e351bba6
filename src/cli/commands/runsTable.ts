import { Command } from "commander";
import type { RunDetail } from "#shared/run.ts";
import { columnText } from "#shared/runTable/columns.ts";
import {
  equalSentence,
  groupSentence,
  runTable,
  runTableCsv,
  runTableDocument,
  runTableMarkdown,
  warningOf,
  type RunTable,
} from "#shared/runTable/runTable.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { absolute } from "../session/files.ts";
import { withCommonOptions, type CommonOptions } from "../session/options.ts";
import { count, fileSize } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import { usageError } from "../session/reportError.ts";
import { wholeId } from "../session/runId.ts";
import type { Session } from "../session/session.ts";
import { checkPlace, writeWhole } from "../session/writeWhole.ts";

interface TableOptions extends CommonOptions {
  out?: string;
  overwrite?: boolean;
}

/** What each ending of `--out` writes. */
const WRITERS: Readonly<Record<string, (table: RunTable) => string>> = {
  csv: runTableCsv,
  md: runTableMarkdown,
  json: (table) => `${JSON.stringify(runTableDocument(table), null, 2)}\n`,
};

/** `runs table [RUN…]`: all variants of several runs in one table. */
export function tableCommand(context: CommandContext): Command {
  const command = new Command("table")
    .description(
      "all variants of several runs in one table: the columns that differ, what is equal above; rows measured on another text or in another way are numbered apart",
    )
    .argument("[run...]", "ids of runs, or their beginnings (default: every run)")
    .option("-o, --out <file>", "write it to a file, .csv, .json or .md (default: show it)")
    .option(
      "--overwrite",
      "replace the file if it is there already (default: off, an existing file is an error)",
    );
  return withCommonOptions(command).action((ids: string[], _options: TableOptions, self: Command) => {
    const options = self.optsWithGlobals<TableOptions>();
    return context.session(options, (session) => tabulate(session, ids, options));
  });
}

async function tabulate(session: Session, ids: readonly string[], options: TableOptions): Promise<void> {
  const { out, write } = placeOf(session, options.out);
  const overwrite = options.overwrite === true;
  if (out !== null) await checkPlace(out, overwrite);
  const table = runTable(await details(session, ids));
  if (out === null) {
    session.print(runTableDocument(table), () => tableText(table));
    return;
  }
  const content = write(table);
  await writeWhole(out, content, { overwrite });
  const bytes = Buffer.byteLength(content);
  session.print(
    { out, rows: table.rows.length, bytes },
    () => `Wrote ${count(table.rows.length)} rows to ${out} (${fileSize(bytes)}).\n`,
  );
}

function placeOf(
  session: Session,
  named: string | undefined,
): { out: string | null; write: (table: RunTable) => string } {
  if (named === undefined) return { out: null, write: runTableCsv };
  const write = writerOf(/\.([a-z]+)$/i.exec(named)?.[1]?.toLowerCase());
  if (write) return { out: absolute(session.io, named), write };
  throw usageError(`The ending of ${named} names no format.`, "End it in .csv, .json or .md.");
}

function writerOf(ending: string | undefined): ((table: RunTable) => string) | null {
  return ending !== undefined && Object.hasOwn(WRITERS, ending) ? (WRITERS[ending] ?? null) : null;
}

async function details(session: Session, named: readonly string[]): Promise<RunDetail[]> {
  const known = (await session.studio.call("run:list", {})).map(({ id }) => id);
  const ids = named.length === 0 ? known : [...new Set(named.map((text) => wholeId(text, known)))];
  const found: RunDetail[] = [];
  for (const run of ids) found.push(await session.studio.call("run:get", { run }));
  return found;
}

function tableText(table: RunTable): string {
  const { rows, groups, columns } = table;
  if (rows.length === 0) return "No variants.\n";
  const lines = [equalSentence(table), warningOf(groups) ?? "", ...groups.map(groupSentence)].filter(Boolean);
  const shown = textTable(
    columns.map(({ title, format }) => ({ title, align: format === "text" ? "left" : "right" })),
    rows.map((row) => columns.map((column) => columnText(column, row))),
  );
  return `${lines.join("\n")}\n\n${shown}`;
}
