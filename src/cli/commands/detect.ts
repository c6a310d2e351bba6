import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_PROMPT, detectOptions, type SpikeThreshold } from "#shared/detection.ts";
import { absolute, textFor } from "../session/files.ts";
import {
  decimalNumber,
  dropUndefined,
  wholeNumber,
  withComputeOptions,
  type ComputeOptions,
} from "../session/options.ts";
import { detectText, scanText } from "../output/detectText.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";

interface DetectCliOptions extends ComputeOptions {
  prompt: string;
  maxPasses?: number;
  threshold: SpikeThreshold;
  minShare?: number;
  effect: boolean;
  text?: string;
  tokens?: number;
  minEffect?: number;
  nullFactor?: number;
  nullWeights?: number;
  maxCandidates?: number;
  weightsOnly?: boolean;
}

/** `detect MODEL`: the super weights, with the evidence and the effect of each. */
export function detectCommand(context: CommandContext): Command {
  const defaults = detectOptions.parse({});
  const command = new Command("detect")
    .description(
      "find the super weights: evidence from one prompt, verdicts from what the model loses without them",
    )
    .argument("<model>", "folder of the checkpoint")
    .option("--prompt <text>", "prompt of the forward passes", DEFAULT_PROMPT)
    .option(
      "--max-passes <n>",
      "runs of the prompt at most, 1 to 64: the unmodified model, then with candidates zeroed",
      wholeNumber(1, 64),
      defaults.maxPasses,
    )
    .addOption(
      new Option(
        "--threshold <rule>",
        "from where an output makes a candidate: relative:F = F times the median layer maximum; absolute:V = the paper's, input and output above V",
      )
        .argParser(thresholdRule)
        .default(defaults.threshold, "relative:4"),
    )
    .option(
      "--min-share <s>",
      "least part of an output that one weight must explain, 0 to 2",
      decimalNumber(0, 2),
      defaults.minShare,
    )
    .option(
      "--weights-only",
      "a preview in seconds, without a forward pass; also for models that Keystone cannot run (default: off)",
    )
    .option(
      "--no-effect",
      "judge by evidence alone: faster, but what stands out need not matter (default: effects are measured)",
    )
    .addOption(new Option("--effect", "measure effects; this is the default").hideHelp())
    .option(
      "--text <file>",
      "text that effects are measured on, or builtin for the long one that ships with Keystone (default: a short passage that comes with Keystone)",
    )
    .option(
      "--tokens <n>",
      "tokens of the text that are scored (default: 512); without --text, of the eval.jsonl beside the model",
      wholeNumber(1),
    )
    .option(
      "--min-effect <p>",
      "least KL of a super weight, as a part of what the model knows of the text, 0 to 1",
      decimalNumber(0, 1),
      defaults.minEffect,
    )
    .option(
      "--null-factor <f>",
      "least KL of a super weight, as a multiple of the largest among other weights",
      decimalNumber(1, 1e9),
      defaults.nullFactor,
    )
    .option(
      "--null-weights <n>",
      "random weights, and as many of the largest, that are tried for comparison, 1 to 64",
      wholeNumber(1, 64),
      defaults.nullWeights,
    )
    .option(
      "--max-candidates <n>",
      "candidates that are measured at most, 1 to 256",
      wholeNumber(1, 256),
      defaults.maxCandidates,
    );
  return withComputeOptions(command).action((model: string, options: DetectCliOptions) =>
    context.session(options, async (session) => {
      refuseUnusedText(options);
      const path = absolute(session.io, model);
      if (options.weightsOnly) {
        const scan = await session.studio.call("model:scan", { path });
        session.print(scan, () => scanText(scan));
        return;
      }
      const { prompt, maxPasses, threshold, minShare, effect } = options;
      const { minEffect, nullFactor, nullWeights, maxCandidates, text, tokens } = options;
      const { job } = await session.studio.call("job:detect", {
        model: path,
        options: {
          effect,
          ...dropUndefined({ prompt, maxPasses, threshold, minShare }),
          ...dropUndefined({ minEffect, nullFactor, nullWeights, maxCandidates }),
        },
        ...(text === undefined && tokens === undefined
          ? {}
          : { effectText: await textFor(session.io, text, model) }),
        ...dropUndefined({ effectTokens: tokens }),
      });
      const { report } = await session.result(job, "detect");
      session.print(report, () => detectText(report));
    }),
  );
}

function refuseUnusedText({ text, tokens, effect }: DetectCliOptions): void {
  if ((text !== undefined || tokens !== undefined) && !effect)
    throw usageError(
      `${text === undefined ? "--tokens" : "--text"} was given with --no-effect, and evidence needs no text.`,
      "Leave one of them out.",
    );
}

/** Reads `relative:4` or `absolute:50`. */
function thresholdRule(text: string): SpikeThreshold {
  const [kind, number = ""] = text.split(":");
  const value = number === "" ? NaN : Number(number);
  if (value > 0 && Number.isFinite(value)) {
    if (kind === "relative") return { kind, factor: value };
    if (kind === "absolute") return { kind, value };
  }
  throw new InvalidArgumentError(
    "It must be relative:FACTOR or absolute:VALUE, e.g. relative:4 or absolute:50.",
  );
}
