import type { TaskReport } from "#shared/evaluation.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import type { Tokenizer } from "../checkpoint/types.ts";
import { planBatches, scoredLabels } from "./hiddenStates.ts";
import { scoreLanes } from "./judgeHead.ts";
import { createMeter } from "./meter.ts";
import { layerPasses, streamLayers } from "./streamLayers.ts";
import type { SkippedLine, TaskFile } from "./taskFile.ts";
import { taskWindow, type TaskWindow } from "./taskWindows.ts";
import type { Engine, Variant, Watch } from "./types.ts";

export interface TasksRequest extends Engine, Watch {
  readonly tokenizer: Tokenizer;
  readonly files: readonly TaskFile[];
  /** What is judged; {@link ORIGINAL} stands for the unquantized model. */
  readonly variants: readonly Variant[];
}

/** The unquantized model as a variant. */
export const ORIGINAL: Variant = { id: "original", plans: new Map() };

export interface TaskResult {
  readonly id: string;
  /** One a file, in their order; empty where the variant's weights could not be made. */
  readonly tasks: readonly TaskReport[];
  readonly error?: KeystoneErrorData;
}

/** An item brought to tokens: one window for a last word, one a choice otherwise. */
interface Item {
  readonly windows: readonly TaskWindow[];
  /** Index of the right window; null where every token of the only one must be the most likely. */
  readonly gold: number | null;
}

interface Prepared {
  readonly file: TaskFile;
  readonly items: readonly Item[];
  readonly skipped: readonly SkippedLine[];
}

/**
 * Answers task files with each variant, in one pass over the checkpoint. `last-word`: right = greedy decoding gives every token
 * of the target. `choice`: right = the gold choice has the highest summed log-likelihood, the first of equals.
 * @throws KeystoneError tasks/no-items where nothing of a file can be predicted; checkpoint/not-finite, job/cancelled
 */
export async function runTasks(request: TasksRequest): Promise<TaskResult[]> {
  const { architecture, tokenizer, files, variants } = request;
  const prepared = files.map((file) => prepare(file, tokenizer, architecture.facts.contextLength));
  const all = prepared.flatMap(({ items }) => items.flatMap(({ windows }) => windows));
  const plan = planBatches({
    windows: all.map(({ window }) => window),
    scored: all.reduce((n, { scored }) => n + scored, 0),
  });
  const options = { original: false, checkFinite: true };
  const meter = createMeter(
    plan.tokens * layerPasses(request, variants, options) + plan.scored * variants.length,
    "tokens·layers",
    request,
  );
  const { lanes } = await streamLayers(request, plan, variants, options, meter, request);
  const labels = scoredLabels(plan);
  const figures = await scoreLanes(request, lanes, labels, meter);
  return lanes.map((lane) => {
    const rows = figures.get(lane);
    if (lane.error || !rows)
      return { id: lane.variant.id, tasks: [], ...(lane.error ? { error: lane.error } : {}) };
    return { id: lane.variant.id, tasks: reports(prepared, rows.nll, rows.top, labels) };
  });
}

function prepare(file: TaskFile, tokenizer: Tokenizer, contextLength: number): Prepared {
  const skipped = [...file.skipped];
  const items: Item[] = [];
  const source =
    file.kind === "choice"
      ? file.items.map((it) => ({ ...it, gold: it.gold }))
      : file.items.map((it) => ({ ...it, choices: [it.target], gold: null }));
  for (const { line, context, choices, gold } of source) {
    const windows: TaskWindow[] = [];
    let reason: string | null = null;
    for (const choice of choices) {
      const made = taskWindow(context, choice, tokenizer, contextLength);
      if (typeof made === "string") reason ??= made;
      else windows.push(made);
    }
    if (reason === null) items.push({ windows, gold });
    else skipped.push({ line, reason });
  }
  if (items.length > 0) return { file, items, skipped: skipped.sort((a, b) => a.line - b.line) };
  throw new KeystoneError(
    "tasks/no-items",
    `${file.name} holds no task that this model can answer: line ${skipped[0]?.line ?? 1} ${skipped[0]?.reason ?? "is empty"}.`,
    "Check that the tasks suit the model's context and tokenizer.",
    { name: file.name },
  );
}

function reports(
  prepared: readonly Prepared[],
  nll: Float32Array,
  top: Int32Array,
  labels: Int32Array,
): TaskReport[] {
  let row = 0;
  return prepared.map(({ file, items, skipped }) => {
    let [correct, truncated] = [0, 0];
    for (const { windows, gold } of items) {
      const answers = windows.map(({ scored }) => {
        let total = 0;
        let greedy = true;
        for (const end = row + scored; row < end; row++) {
          total += nll[row];
          greedy &&= top[row] === labels[row];
        }
        return { total, greedy };
      });
      if (windows.some((window) => window.truncated)) truncated++;
      if (gold === null ? answers.every(({ greedy }) => greedy) : likeliest(answers) === gold) correct++;
    }
    return {
      name: file.name,
      dataset: "own",
      kind: file.kind,
      n: items.length,
      correct,
      truncated,
      skipped: [...skipped],
      ...proportion(correct, items.length),
      accuracyNorm: null,
      stderrNorm: null,
      perplexity: null,
    };
  });
}

/** Index of the least total NLL, the first of equals; −1 where one is not a number. */
function likeliest(answers: readonly { readonly total: number }[]): number {
  const totals = answers.map(({ total }) => total);
  return totals.indexOf(Math.min(...totals));
}

/** Accuracy and its standard error, √(p(1 − p)/(n − 1)), as lm-eval computes it. */
function proportion(correct: number, n: number): { accuracy: number; stderr: number } {
  const accuracy = correct / n;
  return { accuracy, stderr: n > 1 ? Math.sqrt((accuracy * (1 - accuracy)) / (n - 1)) : 0 };
}
