import { Command, Option } from "commander";
import { KeystoneError } from "#shared/errors.ts";
import { absolute } from "../session/files.ts";
import { withCommonOptions, dropUndefined, type CommonOptions } from "../session/options.ts";
import { fileSize } from "../output/numbers.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";
import { wholeId } from "../session/runId.ts";
import type { Session } from "../session/session.ts";
import { checkPlace, writeWhole } from "../session/writeWhole.ts";

const FORMATS = ["html", "markdown"] as const;
type Format = (typeof FORMATS)[number];

interface ReportOptions extends CommonOptions {
  out: string;
  format?: Format;
  title?: string;
  overwrite?: boolean;
}

/** `report RUN… --out F`: runs and kept experiments in one file to read, print and pass on. */
export function reportCommand(context: CommandContext): Command {
  const command = new Command("report")
    .description(
      "write runs and kept experiments down as one file, with charts, tables and how to repeat each",
    )
    .argument(
      "<run...>",
      "ids of runs or of kept experiments, or their beginnings, in the order they are to stand",
    )
    .requiredOption("--out <file>", "file to write, .html or .md (required)")
    .addOption(
      new Option(
        "--format <name>",
        "html: one file with charts, for a browser without a network; markdown: text and tables (default: by the file's ending)",
      ).choices(FORMATS),
    )
    .option("--title <text>", "heading of the report (default: the models and what is in it)")
    .option(
      "--overwrite",
      "replace the file if it is there already (default: off, an existing file is an error)",
    );
  return withCommonOptions(command).action((ids: string[], options: ReportOptions) =>
    context.session(options, (session) => write(session, ids, options)),
  );
}

async function write(session: Session, ids: readonly string[], options: ReportOptions): Promise<void> {
  const out = absolute(session.io, options.out);
  const format = options.format ?? formatOf(out);
  const overwrite = options.overwrite === true;
  await checkPlace(out, overwrite);
  const named = await sortIds(session, ids);
  const { content } = await session.studio.call("report:make", {
    ...named,
    format,
    ...dropUndefined({ title: options.title }),
  });
  await writeWhole(out, content, { overwrite });
  const bytes = Buffer.byteLength(content);
  session.print({ out, format, bytes, ...named }, () => `Wrote ${out} (${fileSize(bytes)}).\n`);
}

function formatOf(path: string): Format {
  if (/\.html?$/i.test(path)) return "html";
  if (/\.(md|markdown)$/i.test(path)) return "markdown";
  throw usageError(
    `The ending of ${path} names no format.`,
    "End it in .html or .md, or choose with --format.",
  );
}

/** Which of the ids are runs and which are kept experiments. */
async function sortIds(
  session: Session,
  named: readonly string[],
): Promise<{ runs: string[]; lab: string[] }> {
  const runs = new Set((await session.studio.call("run:list", {})).map(({ id }) => id));
  const lab = new Set((await session.studio.call("lab:list", {})).map(({ id }) => id));
  const ids = named.map((text) => wholeId(text, [...runs, ...lab]));
  const unknown = ids.find((id) => !runs.has(id) && !lab.has(id));
  if (unknown === undefined)
    return { runs: ids.filter((id) => runs.has(id)), lab: ids.filter((id) => lab.has(id)) };
  throw new KeystoneError(
    "report/unknown",
    `There is no run and no kept experiment ${unknown}.`,
    "keystone runs and keystone lab list show their ids.",
    { id: unknown },
  );
}
