import { Command } from "commander";
import type { ComparedVariant, CompareReport } from "#shared/comparison.ts";
import { decimalsThatSeparate } from "#shared/format.ts";
import { divergenceInterval } from "#shared/intervals.ts";
import { intervalSentence, rankVariants, tieClause } from "#shared/ranking.ts";
import { absolute, namedCalibration, readRecipe, textFor } from "../session/files.ts";
import {
  judgeOf,
  withCalibrationOption,
  withComputeOptions,
  withJudgeOptions,
  type CalibrationOptions,
  type ComputeOptions,
  type JudgeOptions,
} from "../session/options.ts";
import { duration, fileSize, fixed, percent } from "../output/numbers.ts";
import { conventionClause } from "../output/scores.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";

interface CompareOptions extends ComputeOptions, JudgeOptions, CalibrationOptions {
  with?: string[];
  recipe?: string[];
  text?: string;
}

/** Most of each that one comparison takes. */
const MOST = 4;

/** `compare MODEL --with PACKED… --text F`: other checkpoints, and recipes, beside a model. */
export function compareCommand(context: CommandContext): Command {
  const command = new Command("compare")
    .description(
      "set other checkpoints of the same model beside it (an export that was packed, a GGUF file, another tool's), and recipes",
    )
    .argument("<model>", "folder of the checkpoint that everything is measured against")
    .option(
      "--with <models...>",
      "checkpoints to set beside it, with the same tokenizer; up to 4 (default: none)",
      collect,
    )
    .option("--recipe <files...>", "recipes of variants to set beside it; up to 4 (default: none)", collect)
    .option(
      "--text <file>",
      "text to score, or builtin for the one that ships with Keystone (default: eval.jsonl in the model's folder or the one around it)",
    );
  return withComputeOptions(withJudgeOptions(withCalibrationOption(command))).action(
    (model: string, options: CompareOptions) =>
      context.session(options, async (session) => {
        const { with: others = [], recipe: recipes = [] } = options;
        requireCounts({ with: others, recipe: recipes });
        const { job } = await session.studio.call("job:compare", {
          model: absolute(session.io, model),
          recipes: await Promise.all(recipes.map((file) => readRecipe(session.io, file))),
          checkpoints: others.map((path) => absolute(session.io, path)),
          text: await textFor(session.io, options.text, model),
          judge: judgeOf(options),
          ...(await namedCalibration(session.io, options.calibration)),
        });
        const { report } = await session.result(job, "compare");
        session.print(report, () => compareText(report));
      }),
  );
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** @throws KeystoneError usage/arguments */
function requireCounts(named: Readonly<Record<"with" | "recipe", readonly string[]>>): void {
  if (named.with.length + named.recipe.length === 0)
    throw usageError("There is nothing to compare with.", "Name a checkpoint with --with, or a recipe.");
  for (const name of ["with", "recipe"] as const)
    if (named[name].length > MOST)
      throw usageError(
        `--${name} was given ${named[name].length} times, and ${MOST} are compared at once.`,
        "Compare the others afterwards.",
      );
}

function compareText({ variants, convention, seconds }: CompareReport): string {
  const [original] = variants;
  const reference = original?.scores.perplexity ?? null;
  const others = variants.map(({ scores }) => scores.perplexity).filter((value) => value !== reference);
  const decimals = Math.max(2, ...others.map((value) => decimalsThatSeparate(value, reference)));
  const table = textTable(
    [
      { title: "" },
      { title: "bits/weight", align: "right" },
      { title: "whole file", align: "right" },
      { title: "size", align: "right" },
      { title: "perplexity", align: "right" },
      { title: "KL mean", align: "right" },
      { title: "95%", align: "right" },
      { title: "KL 99%", align: "right" },
      { title: "top-1", align: "right" },
      { title: "SQNR dB", align: "right" },
    ],
    variants.map((variant) => rowOf(variant, decimals)),
  );
  const notes = variants.flatMap((variant) => variant.notes.map(({ text }) => `${text}\n`)).join("");
  return `${table}\n${rankingText(variants)}${notes}${conventionClause(convention)}; KL in nats per token. ${duration(seconds)}.\n`;
}

/** Which column has the lowest KL, and whether the text is enough to tell. */
function rankingText(variants: readonly ComparedVariant[]): string {
  const ranked = variants.slice(1).map(({ scores, bitsPerWeight, fileBitsPerWeight }, i) => ({
    ...{ id: String(i + 1), status: "done" as const, kl: scores.kl ?? null, confidence: scores.confidence },
    bitsPerWeight: bitsPerWeight ?? fileBitsPerWeight,
  }));
  const ranking = rankVariants(ranked);
  const best = variants[Number(ranking.best)];
  if (ranking.best === null || !best || ranked.length < 2) return "";
  const tie = tieClause(ranking, ranked.length - 1, (id) => variants[Number(id)]?.label ?? id);
  const how = best.scores.confidence ? ` ${intervalSentence(best.scores.confidence)}` : "";
  return `Lowest KL: ${best.label}${tie ? `; ${tie}` : ""}.${how}\n`;
}

function rowOf(variant: ComparedVariant, decimals: number): string[] {
  const { label, checkpoint, scores, bitsPerWeight, fileBitsPerWeight, bytes } = variant;
  const { kl } = scores;
  const bad = scores.notFinite === true;
  return [
    checkpoint?.packing ? `${label} (${checkpoint.packing})` : label,
    bitsPerWeight === null ? "–" : fixed(bitsPerWeight, 3),
    fixed(fileBitsPerWeight, 3),
    fileSize(bytes),
    fixed(scores.perplexity, decimals, bad),
    kl ? fixed(kl.mean, 6, bad) : "–",
    divergenceInterval(scores),
    kl ? fixed(kl.p99, 6, bad) : "–",
    kl ? percent(kl.topAgreement) : "–",
    sqnrText(variant),
  ];
}

function sqnrText({ checkpoint, sqnrDb }: ComparedVariant): string {
  if (checkpoint?.weights === "exact") return "exact";
  return sqnrDb === null ? "–" : fixed(sqnrDb, 1);
}
