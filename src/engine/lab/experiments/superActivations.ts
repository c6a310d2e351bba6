import { coordinateWords } from "#shared/figures/detectionWords.ts";
import type { Note } from "#shared/notes.ts";
import { DEFAULT_PROMPT } from "#shared/detection.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import { onTheWay } from "#shared/lab/reports/unfinished.ts";
import { orNull } from "#shared/numbers.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { median } from "#engine/evaluate/metrics.ts";
import { layerPasses, streamLayers } from "#engine/evaluate/stream/streamLayers.ts";
import type { HiddenBatch } from "#engine/forward/forward.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { largestOthersPruned, superWeightsPruned } from "#engine/superweight/ablate/ablations.ts";
import { ORIGINAL } from "#engine/tasks/score/runTasks.ts";
import { labFacts, requireSuperWeights } from "../run/labFacts.ts";
import { persistenceOf } from "./persistence.ts";
import { passages, promptConvention, promptPlan, toPrompt, type Prompt } from "../run/prompts.ts";
import { residualPeaks, valuesAt, type ResidualPeaks } from "./residualPeaks.ts";
import { severalRows, wildness } from "./superActivationNotes.ts";
import type { Experiment, LabRun } from "../run/experiment.ts";
import { all, figure, percent, plural, sentence, them } from "../run/words.ts";

type Report = LabReportOf<"super-activations">;
type Persistence = Report["persistence"][number];

/** Of a document's beginning so many tokens are run: the super activation is there from the first on. */
const BEGINNING_TOKENS = 48;
const STATES = ["original", "without super weights", "without other outliers"] as const;

/**
 * Where the residual stream is largest behind every layer, with the super weights, without them and without other outliers, and
 * whether it is the same channel and token in every prompt [arXiv:2411.07191, Figures 3 and 4]. One pass over the checkpoint;
 * every layer is told when it is done.
 * @throws KeystoneError lab/no-super-weights, usage/empty-prompt, text/…, checkpoint/not-finite, job/cancelled
 */
export const superActivations: Experiment<"super-activations"> = async (run) => {
  const begin = performance.now();
  requireSuperWeights(run);
  const { architecture, superWeights } = run;
  const prompts = await choosePrompts(run);
  const plan = promptPlan(prompts, null);
  const others = await largestOthersPruned(run, superWeights, run);
  const variants = [ORIGINAL, superWeightsPruned(run, superWeights).variant, others.variant];
  const rows = [...new Set(superWeights.map(([, row]) => row))];

  /** [state][layer][prompt]. */
  const peaks: ResidualPeaks[][][] = STATES.map(() => []);
  /** [layer][prompt][row], without the super weights. */
  const left: number[][][] = [];
  const report = (complete: boolean): Report => {
    const persistence = superWeights.map((superWeight) => persistenceOf(superWeight, rows, peaks[0], left));
    const reached = { done: left.length, of: architecture.facts.layers, unit: "layer" };
    return {
      experiment: "super-activations",
      ...labFacts(run, promptConvention(run, prompts), begin, reached),
      complete,
      finding: complete ? findingOf(run, persistence, prompts.length) : onTheWay(reached),
      notes: [
        ...notesOf(run, prompts, persistence, others.change),
        ...paperComparison(run, persistence, peaks),
        ...wildness(peaks, rows),
      ],
      layers: architecture.facts.layers,
      prompts: prompts.map(({ text, ids }) => ({ text, tokens: ids.length })),
      states: STATES.map((name, s) => ({ name, peaks: byPrompt(peaks[s], prompts.length) })),
      persistence,
    };
  };

  const options = {
    original: false,
    checkFinite: true,
    observe: (layer: number, states: readonly (readonly HiddenBatch[])[]) => {
      states.forEach((batches, s) => {
        peaks[s].push(residualPeaks(plan, batches, architecture.facts.hiddenSize, rows));
      });
      left.push(valuesAt(plan, states[1], architecture.facts.hiddenSize, rows, peaks[0][layer]));
      run.onReport?.(report(false));
    },
  };
  const meter = createMeter(plan.tokens * layerPasses(run, variants, options), "tokens·layers", run);
  await streamLayers(run, plan, variants, options, meter, run);
  return report(true);
};

async function choosePrompts(run: LabRun<LabRun["request"] & { experiment: "super-activations" }>) {
  const { prompts, promptCount, text } = run.request;
  if (prompts.length > 0) return prompts.map((prompt) => toPrompt(run, prompt, "beginning"));
  const documents = promptCount > 1 ? passages(await readDocuments(text), promptCount - 1) : [];
  return [
    toPrompt(run, DEFAULT_PROMPT, "beginning"),
    ...documents.map((document) => toPrompt(run, document, "beginning", BEGINNING_TOKENS)),
  ];
}

