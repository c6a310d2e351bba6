import { activation, bits, divergence, number, percent, plural } from "#shared/format.ts";
import type { LabReport, LabReportOf } from "#shared/lab.ts";
import { perplexityText } from "#shared/figures/table.ts";

/** Every report about the demo model says what it is. */
export const DEMO_NOTE =
  "This is Keystone's demo model. Models this small do not come to depend on one weight by themselves: its super weight was seeded before training, and the model was trained to need it. The effects are real, their origin is deliberate; do not quote them as evidence about language models.";

/** What the paper [arXiv:2411.07191] saw in the same experiment, and how this one differs from it. */
export function besidePaper(report: LabReport): string[] {
  switch (report.experiment) {
    case "importance":
      return importance(report);
    case "super-activations":
      return superActivations(report);
    case "token-probabilities":
      return tokenProbabilities(report);
    case "sensitivity":
      return [
        "The paper measures the mean accuracy of seven zero-shot tasks: for Llama-7B 35.15 at factor 0, 50.24 at 0.1, 69.23 at 0.5, 70.12 as it is, 70.55 at 2 and 70.26 at 3. The gain above 1 is below one point.",
      ];
    case "block-scaling":
      return [
        "The paper measures the mean accuracy of seven zero-shot tasks. INT4 on Llama-7B, plain and restored: 66.21 and 66.21 at 128 × 128, 63.41 and 63.41 at 256 × 256, 50.51 and 57.85 at 512 × 512, 27.55 and 45.40 at 1024 × 1024; 70.12 unquantized. Restoring gains nothing until plain rounding has already lost much.",
        "The paper's text gives 2^(b − 1) steps, its published code 2^b levels: the code's are used here. N × N is a run of N² consecutive weights of the flattened tensor, as in that code; where the tensor's size is no multiple of it, the last block holds the rest, while the code falls back to one block for the whole tensor.",
      ];
    case "activations":
      return activations(report);
    case "threshold-search":
      return thresholdSearch(report);
  }
}

function importance({ rows, recovered }: LabReportOf<"importance">): string[] {
  const [, pruned, kept] = rows;
  const here =
    recovered === null
      ? "Here the share cannot be told: pruning lost nothing, or its loss is not finite."
      : `Here it recovers ${percent(recovered, recovered > 0.999 ? 0 : 1)}${recovered > 0.9 ? ": nearly all that this super weight does, it does through that one value" : ""}.`;
  return [
    `In the paper (Llama-7B) perplexity on Wikitext-2 goes from 5.67 to 1,211.11 without its one super weight, to 720.57 with the super activation kept, and to 6.08 without the 7,000 largest other weights; mean accuracy from 70.11 to 35.14, 50.09 and 69.22. Keeping the super activation recovers about 42% of the loss. ${here}`,
    ...(pruned?.perplexity != null && kept?.perplexity != null
      ? [
          `Perplexity here: ${perplexityText(pruned.perplexity, 2)} pruned, ${perplexityText(kept.perplexity, 4)} with the super activation kept.`,
        ]
      : []),
  ];
}

function superActivations({ states, layers }: LabReportOf<"super-activations">): string[] {
  const at = Math.floor(layers / 2);
  const largest = (name: string): number | null => {
    const peaks = states.find((state) => state.name === name)?.peaks ?? [];
    const values = peaks.flatMap((prompt) => (prompt[at]?.value == null ? [] : [Math.abs(prompt[at].value)]));
    return values.length > 0 ? Math.max(...values) : null;
  };
  const [original, without, others] = [
    largest("original"),
    largest("without super weights"),
    largest("without other outliers"),
  ];
  const fall = original !== null && without !== null && original > 0 ? 1 - without / original : null;
  return [
    `In the paper's Llama-7B the value is about 1,360 from layer 3 to layer 29, about 324 without the super weight (75% less) and about 976 without the other outliers. Here, behind layer ${at}: ${activation(original)}, ${activation(without)}${fall === null ? "" : ` (${percent(fall, 0)} less)`} and ${activation(others)}.`,
  ];
}

function tokenProbabilities({ prompts, stopWords }: LabReportOf<"token-probabilities">): string[] {
  const ratio = stopWords.original > 0 ? stopWords.pruned / stopWords.original : null;
  return [
    `The paper averages over 500 prompts of LAMBADA: for Llama-7B “the” doubles, “.” grows fivefold and “,” tenfold, words that are no stop words fall to a half or less. Here ${plural(prompts, "prompt")} of the text named above are averaged, and stop words and punctuation together go from ${percent(stopWords.original)} to ${percent(stopWords.pruned)}${ratio === null ? "" : ` (× ${number(ratio, 2)})`}.`,
    ...(ratio !== null && ratio < 1
      ? ["The effect the paper reports, a rise of stop words, does not show on this model and text."]
      : []),
  ];
}

function activations({ rows }: LabReportOf<"activations">): string[] {
  const naive = rows.filter(({ method }) => method === "naive").map(({ scores }) => scores.kl?.mean ?? null);
  const most = Math.max(...naive.filter((value) => value !== null));
  return [
    "The paper's percentages are shares of what SmoothQuant gains (Llama family: 71 to 83%) or of the whole gap to 16 bits (OLMo-1B 84 and 60%, OLMo-7B 76 and 78%, Mistral-7B 14 and 25%, Llama-2-7B 9.1 and 16.7%, on Wikitext-2 and C4). Here all are shares of the gap that naive rounding opens.",
    ...(Number.isFinite(most)
      ? [
          `Naive rounding costs up to ${divergence(most)} nats here; where it costs little, the shares are ratios of small numbers.`,
        ]
      : []),
  ];
}

function thresholdSearch({ scope, by, result }: LabReportOf<"threshold-search">): string[] {
  const how =
    scope === "model"
      ? "one clip for the whole model, by KL divergence on the calibration text"
      : `each tensor its own clip, by ${by === "output-error" ? "its output's error on the calibration text" : "its weights' error"}`;
  return [
    `The paper takes one z-score for the whole model, the one of least reconstruction error on 500 examples of Wikitext-2's training text, and does not print it; its published code holds 9, 11, 12 and 20. Here: ${how}.`,
    ...(result ? [`The recipe found takes ${bits(result.bitsPerWeight, "prose")} bits per weight.`] : []),
  ];
}
