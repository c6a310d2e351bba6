import { Command, Option } from "commander";
import { exportFormat, keptModule, type ExportReport, type RuntimeScore } from "#shared/exporting.ts";
import { agreementOf } from "#shared/verification.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { inOptions, requireUsed } from "../session/exportUsage.ts";
import { absolute, readRecipe, textFor } from "../session/files.ts";
import {
  dropUndefined,
  judgeOf,
  wholeNumber,
  withComputeOptions,
  withJudgeOptions,
  type ComputeOptions,
  type JudgeOptions,
} from "../session/options.ts";
import { count, duration, fileSize, fixed } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";
import type { Session } from "../session/session.ts";

interface ExportOptions extends ComputeOptions, JudgeOptions {
  recipe: string;
  format: string;
  out: string;
  verify?: boolean;
  text?: string;
  overwrite?: boolean;
  maxShard?: number;
  kept?: string;
  embedding?: string;
}

/** `export MODEL --recipe F --out DIR`: the variant as a checkpoint of its own. */
export function exportCommand(context: CommandContext): Command {
  const command = new Command("export")
    .description("write a variant as a checkpoint, and prove it by opening and scoring it again")
    .argument("<model>", "folder of the checkpoint")
    .requiredOption("--recipe <file>", "recipe of the variant to write (required)")
    .requiredOption("--out <folder>", "folder to create (required)")
    .addOption(
      new Option("--format <name>", "what to write").choices(exportFormat.options).default("safetensors"),
    )
    .option("--verify", "open the export again, compare every weight and score it on --text (default: off)")
    .option(
      "--text <file>",
      "text for --verify, or builtin for the one that ships with Keystone (default: eval.jsonl in the model's folder or the one around it)",
    )
    .option(
      "--overwrite",
      "replace the folder if it is there already (default: off, an existing folder is an error)",
    )
    .option(
      "--max-shard <bytes>",
      "largest shard in bytes, in formats that have shards (default: sharded as the source is)",
      wholeNumber(1),
    )
    .addOption(
      new Option(
        "--kept <how>",
        "what a module with a restored weight becomes where the format cannot store one exact weight (default: unquantized)",
      ).choices(keptModule.options),
    )
    .addOption(
      new Option(
        "--embedding <how>",
        "what embedding and head become where the recipe leaves them as they are; gguf judges and writes them as Q8_0 with 8-bit (default: unquantized)",
      ).choices(keptModule.options),
    )
    .addHelpText("after", formatsHelp());
  return withComputeOptions(withJudgeOptions(command)).action((model: string, options: ExportOptions) =>
    context.session(options, async (session) => {
      requireUsed(options);
      const report = await exported(session, model, options).catch((thrown: unknown) => {
        throw inOptions(thrown);
      });
      session.print(report, () => exportText(report));
    }),
  );
}

async function exported(session: Session, model: string, options: ExportOptions): Promise<ExportReport> {
  const { job } = await session.studio.call("job:export", {
    model: absolute(session.io, model),
    request: {
      recipe: await readRecipe(session.io, options.recipe),
      format: exportFormat.parse(options.format),
      out: absolute(session.io, options.out),
      overwrite: options.overwrite === true,
      ...dropUndefined({
        maxShardBytes: options.maxShard,
        kept: keptModule.optional().parse(options.kept),
        embedding: keptModule.optional().parse(options.embedding),
      }),
    },
    verify: options.verify
      ? { text: await textFor(session.io, options.text, model), judge: judgeOf(options) }
      : null,
  });
  return (await session.result(job, "export")).report;
}

function exportText(report: ExportReport): string {
  const files = textTable(
    [{ title: "file" }, { title: "bytes", align: "right" }, { title: "SHA-256" }],
    report.files.map((file) => [file.path, count(file.bytes), file.sha256]),
  );
  const bits =
    report.bitsPerWeight > 0
      ? `${fixed(report.bitsPerWeight, 3)} bits per weight`
      : `no tensor quantized, ${fixed(report.fileBitsPerWeight, 3)} bits per weight`;
  const head = `Wrote ${fileSize(report.bytes)} to ${report.out} in ${duration(report.seconds)}; ${bits}.\n`;
  const said = [...report.changes, ...report.notes].map(({ text }) => `${text}\n`).join("");
  return `${head}${said}\n${files}\n${verifiedText(report)}`;
}

function formatsHelp(): string {
  const width = Math.max(...exportFormat.options.map((name) => name.length));
  const lines = exportFormat.options.map((name) => `  ${name.padEnd(width)}  ${exportFormatOf(name).help}`);
  return `\nFormats:\n${lines.join("\n")}`;
}

/** What was proved about an export, in one line. */
export function verifiedText(report: ExportReport): string {
  const { verified } = report;
  if (!verified) return "Not verified. Add --verify to open and score it again.\n";
  const head = {
    same: "Verified: opened again",
    other: "Not verified, the numbers differ: opened again",
    "no number": "Not verified, there is no number to compare: opened again",
  }[agreementOf(verified)];
  return `${head}, perplexity ${fixed(verified.perplexity, 4, true)} on ${count(verified.tokens)} tokens (judged before export: ${fixed(verified.judgedPerplexity, 4, true)}), largest weight difference ${verified.maxAbsDiff}.\n${runtimeText(verified.runtime)}`;
}

function runtimeText(runtime: RuntimeScore | null): string {
  if (!runtime) return "";
  if (runtime.notRun !== null) return `${runtime.notRun}\n`;
  return `Run in ${runtime.name}: perplexity ${fixed(runtime.perplexity, 4, true)} on the same tokens.\n`;
}
