import { textsOf } from "#shared/notes.ts";
import type { ExperimentName, LabReport } from "#shared/lab.ts";
import { isBesidePaper } from "#shared/labNotes.ts";

/** Every report about the demo model says what it is. */
export const DEMO_NOTE =
  "This is Keystone's demo model. Models this small do not come to depend on one weight by themselves: its super weight was seeded before training, and the model was trained to need it. The effects are real, their origin is deliberate; do not quote them as evidence about language models.";

/** What the paper [arXiv:2411.07191] saw in the same experiment, and where its way differs. What this model shows beside it is said by the report's own notes. */
const PAPER: Readonly<Record<ExperimentName, readonly string[]>> = {
  importance: [
    "In the paper (Llama-7B) perplexity on Wikitext-2 goes from 5.67 to 1,211.11 without its one super weight, to 720.57 with the super activation kept, and to 6.08 without the 7,000 largest other weights; mean accuracy over seven tasks from 70.11 to 35.14, 50.09 and 69.22.",
  ],
  "super-activations": [
    "In the paper (Llama-7B) the value is about 1,360 from layer 3 to layer 29, 1,336 behind layer 30 and 145 behind layer 31; about 324 without the super weight, about 976 without the other outliers.",
  ],
  // Its own note says it all.
  "token-probabilities": [],
  sensitivity: [
    "The paper measures the mean accuracy of seven zero-shot tasks: for Llama-7B 35.15 at factor 0, 50.24 at 0.1, 69.23 at 0.5, 70.12 as it is, 70.55 at 2 and 70.26 at 3. The gain above 1 is below one point.",
  ],
  "block-scaling": [
    "The paper measures the mean accuracy of seven zero-shot tasks. INT4 on Llama-7B, plain and restored: 66.21 and 66.21 at 128 × 128, 63.41 and 63.41 at 256 × 256, 50.51 and 57.85 at 512 × 512, 27.55 and 45.40 at 1024 × 1024; 70.12 unquantized. Restoring gains nothing until plain rounding has already lost much.",
    "The paper's text gives 2^(b − 1) steps, its published code 2^b levels: the code's are used here. N × N is a run of N² consecutive weights of the flattened tensor, as in that code; where the tensor's size is no multiple of it, the last block holds the rest, while the code falls back to one block for the whole tensor.",
  ],
  activations: [
    "The paper's percentages are shares of what SmoothQuant gains (Llama family: 71 to 83%) or of the whole gap to 16 bits (OLMo-1B 84 and 60%, OLMo-7B 76 and 78%, Mistral-7B 14 and 25%, Llama-2-7B 9.1 and 16.7%, on Wikitext-2 and C4). Here all are shares of the gap that naive rounding opens; where it opens little, they are ratios of small numbers.",
  ],
  "threshold-search": [
    "The paper takes one z-score for the whole model, the one of least reconstruction error on 500 examples of Wikitext-2's training text, and does not print it; its published code holds 9, 11, 12 and 20.",
  ],
};

/** What stands under "Beside the paper", and the notes that are left. */
export function paperComparison({ experiment, notes }: LabReport): { paper: string[]; others: string[] } {
  return {
    paper: [...PAPER[experiment], ...textsOf(notes.filter(isBesidePaper))],
    others: textsOf(notes.filter((note) => !isBesidePaper(note))),
  };
}
