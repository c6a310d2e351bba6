import { InvalidArgumentError, Option, type Command } from "commander";
import {
  DEFAULT_GRANULARITIES,
  DEFAULT_FACTORS,
  DEFAULT_THRESHOLDS,
  labRequest,
  type ExperimentName,
} from "#shared/lab.ts";
import { rangeRule, type RangeRule } from "#shared/recipe.ts";
import { rangeWord } from "#shared/repeat.ts";
import { decimalNumber, numberList, wholeNumber } from "../session/options.ts";

/** Fields of a request that an experiment's own options fill; each option is named after its field. */
export type OwnFields = Readonly<Record<string, unknown>>;

const MOST_NUMBER = 1e9;

/** Adds the options that belong to this experiment alone. */
export function withOwnOptions(command: Command, experiment: ExperimentName): Command {
  for (const option of OWN[experiment]) command.addOption(option);
  return command;
}

/** The fields that the options of this experiment gave. */
export function ownFields(experiment: ExperimentName, options: Readonly<Record<string, unknown>>): OwnFields {
  const names = OWN[experiment]
    .map((option) => option.attributeName())
    .filter((name) => name !== PROMPTS_FILE);
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

/** The one option whose file becomes a field. */
export const PROMPTS_FILE = "promptsFile";

const promptsFile = (otherwise: string): Option =>
  new Option(
    "--prompts-file <file>",
    `prompts: a line each, or one {"text": …} a line as .jsonl (default: ${otherwise})`,
  );

function promptCount(experiment: "super-activations" | "token-probabilities", most: number): Option {
  const { promptCount: count } = labRequest.parse({ experiment, text: "-" }) as { promptCount: number };
  return new Option("--prompt-count <n>", "prompts at most; of a prompts file all, unless it is given")
    .argParser(wholeNumber(1, most))
    .default(count);
}

const thresholds = (description = "clip thresholds to try"): Option =>
  listed("--thresholds <list>", description, numberList, DEFAULT_THRESHOLDS);

const OWN: Readonly<Record<ExperimentName, readonly Option[]>> = {
  importance: [],
  "super-activations": [
    promptsFile("the detection prompt and the beginnings of the text's documents"),
    promptCount("super-activations", 512),
  ],
  "token-probabilities": [
    promptsFile("the text's documents, each cut before its last word"),
    promptCount("token-probabilities", 5000),
  ],
  sensitivity: [
    listed("--factors <list>", "factors to multiply the super weights with", numberList, DEFAULT_FACTORS),
  ],
  "block-scaling": [
    listed("--bits <list>", "bits per weight, 2 to 8", bitsList, [4, 3]),
    listed(
      "--blocks, --granularities <list>",
      "granularities, e.g. group:64,channel,flat:16384,tensor",
      wordList,
      DEFAULT_GRANULARITIES,
    ),
    thresholds(),
  ],
  activations: [
    listed("--per <list>", "token, tensor or both: what shares an activation's scale", wordList, [
      "token",
      "tensor",
    ]),
    new Option("--matmuls", "quantize the inputs of attention's products too (default: the linears' alone)"),
    listed("--alphas <list>", "α of SmoothQuant to try, 0 to 1", numberList, [0.5, 0.65, 0.75, 0.85, 0.95]),
    new Option(
      "--clip, --range <rule>",
      "range of the 8-bit weights of the clipped and restored rows, METHOD:THRESHOLD or mse",
    )
      .argParser(readRange)
      .default({ method: "zscore", threshold: 9 }, "zscore:9"),
  ],
  "threshold-search": [
    new Option("--bits <n>", "bits per weight, 2 to 8").argParser(wholeNumber(2, 8)).default(4),
    new Option(
      "--block, --granularity <granularity>",
      "granularity, e.g. group:64, channel, flat:16384, tensor",
    ).default("tensor"),
    listed(
      "--methods <list>",
      "ranges to try: zscore, block-percentage, tensor-percentage, iqr, mse",
      wordList,
      ["zscore", "iqr", "mse"],
    ),
    thresholds(
      "clip thresholds to try: below 1 for the percentages where there are any (default for them: 1e-6 to 1e-3)",
    ),
    new Option("--scope <scope>", "model: one range for all tensors; tensor: each its own")
      .choices(["model", "tensor"])
      .default("model"),
    new Option("--by <error>", "with --scope tensor: what a tensor's own range makes least")
      .choices(["weight-error", "output-error"])
      .default("weight-error"),
    new Option("--max-trials <n>", "stop after so many scored candidates (default: all)").argParser(
      wholeNumber(1),
    ),
    new Option("--max-seconds <s>", "stop after so many seconds (default: no limit)").argParser(
      decimalNumber(0.001, MOST_NUMBER),
    ),
  ],
};

/** An option that takes values with commas between them. */
function listed<T extends number | string>(
  flags: string,
  description: string,
  read: (text: string) => T[],
  values: readonly T[],
): Option {
  return new Option(flags, `${description}, with commas between them`)
    .argParser(read)
    .default([...values], values.join(","));
}

function wordList(text: string): string[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.every((word) => word !== "")) return words;
  throw new InvalidArgumentError("It must be words with commas between them.");
}

function bitsList(text: string): number[] {
  return text.split(",").map(wholeNumber(2, 8));
}

/** Reads `zscore:9` or `mse`. */
function readRange(text: string): RangeRule {
  const [method = "", number] = text.split(":");
  const read = rangeRule.safeParse(
    number === undefined ? { method } : { method, threshold: number === "" ? NaN : Number(number) },
  );
  if (read.success) return read.data;
  const example = rangeWord({ method: "zscore", threshold: 9 });
  throw new InvalidArgumentError(
    `It must be zscore, block-percentage, tensor-percentage or iqr with its threshold, e.g. ${example}, or mse.`,
  );
}
