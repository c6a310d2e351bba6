import { basename } from "node:path";
import type { AblateReport, AblationRow, Scores } from "#shared/evaluation.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { scoreOriginal, scoreWave, type ScoreRequest } from "#engine/evaluate/score.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import { ORIGINAL, runTasks, type TaskResult } from "#engine/tasks/score/runTasks.ts";
import type { TaskFile } from "#engine/tasks/datasets/taskItem.ts";
import {
  largestOthersPruned,
  superActivationKept,
  superWeightsPruned,
  superWeightsScaled,
  type Ablation,
} from "./ablations.ts";

export interface AblateRequest extends ScoreRequest {
  readonly tokenizer: Tokenizer;
  readonly superWeights: readonly Coordinate[];
  /** Factors that the super weights are multiplied by, a row each. */
  readonly scales: readonly number[];
  /** Task files that every row answers too. */
  readonly tasks?: readonly TaskFile[];
  /** Name of the text, for the report. */
  readonly text: string;
  readonly reference?: OriginalReference;
}

/**
 * What the model loses with its super weights, beside what it loses with far more ordinary outliers
 * [arXiv:2411.07191, Table 1 and Figure 6]: original; super weights pruned; pruned but their super activation kept; the largest
 * other weights pruned; super weights multiplied by each factor. All rows are judged in one pass.
 * @throws KeystoneError ablate/no-super-weights, usage/no-such-weight, checkpoint/not-finite, job/cancelled
 */
export async function ablate(request: AblateRequest): Promise<AblateReport> {
  const begin = performance.now();
  const { superWeights, tasks = [], checkpoint, windows, forward } = request;
  if (superWeights.length === 0) throw noSuperWeights();
  const reference = request.reference ?? (await scoreOriginal(request));
  const ablations = await planAblations(request);
  const variants = ablations.map(({ variant }) => variant);
  const scored = await scoreWave({ ...request, reference, variants });
  const answers =
    tasks.length > 0 ? await runTasks({ ...request, files: tasks, variants: [ORIGINAL, ...variants] }) : [];

  const original: AblationRow = {
    kind: "original",
    name: "original",
    change: "nothing",
    weights: 0,
    ...reference.scores,
    ...tasksOf(answers, ORIGINAL.id),
  };
  const rows = ablations.map(({ variant, kind, name, change, weights }, i): AblationRow => {
    const { scores, error } = scored[i];
    if (error) throw KeystoneError.fromData(error);
    return { kind, name, change, weights, ...(scores ?? NO_SCORES), ...tasksOf(answers, variant.id) };
  });
  return {
    model: basename(checkpoint.path),
    text: request.text,
    convention: windows.convention,
    superWeights: superWeights.map((coordinate): Coordinate => [...coordinate]),
    rows: [original, ...rows],
    device: forward.device.used,
    seconds: (performance.now() - begin) / 1000,
  };
}

async function planAblations(request: AblateRequest): Promise<Ablation[]> {
  const { superWeights, scales } = request;
  return [
    superWeightsPruned(request, superWeights),
    ...superActivationKept(request, superWeights),
    await largestOthersPruned(request, superWeights, request),
    ...scales.map((factor) => superWeightsScaled(request, superWeights, factor)),
  ];
}

const NO_SCORES: Scores = {
  nll: null,
  perplexity: null,
  wordPerplexity: null,
  bytePerplexity: null,
  bitsPerByte: null,
  tokens: 0,
  nllStandardError: null,
  notFinite: true,
};

function tasksOf(answers: readonly TaskResult[], id: string): Pick<AblationRow, "tasks"> {
  const found = answers.find((answer) => answer.id === id);
  return found ? { tasks: [...found.tasks] } : {};
}

function noSuperWeights(): KeystoneError {
  return new KeystoneError(
    "ablate/no-super-weights",
    "There is no super weight to prune: detection found none in this model.",
    "Look at detect's candidates, or name the weights yourself.",
  );
}