function byPrompt(layers: readonly (readonly ResidualPeaks[])[], prompts: number) {
  return Array.from({ length: prompts }, (_, p) =>
    layers.map((layer) => ({
      value: orNull(layer[p].value),
      token: layer[p].token,
      channel: layer[p].channel,
    })),
  );
}

function findingOf(run: LabRun, persistence: readonly Persistence[], prompts: number): Note {
  const [first] = persistence.toSorted((a, b) => lengthOf(b) - lengthOf(a));
  if (!first || first.from === null || first.to === null) {
    return {
      code: "super-activations/none",
      text: `In no layer does ${them(run.superWeights)} hold the largest value of the residual stream in ${all(prompts, "prompt")}.`,
    };
  }
  const [, row] = first.superWeight;
  const span = first.from === first.to ? `in layer ${first.from}` : `from layer ${first.from} to ${first.to}`;
  const [token, varying] =
    first.token === null ? ["", ", at varying tokens"] : [`, token ${first.token}`, ""];
  const stays = `the largest value of the residual stream lies in channel ${row}${token} ${span} in ${all(prompts, "prompt")}${varying}`;
  return {
    code: "super-activations/persistent",
    text: `${sentence(stays)}; without ${them(run.superWeights)} ${leftOf(first, first.from, first.to)} of it is found there.`,
  };
}

/** What pruning leaves of the value, from the layer that keeps least of it to the one that keeps most. */
function leftOf({ layers }: Persistence, from: number, to: number): string {
  const kept = layers
    .slice(from, to + 1)
    .map((at) => ({ layer: at.layer, share: (at.withoutSuperWeights ?? NaN) / (at.magnitude ?? NaN) }))
    .toSorted((a, b) => a.share - b.share);
  const [least, most] = [kept[0], kept[kept.length - 1]];
  if (least === most) return percent(least.share);
  return `${percent(least.share)} (layer ${least.layer}) to ${percent(most.share)} (layer ${most.layer})`;
}

function lengthOf({ from, to }: Persistence): number {
  return from === null || to === null ? 0 : to - from + 1;
}

/** What pruning leaves of the largest value anywhere, in the first layer that carries it: what the paper's figures compare. */
function paperComparison(
  run: LabRun,
  persistence: readonly Persistence[],
  [original, pruned, others]: readonly (readonly (readonly ResidualPeaks[])[])[],
): Note[] {
  const layer = persistence.find(({ from }) => from !== null)?.from;
  if (layer == null) return [];
  const largest = (prompts: readonly ResidualPeaks[]): string =>
    figure(median(prompts.map(({ value }) => Math.abs(value))));
  const before = largest(original[layer]);
  return [
    {
      code: "paper/largest-value",
      text: `The largest value anywhere in layer ${layer} is ${largest(pruned[layer])} without ${them(run.superWeights)} and ${largest(others[layer])} without other outliers, instead of ${before} (medians over prompts); in the paper's Llama-7B about 324 and 976 instead of 1,360.`,
    },
  ];
}

function notesOf(
  { request, tokenizer }: LabRun<LabRun["request"] & { experiment: "super-activations" }>,
  prompts: readonly Prompt[],
  persistence: readonly Persistence[],
  others: string,
): Note[] {
  const notes: Note[] = [{ code: "super-activations/others", text: `Without other outliers: ${others}.` }];
  const cut = prompts.filter((prompt) => prompt.cut).length;
  if (request.prompts.length > 0 && cut > 0)
    notes.push({
      code: "prompts/cut",
      text: `${plural(cut, "prompt is", "prompts are")} longer than the model's positions and ${cut === 1 ? "was" : "were"} cut behind.`,
    });
  if (request.prompts.length === 0 && prompts.length < request.promptCount)
    notes.push({
      code: "prompts/too-few",
      text: `The text has passages for ${plural(prompts.length, "prompt")} only.`,
    });
  for (const { superWeight, from } of persistence) {
    const [, row] = superWeight;
    if (from === null)
      notes.push({
        code: "super-activations/not-persistent",
        text: `${sentence(coordinateWords(superWeight))}: no layer has its largest value in channel ${row} in every prompt.`,
      });
  }
  notes.push(...firstToken(tokenizer, prompts, persistence));
  notes.push(...severalRows(persistence));
  return notes;
}

/** Where the first token is the same in all prompts, nothing before it differs: its state cannot differ either. */
function firstToken(
  { bos }: Tokenizer,
  prompts: readonly Prompt[],
  persistence: readonly Persistence[],
): Note[] {
  const there = persistence.some(({ from, token }) => from !== null && token === 0);
  const same = prompts.length > 1 && prompts.every(({ ids }) => ids[0] === prompts[0].ids[0]);
  if (!there || !same) return [];
  return [
    {
      code: "super-activations/causal",
      text: `Token 0 is ${bos === null ? "the same token" : "BOS"} in every prompt and sees nothing but itself, so by causality its states are the same in every prompt: that the value stays there over prompts follows from this, and the prompts add no evidence for it.`,
    },
  ];
}
