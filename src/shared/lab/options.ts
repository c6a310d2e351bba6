import { DEFAULT_THRESHOLDS } from "./asked.ts";

/** One value of a choice. */
export interface Choice {
  /** As it stands in the request. */
  readonly value: string | number;
  readonly label: string;
  readonly title?: string;
}

/** How a value is entered: in the form, and after a flag. */
export type Entry =
  | {
      readonly kind: "number";
      readonly empty?: "required" | "none";
      readonly least: number;
      readonly most?: number;
      readonly whole: boolean;
    }
  | { readonly kind: "numbers" }
  | { readonly kind: "word" }
  | { readonly kind: "words" }
  | { readonly kind: "lines" }
  | { readonly kind: "flag" }
  | { readonly kind: "range" }
  | { readonly kind: "one"; readonly options: readonly Choice[] }
  | { readonly kind: "many"; readonly options: readonly Choice[] };

type Asked = Readonly<Record<string, unknown>>;

/** One setting of an experiment: a field of its request, as the form and the command line ask for it. */
export interface LabOption {
  /** The field. */
  readonly key: string;
  readonly label: string;
  /** What is valid, with an example: the hint under the form's field, and its error. */
  readonly valid: string;
  readonly entry: Entry;
  /** As the command line has it; the last name is the one that is written, and its words in camel case are the field. */
  readonly flag: string;
  readonly help: string;
  /** Whether it changes nothing beside other fields. */
  idle?(asked: Asked): boolean;
  /** What is wrong where it is given though it changes nothing, and what to do; absent = nothing is. */
  readonly idleProblem?: readonly [message: string, next: string];
}

/** The name of an option that is written: `--granularities` of `--blocks, --granularities <list>`. */
export function flagName({ flag }: LabOption): string {
  return /--[a-z][a-z-]*(?=[^-]*$)/.exec(flag)?.[0] ?? flag;
}

/** Widths of weights that are offered. */
export const BITS: readonly Choice[] = [2, 3, 4, 5, 6, 8].map((bits) => ({
  value: bits,
  label: String(bits),
}));

/** How a granularity is written. */
export const GRANULARITY_FORMS = "group:N, channel, tensor, flat:N or tile:RxC";

/** Thresholds of clips to try. */
export function thresholdsOption(help = "clip thresholds to try"): LabOption {
  return {
    key: "thresholds",
    label: "Thresholds",
    valid: `Above 0, at most 64, e.g. ${DEFAULT_THRESHOLDS.join(", ")}.`,
    entry: { kind: "numbers" },
    flag: "--thresholds <list>",
    help,
  };
}

/** Prompts of the person's own, and how many are taken from the text otherwise. @param otherwise where those are from */
export function promptOptions(most: number, otherwise: string): readonly LabOption[] {
  return [
    {
      key: "promptCount",
      label: "Prompts",
      valid: `A whole number from 1 to ${most.toLocaleString("en-US")}.`,
      entry: { kind: "number", empty: "required", least: 1, most, whole: true },
      flag: "--prompt-count <n>",
      help: "prompts at most; of a prompts file all, unless it is given",
      idle: ({ prompts }) => Array.isArray(prompts) && prompts.length > 0,
    },
    {
      key: "prompts",
      label: "Own prompts",
      valid: "One a line, at most 512. Empty: taken from the text.",
      entry: { kind: "lines" },
      flag: "--prompts-file <file>",
      help: `prompts: a line each, or one {"text": …} a line as .jsonl (default: ${otherwise})`,
    },
  ];
}
