import { Command, InvalidArgumentError, Option } from "commander";
import {
  DEFAULT_PROMPT,
  detectOptions,
  type Candidate,
  type DetectReport,
  type SpikeThreshold,
} from "#shared/detection.ts";
import { absolute, textFor } from "../files.ts";
import {
  decimalNumber,
  dropUndefined,
  wholeNumber,
  withComputeOptions,
  type ComputeOptions,
} from "../options.ts";
import { duration, fixed, memorySize, percent, place } from "../output/numbers.ts";
import { textTable } from "../output/table.ts";
import type { CommandContext } from "../program.ts";
import { usageError } from "../reportError.ts";

interface DetectCliOptions extends ComputeOptions {
  prompt: string;
  maxPasses?: number;
  threshold: SpikeThreshold;
  minShare?: number;
  effect?: boolean;
  text?: string;
  tokens?: number;
}

/** `detect MODEL`: the super weights, with the evidence for each. */
export function detectCommand(context: CommandContext): Command {
  const defaults = detectOptions.parse({});
  const command = new Command("detect")
    .description("find the super weights with one prompt and a few forward passes")
    .argument("<model>", "folder of the checkpoint")
    .option("--prompt <text>", "prompt of the forward passes", DEFAULT_PROMPT)
    .option(
      "--max-passes <n>",
      "passes at most, 1 to 64; each zeroes one weight and runs again from its layer",
      wholeNumber(1, 64),
      defaults.maxPasses,
    )
    .addOption(
      new Option(
        "--threshold <rule>",
        "relative:F = output at least F times the median layer maximum; absolute:V = the paper's, input and output above V",
      )
        .argParser(thresholdRule)
        .default(defaults.threshold, "relative:8"),
    )
    .option(
      "--min-share <s>",
      "least part of the output spike that the one weight must explain, 0 to 2",
      decimalNumber(0, 2),
      defaults.minShare,
    )
    .option("--effect", "also measure perplexity and KL with each found weight zeroed (default: off)")
    .option(
      "--text <file>",
      "text for --effect (default: eval.jsonl in the model's folder or the one around it)",
    )
    .option("--tokens <n>", "scored tokens for --effect (default: the whole text)", wholeNumber(1));
  return withComputeOptions(command).action((model: string, options: DetectCliOptions) =>
    context.session(options, async (session) => {
      if (options.text !== undefined && !options.effect) {
        throw usageError(
          "--text was given without --effect, and detection reads no text.",
          "Add --effect or leave --text out.",
        );
      }
      const path = absolute(session.io, model);
      const { prompt, maxPasses, threshold, minShare } = options;
      const { job } = await session.studio.call("job:detect", {
        model: path,
        options: dropUndefined({ prompt, maxPasses, threshold, minShare }),
        ...(options.effect ? { effectText: await textFor(session.io, options.text, model) } : {}),
        ...dropUndefined({ effectTokens: options.tokens }),
      });
      const { report } = await session.result(job, "detect");
      session.print(report, () => detectText(report));
    }),
  );
}

/** Reads `relative:8` or `absolute:50`. */
function thresholdRule(text: string): SpikeThreshold {
  const [kind, number = ""] = text.split(":");
  const value = number === "" ? NaN : Number(number);
  if (value > 0 && Number.isFinite(value)) {
    if (kind === "relative") return { kind, factor: value };
    if (kind === "absolute") return { kind, value };
  }
  throw new InvalidArgumentError(
    "It must be relative:FACTOR or absolute:VALUE, e.g. relative:8 or absolute:50.",
  );
}

/** What was found, for people: the finding, the weights, the candidates that were refused, the layers. */
export function detectText(report: DetectReport): string {
  return [
    finding(report),
    foundTable(report.superWeights),
    effects(report.superWeights),
    refused(report.candidates),
    layersTable(report),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function finding(report: DetectReport): string {
  const { superWeights: found, passes, seconds, device, peakRssBytes } = report;
  const layers = [...new Set(found.map((weight) => weight.layer))].join(", ");
  const what =
    found.length === 0
      ? `No super weight was found: the largest output is below ${fixed(report.thresholdOutput, 1)} or has no single weight behind it.`
      : `${found.length} super weight${found.length === 1 ? "" : "s"} in layer${found.some((w) => w.layer !== found[0]?.layer) ? "s" : ""} ${layers}.`;
  const how = `${passes.length} pass${passes.length === 1 ? "" : "es"} on ${device} in ${duration(seconds)}, peak memory ${memorySize(peakRssBytes)}; a spike is an output above ${fixed(report.thresholdOutput, 1)} (median layer maximum ${fixed(report.medianOutput, 1)}).`;
  return `${what}\n${how}\n`;
}

function foundTable(found: readonly Candidate[]): string {
  if (found.length === 0) return "";
  return textTable(
    [
      { title: "tensor" },
      { title: "[row, column]" },
      { title: "value", align: "right" },
      { title: "input", align: "right" },
      { title: "output", align: "right" },
      { title: "share", align: "right" },
      { title: "rank", align: "right" },
      { title: "pass", align: "right" },
      { title: "published" },
    ],
    found.map((w) => [
      w.tensor,
      place(w.row, w.column),
      fixed(w.value, 4),
      fixed(w.inputActivation, 1),
      fixed(w.outputActivation, 1),
      percent(w.share),
      String(w.rank),
      String(w.pass),
      w.published ?? "–",
    ]),
  );
}

function effects(found: readonly Candidate[]): string {
  return found
    .flatMap((w) => {
      if (!w.effect) return [];
      const { perplexity, baseline, kl, tokens } = w.effect;
      return [
        `Zeroing ${w.tensor} ${place(w.row, w.column)} takes perplexity from ${fixed(baseline, 2, true)} to ${fixed(perplexity, 2, true)} (KL ${fixed(kl, 4, true)} nats, ${fixed(tokens, 0)} tokens).\n`,
      ];
    })
    .join("");
}

function refused(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return "";
  return `Not super weights:\n${candidates.map((w) => `  ${w.tensor} ${place(w.row, w.column)}: ${w.reason}\n`).join("")}`;
}

function layersTable(report: DetectReport): string {
  return textTable(
    [
      { title: "layer", align: "right" },
      { title: "largest input", align: "right" },
      { title: "largest output", align: "right" },
      { title: "largest residual", align: "right" },
    ],
    report.layers.map((l) => [
      String(l.layer),
      fixed(l.input.value, 1),
      fixed(l.output.value, 1),
      fixed(l.residual.value, 1),
    ]),
  );
}
