import { InvalidArgumentError, Option, type Command } from "commander";
import { labRequest, type ExperimentName } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import type { LabOption } from "#shared/lab/options.ts";
import { rangeRule, type RangeRule } from "#shared/recipe.ts";
import { rangeWord } from "#shared/repeat/repeat.ts";
import { decimalNumber, numberList, wholeNumber } from "../session/options.ts";

/** Fields of a request that an experiment's own options fill; each option is named after its field. */
export type OwnFields = Readonly<Record<string, unknown>>;

const MOST_NUMBER = 1e9;
/** Least and most bits of a weight. */
const BITS = [2, 8] as const;

/** Adds the options that belong to this experiment alone. */
export function withOwnOptions(command: Command, experiment: ExperimentName): Command {
  const usual = labRequest.parse({ experiment, text: "-" }) as Record<string, unknown>;
  for (const option of EXPERIMENTS[experiment].options)
    command.addOption(cliOption(option, usual[option.key]));
  return command;
}

/** The fields that the options of this experiment gave. */
export function ownFields(experiment: ExperimentName, options: Readonly<Record<string, unknown>>): OwnFields {
  const names = EXPERIMENTS[experiment].options
    .filter(({ entry }) => entry.kind !== "lines")
    .map(({ key }) => key);
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

/** The one option whose file becomes a field. */
export const PROMPTS_FILE = "promptsFile";

/** Entries of several values. */
const LISTED: ReadonlySet<LabOption["entry"]["kind"]> = new Set(["numbers", "words", "many"]);

/** An option as commander has it; its default is the request's own. */
function cliOption(option: LabOption, usual: unknown): Option {
  const { entry, flag, help } = option;
  const listed = LISTED.has(entry.kind);
  const made = new Option(flag, listed ? `${help}, with commas between them` : help);
  const choices =
    entry.kind === "one" || entry.kind === "many" ? entry.options.map(({ value }) => value) : [];
  const areNumbers = choices.every((value) => typeof value === "number");
  switch (entry.kind) {
    case "numbers":
      return made.argParser(numberList).default(usual, String(usual));
    case "words":
      return made.argParser(wordList).default(usual, String(usual));
    case "many":
      return (areNumbers ? made.argParser(bitsList) : made.argParser(wordList)).default(usual, String(usual));
    case "one":
      return (areNumbers ? made.argParser(wholeNumber(...BITS)) : made.choices(choices.map(String))).default(
        usual,
      );
    case "number":
      made.argParser(
        entry.whole
          ? wholeNumber(entry.least, entry.most)
          : decimalNumber(entry.least, entry.most ?? MOST_NUMBER),
      );
      return usual === null ? made : made.default(usual);
    case "range":
      return made.argParser(readRange).default(usual, rangeWord(usual as RangeRule));
    case "word":
      return made.default(usual);
    case "lines":
    case "flag":
      return made;
  }
}

function wordList(text: string): string[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.every((word) => word !== "")) return words;
  throw new InvalidArgumentError("It must be words with commas between them.");
}

function bitsList(text: string): number[] {
  return text.split(",").map(wholeNumber(...BITS));
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
