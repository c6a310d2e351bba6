import { type LabReportOf } from "#shared/lab/index.ts";
import { MOST_MOVED } from "#shared/lab/reports/tokenProbabilitiesReport.ts";
import { orNull } from "#shared/numbers.ts";

type Report = LabReportOf<"token-probabilities">;
type Likeliest = Report["examples"][number]["original"];

/** Likeliest tokens of each model that are listed, beside the largest changes either way. */
const TOP = 20;
const EXAMPLES = 6;

/** What the next-token distributions of two models come to, prompts counted from 0. */
export type NextTokenFigures = Pick<Report, "prompts" | "tokens" | "stopWords" | "entropy" | "kl"> & {
  readonly examples: readonly { prompt: number; original: Likeliest; pruned: Likeliest }[];
};

/** Adds up next-token distributions of the original and the pruned model over prompts; sums in f64. */
export class NextTokens {
  readonly #vocabulary: number;
  readonly #stopWords: readonly boolean[];
  readonly #original: Float64Array;
  readonly #pruned: Float64Array;
  readonly #entropy = { original: 0, pruned: 0 };
  readonly #examples: { prompt: number; original: number; pruned: number; p: number; q: number }[] = [];
  #kl = 0;
  #prompts = 0;

  /** @param stopWords whether a token is a stop word, by id */
  constructor(vocabulary: number, stopWords: readonly boolean[]) {
    this.#vocabulary = vocabulary;
    this.#stopWords = stopWords;
    this.#original = new Float64Array(vocabulary);
    this.#pruned = new Float64Array(vocabulary);
  }

  /** Adds prompts. Both: log-probabilities, (prompts, vocabulary), nats. */
  add(original: Float32Array, pruned: Float32Array): void {
    for (let row = 0; row < original.length; row += this.#vocabulary)
      this.#addPrompt(
        original.subarray(row, row + this.#vocabulary),
        pruned.subarray(row, row + this.#vocabulary),
      );
  }

  #addPrompt(original: Float32Array, pruned: Float32Array): void {
    let [first, second] = [0, 0];
    for (let id = 0; id < this.#vocabulary; id++) {
      const [p, q] = [Math.exp(original[id]), Math.exp(pruned[id])];
      this.#original[id] += p;
      this.#pruned[id] += q;
      if (p > 0) this.#entropy.original -= p * original[id];
      if (q > 0) this.#entropy.pruned -= q * pruned[id];
      if (p > 0) this.#kl += p * (original[id] - pruned[id]);
      if (original[id] > original[first]) first = id;
      if (pruned[id] > pruned[second]) second = id;
    }
    if (this.#examples.length < EXAMPLES) {
      this.#examples.push({
        prompt: this.#prompts,
        original: first,
        pruned: second,
        p: Math.exp(original[first]),
        q: Math.exp(pruned[second]),
      });
    }
    this.#prompts++;
  }

  /** Means over the prompts so far. */
  figures(textOf: (id: number) => string): NextTokenFigures {
    const mean = (sums: Float64Array, id: number): number => sums[id] / this.#prompts;
    const stopWordShare = (sums: Float64Array): number =>
      sums.reduce((total, value, id) => total + (this.#stopWords[id] ? value : 0), 0) / this.#prompts;
    return {
      prompts: this.#prompts,
      examples: this.#examples.map(({ prompt, original, pruned, p, q }) => ({
        prompt,
        original: { text: textOf(original), probability: p },
        pruned: { text: textOf(pruned), probability: q },
      })),
      tokens: this.#listed().map((id) => ({
        id,
        text: textOf(id),
        stopWord: this.#stopWords[id],
        original: mean(this.#original, id),
        pruned: mean(this.#pruned, id),
      })),
      stopWords: {
        original: stopWordShare(this.#original),
        pruned: stopWordShare(this.#pruned),
        vocabulary: this.#stopWords.filter(Boolean).length,
      },
      entropy: {
        original: this.#entropy.original / this.#prompts,
        pruned: this.#entropy.pruned / this.#prompts,
      },
      kl: orNull(this.#kl / this.#prompts),
    };
  }

  /** Both models' likeliest and the largest changes either way, each once, the original's likeliest first. */
  #listed(): number[] {
    const ids = Array.from({ length: this.#vocabulary }, (_, id) => id);
    const by = (value: (id: number) => number, most: number): number[] =>
      ids.toSorted((a, b) => value(b) - value(a) || a - b).slice(0, most);
    const change = (id: number): number => this.#pruned[id] - this.#original[id];
    const chosen = new Set([
      ...by((id) => this.#original[id], TOP),
      ...by((id) => this.#pruned[id], TOP),
      ...by(change, MOST_MOVED),
      ...by((id) => -change(id), MOST_MOVED),
    ]);
    return [...chosen].sort((a, b) => this.#original[b] - this.#original[a] || a - b);
  }
}
