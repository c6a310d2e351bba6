import { Command, Option } from "commander";
import { exportFormat, type ExportReport } from "#shared/exporting.ts";
import { absolute, readRecipe, textFor } from "../files.ts";
import {
  dropUndefined,
  judgeOf,
  wholeNumber,
  withComputeOptions,
  withJudgeOptions,
  type ComputeOptions,
  type JudgeOptions,
} from "../options.ts";
import { count, duration, fileSize, fixed } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../program.ts";
import { usageError } from "../reportError.ts";

interface ExportOptions extends ComputeOptions, JudgeOptions {
  recipe: string;
  format: string;
  out: string;
  verify?: boolean;
  text?: string;
  overwrite?: boolean;
  maxShard?: number;
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
      "text for --verify (default: eval.jsonl in the model's folder or the one around it)",
    )
    .option(
      "--overwrite",
      "replace the folder if it is there already (default: off, an existing folder is an error)",
    )
    .option(
      "--max-shard <bytes>",
      "largest shard in bytes (default: sharded as the source is)",
      wholeNumber(1),
    );
  return withComputeOptions(withJudgeOptions(command)).action((model: string, options: ExportOptions) =>
    context.session(options, async (session) => {
      if (options.text !== undefined && !options.verify) {
        throw usageError(
          "--text was given without --verify, and export reads no text.",
          "Add --verify or leave --text out.",
        );
      }
      const { job } = await session.studio.call("job:export", {
        model: absolute(session.io, model),
        request: {
          recipe: await readRecipe(session.io, options.recipe),
          format: exportFormat.parse(options.format),
          out: absolute(session.io, options.out),
          overwrite: options.overwrite === true,
          ...dropUndefined({ maxShardBytes: options.maxShard }),
        },
        verify: options.verify
          ? { text: await textFor(session.io, options.text, model), judge: judgeOf(options) }
          : null,
      });
      const { report } = await session.result(job, "export");
      session.print(report, () => exportText(report));
    }),
  );
}

function exportText(report: ExportReport): string {
  const files = textTable(
    [{ title: "file" }, { title: "bytes", align: "right" }, { title: "SHA-256" }],
    report.files.map((file) => [file.path, count(file.bytes), file.sha256]),
  );
  const head = `Wrote ${fileSize(report.bytes)} to ${report.out} in ${duration(report.seconds)}; ${fixed(report.bitsPerWeight, 3)} bits per weight.\n`;
  return `${head}\n${files}\n${verifiedText(report)}`;
}

/** What was proved about an export, in one line. */
export function verifiedText(report: ExportReport): string {
  const { verified } = report;
  if (!verified) return "Not verified. Add --verify to open and score it again.\n";
  return `Verified: opened again, perplexity ${fixed(verified.perplexity, 4, true)} on ${count(verified.tokens)} tokens (judged before export: ${fixed(verified.judgedPerplexity, 4, true)}), largest weight difference ${verified.maxAbsDiff}.\n`;
}
