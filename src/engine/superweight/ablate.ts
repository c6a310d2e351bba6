import { basename } from "node:path";
import type { AblateReport, AblationRow, Scores } from "#shared/evaluation.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Tokenizer } from "../checkpoint/types.ts";
import { scoreOriginal, scoreWave, type ScoreRequest } from "../evaluate/score.ts";
import type { OriginalReference, Variant } from "../evaluate/types.ts";
import { ORIGINAL, runTasks, type TaskResult } from "../tasks/score/runTasks.ts";
import type { TaskFile } from "../tasks/types.ts";
import { scaleWeights } from "./edits.ts";
import { decoderWeights, outlierCount, pruneLargest } from "./largestWeights.ts";

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

/** A row before it is scored. */
interface Ablation {
  readonly variant: Variant;
  readonly name: string;
  readonly change: string;
  readonly weights: number;
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
    name: "original",
    change: "nothing",
    weights: 0,
    ...reference.scores,
    ...tasksOf(answers, ORIGINAL.id),
  };
  const rows = ablations.map(({ variant, name, change, weights }, i): AblationRow => {
    const { scores, error } = scored[i];
    if (error) throw KeystoneError.fromData(error);
    return { name, change, weights, ...(scores ?? NO_SCORES), ...tasksOf(answers, variant.id) };
  });
  return {
    model: basename(checkpoint.path),
    text: request.text,
    convention: windows.convention,
    superWeights: superWeights.map(([layer, row, column]) => [layer, row, column]),
    rows: [original, ...rows],
    device: forward.device.used,
    seconds: (performance.now() - begin) / 1000,
  };
}

async function planAblations(request: AblateRequest): Promise<Ablation[]> {
  const { architecture, superWeights, scales } = request;
  const weights = superWeights.length;
  const them = weights === 1 ? "the super weight" : `the ${weights} super weights`;
  const pruned = scaleWeights(architecture, superWeights, 0);
  const rows = new Map(superWeights.map(([layer, row]) => [`${layer},${row}`, { layer, row }]));
  const count = outlierCount(decoderWeights(request));
  const outliers = await pruneLargest(request, count, superWeights, request);
  return [
    {
      name: "super weights pruned",
      change: `${them} set to zero`,
      weights,
      variant: { id: "pruned", plans: new Map(), edits: pruned },
    },
    {
      name: "super weights pruned, super activation kept",
      change: `${them} set to zero, the largest value of their output channel put back as the original has it`,
      weights,
      variant: { id: "kept", plans: new Map(), edits: pruned, keepSuperActivation: [...rows.values()] },
    },
    {
      name: "largest other weights pruned",
      change: `the ${count.toLocaleString("en-US")} largest other weights of the decoder's linears set to zero`,
      weights: count,
      variant: { id: "outliers", plans: new Map(), edits: outliers },
    },
    ...scales.map((factor) => ({
      name: `super weights × ${factor}`,
      change: `${them} multiplied by ${factor}`,
      weights,
      variant: {
        id: `scale ${factor}`,
        plans: new Map(),
        edits: scaleWeights(architecture, superWeights, factor),
      },
    })),
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
