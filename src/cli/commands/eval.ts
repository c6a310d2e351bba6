import { Command } from "commander";
import type { EvalReport } from "#shared/evaluation.ts";
import { intervalMethod } from "#shared/ranking.ts";
import { absolute, namedCalibration, namedText, readRecipe } from "../session/files.ts";
import {
  judgeOf,
  withCalibrationOption,
  withComputeOptions,
  withJudgeOptions,
  type CalibrationOptions,
  type ComputeOptions,
  type JudgeOptions,
} from "../session/options.ts";
import { duration, fixed, perplexityDecimals } from "../output/numbers.ts";
import { conventionFact, scoreFacts } from "../output/scores.ts";
import { factList } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";

interface EvalOptions extends ComputeOptions, JudgeOptions, CalibrationOptions {
  recipe?: string;
  text: string;
}

/** `eval MODEL --text F`: perplexity of the original, or of a recipe beside the original. */
export function evalCommand(context: CommandContext): Command {
  const command = new Command("eval")
    .description(
      "score a checkpoint on a text; with a recipe, score the quantized variant against the original",
    )
    .argument("<model>", "folder of the checkpoint")
    .requiredOption(
      "--text <file>",
      'text to score: .txt or .raw is one document; .jsonl, .json, .csv and .parquet hold one a row in the column "text"; builtin: the one that ships with Keystone (required)',
    )
    .option("--recipe <file>", "recipe of the variant to score (default: none, the original alone)");
  return withComputeOptions(withJudgeOptions(withCalibrationOption(command))).action(
    (model: string, options: EvalOptions) =>
      context.session(options, async (session) => {
        const recipe = options.recipe === undefined ? null : await readRecipe(session.io, options.recipe);
        const { job } = await session.studio.call("job:evaluate", {
          model: absolute(session.io, model),
          recipe,
          text: await namedText(session.io, options.text),
          judge: judgeOf(options),
          ...(await namedCalibration(session.io, options.calibration)),
        });
        const { report } = await session.result(job, "evaluate");
        session.print(report, () => evalText(report));
      }),
  );
}

function evalText(report: EvalReport): string {
  const { baseline } = report;
  const decimals = perplexityDecimals(baseline?.perplexity ?? null, [report.perplexity]);
  const facts = scoreFacts(report, decimals);
  if (baseline)
    facts.splice(1, 0, ["  of the original", fixed(baseline.perplexity, decimals, baseline.notFinite)]);
  if (report.bitsPerWeight !== null) {
    facts.push([
      "Bits per weight",
      `${fixed(report.bitsPerWeight, 3)} (whole file ${fixed(report.fileBitsPerWeight, 3)})`,
    ]);
  }
  if (report.sqnrDb !== null) facts.push(["SQNR", `${fixed(report.sqnrDb, 1)} dB`]);
  if (report.calibration !== null) facts.push(["Scales chosen on", report.calibration]);
  if (report.confidence) facts.push(["Intervals", intervalMethod(report.confidence)]);
  facts.push(conventionFact(report.convention), ["Time", `${duration(report.seconds)} on ${report.device}`]);
  return factList(facts) + report.notes.map(({ text }) => `${text}\n`).join("");
}
