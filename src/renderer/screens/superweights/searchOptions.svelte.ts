import { DEFAULT_PROMPT, detectOptions, type DetectOptions, type DetectReport } from "#shared/detection.ts";
import type { TextInfo } from "#shared/estimate.ts";

const DEFAULTS = detectOptions.parse({});

/** The numbers of a search: each with its name, what it means, and what it may be. */
export const NUMBERS = [
  {
    key: "minShare",
    label: "Least share",
    hint: "of an output that one product gives",
    least: 0,
    most: 2,
    step: 0.05,
  },
  {
    key: "minEffect",
    label: "Least effect",
    hint: "of a super weight, as a part of what the model knows of the text",
    least: 0,
    most: 1,
    step: 0.01,
  },
  {
    key: "nullFactor",
    label: "× null",
    hint: "how many times the null a super weight's effect must be",
    least: 1,
    most: 1e6,
    step: 1,
  },
  {
    key: "nullWeights",
    label: "Null weights",
    hint: "random weights, and as many of the largest, that are tried for comparison",
    least: 1,
    most: 64,
    step: 1,
  },
  {
    key: "maxCandidates",
    label: "Candidates",
    hint: "that are measured at most",
    least: 1,
    most: 256,
    step: 1,
  },
  { key: "maxPasses", label: "Passes", hint: "of the prompt at most", least: 1, most: 64, step: 1 },
] as const;
export type NumberKey = (typeof NUMBERS)[number]["key"];
const WHOLE: ReadonlySet<NumberKey> = new Set<NumberKey>(["nullWeights", "maxCandidates", "maxPasses"]);

/** What a search is started with: prompt, thresholds, and the text that effects are measured on. */
export class SearchOptions {
  prompt = $state(DEFAULT_PROMPT);
  kind: "relative" | "absolute" = $state("relative");
  factor = $state(4);
  value = $state(50);
  effect = $state(true);
  readonly numbers: Record<NumberKey, number | null> = $state({
    minShare: DEFAULTS.minShare,
    minEffect: DEFAULTS.minEffect,
    nullFactor: DEFAULTS.nullFactor,
    nullWeights: DEFAULTS.nullWeights,
    maxCandidates: DEFAULTS.maxCandidates,
    maxPasses: DEFAULTS.maxPasses,
  });
  texts: readonly TextInfo[] = $state.raw([]);
  /** Path of an own text for the effects; null = the short passage that ships with the program. */
  text: string | null = $state(null);
  readonly problem: string | null = $derived.by(() => {
    if (this.prompt.trim() === "") return "The prompt is empty. The paper's is “" + DEFAULT_PROMPT + "”";
    const threshold = this.kind === "relative" ? this.factor : this.value;
    if (!(threshold > 0)) return "The threshold is above 0. The usual ones are 4 × the median, or 50.";
    const wrong = NUMBERS.find(({ key, least, most }) => !isValid(key, this.numbers[key], least, most));
    if (!wrong) return null;
    return `${wrong.label}: ${WHOLE.has(wrong.key) ? "a whole number" : "a number"} from ${wrong.least} to ${wrong.most}. The default is ${DEFAULTS[wrong.key]}.`;
  });

  /** Takes over what the last search was started with. */
  adopt({ options }: DetectReport): void {
    const { prompt, threshold, effect } = options;
    this.prompt = prompt;
    this.kind = threshold.kind;
    if (threshold.kind === "relative") this.factor = threshold.factor;
    else this.value = threshold.value;
    this.effect = effect;
    for (const { key } of NUMBERS) this.numbers[key] = options[key];
  }

  /** As the studio takes them. */
  get asked(): Partial<DetectOptions> {
    const threshold =
      this.kind === "relative"
        ? ({ kind: "relative", factor: this.factor } as const)
        : ({ kind: "absolute", value: this.value } as const);
    const numbers = Object.fromEntries(NUMBERS.map(({ key }) => [key, this.numbers[key] ?? DEFAULTS[key]]));
    return { prompt: this.prompt, threshold, effect: this.effect, ...numbers };
  }
}

function isValid(key: NumberKey, value: number | null, least: number, most: number): boolean {
  if (value === null || !Number.isFinite(value)) return false;
  return value >= least && value <= most && (!WHOLE.has(key) || Number.isInteger(value));
}
