import { DEFAULT_PROMPT, type DetectOptions, type DetectReport } from "#shared/detection.ts";
import type { TextInfo } from "#shared/estimate.ts";

/** What a search is started with: prompt, threshold, and the text the effect is scored on. */
export class SearchOptions {
  prompt = $state(DEFAULT_PROMPT);
  kind: "relative" | "absolute" = $state("relative");
  factor = $state(8);
  value = $state(50);
  texts: readonly TextInfo[] = $state.raw([]);
  text: string | null = $state(null);
  readonly problem: string | null = $derived.by(() => {
    if (this.prompt.trim() === "") return "The prompt is empty. The paper's is “" + DEFAULT_PROMPT + "”";
    const threshold = this.kind === "relative" ? this.factor : this.value;
    return threshold > 0 ? null : "The threshold is above 0. The usual ones are 8 × the median, or 50.";
  });

  /** Takes over what the last search was started with. */
  adopt(report: DetectReport): void {
    const { prompt, threshold } = report.options;
    this.prompt = prompt;
    this.kind = threshold.kind;
    if (threshold.kind === "relative") this.factor = threshold.factor;
    else this.value = threshold.value;
  }

  /** As the studio takes them. */
  get asked(): Partial<DetectOptions> {
    const threshold =
      this.kind === "relative"
        ? ({ kind: "relative", factor: this.factor } as const)
        : ({ kind: "absolute", value: this.value } as const);
    return { prompt: this.prompt, threshold };
  }
}
