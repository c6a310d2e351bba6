import { textsOf } from "#shared/notes.ts";
import { Command } from "commander";
import type { GenerateReport, WrittenText } from "#shared/comparison.ts";
import { endOfText } from "#shared/writtenText.ts";
import { absolute, namedCalibration, readRecipe } from "../session/files.ts";
import {
  dropUndefined,
  wholeNumber,
  withCalibrationOption,
  withComputeOptions,
  type CalibrationOptions,
  type ComputeOptions,
} from "../session/options.ts";
import { duration, fixed } from "../output/numbers.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";

interface GenerateOptions extends ComputeOptions, CalibrationOptions {
  prompt: string;
  recipe?: string[];
  newTokens: number;
  /** False with `--no-template`; true unless one is named. */
  template: string | boolean;
  system?: string;
}

/** Most recipes beside the original. */
const MOST = 4;
const MOST_TOKENS = 1024;

/** `generate MODEL --prompt S`: the original and recipes continue one prompt, side by side. */
export function generateCommand(context: CommandContext): Command {
  const command = new Command("generate")
    .description(
      "continue a prompt with the most likely token every time: the original, and the variants of recipes beside it",
    )
    .argument("<model>", "folder of the checkpoint")
    .requiredOption("--prompt <text>", "what to continue or to answer (required)")
    .option(
      "--recipe <files...>",
      "recipes of variants that write beside the original; up to 4 (default: none)",
      collect,
    )
    .option("--new-tokens <n>", "most tokens each text gets", wholeNumber(1, MOST_TOKENS), 64)
    .option(
      "--template <name>",
      "chat template of the model to put the prompt in (default: its default one, where it has one)",
    )
    .option("--no-template", "continue the prompt as it is (default: off)")
    .option(
      "--system <text>",
      "system message in front of the prompt; needs a chat template (default: none)",
    );
  return withComputeOptions(withCalibrationOption(command)).action(
    (model: string, options: GenerateOptions) =>
      context.session(options, async (session) => {
        const { prompt, newTokens: tokens, system, recipe: recipes = [] } = options;
        requireAtMost(recipes);
        const { job } = await session.studio.call("job:generate", {
          model: absolute(session.io, model),
          recipes: await Promise.all(recipes.map((file) => readRecipe(session.io, file))),
          prompt,
          tokens,
          ...dropUndefined({ template: templateOf(options), system }),
          ...(await namedCalibration(session.io, options.calibration)),
        });
        // After Ctrl-C what is there of the texts, marked.
        await session.printResult(job, "generate", ({ report }) =>
          session.print(report, () => generateText(report)),
        );
      }),
  );
}

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** Undefined = the model's default one, null = none. */
function templateOf({ template }: GenerateOptions): string | null | undefined {
  if (template === false) return null;
  return typeof template === "string" ? template : undefined;
}

function requireAtMost(recipes: readonly string[]): void {
  if (recipes.length > MOST)
    throw usageError(
      `--recipe was given ${recipes.length} times, and ${MOST} write at once.`,
      "Generate with the others afterwards.",
    );
}

function generateText(report: GenerateReport): string {
  const { rendered, template, promptTokens, notes, outputs, seconds } = report;
  const how = template === null ? "as it is" : `in the model's chat template "${template}"`;
  return [
    `What the model read, ${how}, ${tokenCount(promptTokens.length)}:`,
    rendered,
    "",
    ...outputs.flatMap((text) => [headOf(text), text.output.text, ""]),
    ...textsOf(notes),
    `${duration(seconds)}.`,
    "",
  ].join("\n");
}

function headOf(text: WrittenText): string {
  const { label, output, tokensPerSecond } = text;
  const facts = [
    tokenCount(output.tokens.length),
    endOfText(text),
    tokensPerSecond === null ? null : `${fixed(tokensPerSecond, 1)} tokens/s`,
  ];
  return `${label}: ${facts.filter((fact) => fact !== null).join(", ")}`;
}

function tokenCount(count: number): string {
  return `${count} ${count === 1 ? "token" : "tokens"}`;
}
