import type { KeystoneErrorData } from "#shared/errors.ts";
import type { TaskReport } from "#shared/evaluation.ts";
import { perWindow } from "#engine/architecture/inputs/perWindow.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { planBatches, type BatchPlan } from "#engine/evaluate/stream/hiddenStates.ts";
import { headUnits } from "#engine/evaluate/stream/headUnits.ts";
import { scoreLanes } from "#engine/evaluate/stream/judgeHead.ts";
import { createMeter, type Meter } from "#engine/evaluate/stream/meter.ts";
import { layerPasses, streamLayers } from "#engine/evaluate/stream/streamLayers.ts";
import type { Engine, Watch } from "#engine/evaluate/stream/engine.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { TaskFile } from "../datasets/taskItem.ts";
import { batchesByMemory } from "./batchesByMemory.ts";
import { prepareTask, type PreparedItem } from "./prepareTask.ts";
import { taskReport, type Answer } from "./taskReport.ts";

export interface TasksRequest extends Engine, Watch {
  readonly tokenizer: Tokenizer;
  readonly files: readonly TaskFile[];
  /** What is judged; {@link ORIGINAL} stands for the unquantized model. */
  readonly variants: readonly Variant[];
  /** Whether every item's own log-likelihoods are listed. */
  readonly items?: boolean | undefined;
}

/** The unquantized model as a variant. */
export const ORIGINAL: Variant = { id: "original", plans: new Map() };

export interface TaskResult {
  readonly id: string;
  /** One a file, in their order; empty where the variant's weights could not be made. */
  readonly tasks: readonly TaskReport[];
  readonly error?: KeystoneErrorData;
}

/** What a variant has said so far. */
interface Answers {
  readonly variant: Variant;
  /** One list an item, over all tasks. */
  readonly said: Answer[][];
  error: KeystoneErrorData | null;
}

const OPTIONS = { original: false, checkFinite: true };

/**
 * Answers tasks with each variant. All variants go through the layers together; items go in portions whose hidden states fit in
 * memory, one pass over the checkpoint a portion (a single one for all but the largest tasks).
 * @throws KeystoneError tasks/no-items where nothing of a file can be asked; checkpoint/not-finite, job/cancelled
 */
export async function runTasks(request: TasksRequest): Promise<TaskResult[]> {
  const { architecture, tokenizer, files, variants } = request;
  const { contextLength, slidingWindow } = architecture.facts;
  const limits = {
    contextLength,
    mayBranch: !variants.some(looksAtWindows),
    longestBranching: slidingWindow ?? Infinity,
  };
  const prepared = files.map((file) => prepareTask(file, tokenizer, limits));
  const passes = batchesByMemory(
    prepared.flatMap(({ items }) => items),
    (variants.length + 1) * architecture.facts.hiddenSize,
  ).map(planPass);
  const [perToken, head] = [layerPasses(request, variants, OPTIONS), headUnits(architecture)];
  const units = passes.reduce(
    (n, { plan, labels }) => n + plan.tokens * perToken + labels.length * head * variants.length,
    0,
  );
  const meter = createMeter(units, "tokens·layers", request);
  const results = variants.map((variant): Answers => ({ variant, said: [], error: null }));
  for (const pass of passes) await runPass(request, pass, results, meter);
  return results.map(({ variant, said, error }) => {
    if (error) return { id: variant.id, tasks: [], error };
    let first = 0;
    const tasks = prepared.map((task) => {
      const own = said.slice(first, (first += task.items.length));
      return taskReport(task, own, request.items ?? false);
    });
    return { id: variant.id, tasks };
  });
}

/** Whether a variant takes a maximum, a scale or a median over a whole window, which must then be one sequence. */
function looksAtWindows({ keepSuperActivation = [], activations }: Variant): boolean {
  return keepSuperActivation.length > 0 || (activations?.layers.some(perWindow) ?? false);
}

/** One pass through the layers. */
interface Pass {
  readonly items: readonly PreparedItem[];
  readonly plan: BatchPlan;
  /** What is predicted, request by request: the row of the hidden state that predicts it, and the token. */
  readonly rows: Int32Array;
  readonly labels: Int32Array;
}

function planPass(items: readonly PreparedItem[]): Pass {
  const windows = items.flatMap((item) => item.windows);
  const scoredOf = (of: PreparedItem["windows"]): number =>
    of.reduce((n, { labels }) => n + labels.reduce((m, label) => m + (label >= 0 ? 1 : 0), 0), 0);
  const rows: number[] = [];
  let first = 0;
  for (const item of items) {
    for (const own of item.rows) for (const row of own) rows.push(first + row);
    first += scoredOf(item.windows);
  }
  const labels = items.flatMap(({ requests }) => requests.flatMap((request) => request.labels));
  return {
    items,
    plan: planBatches({ windows, scored: first }),
    rows: Int32Array.from(rows),
    labels: Int32Array.from(labels),
  };
}

/** Adds every variant's answers to the items of one pass. */
async function runPass(
  request: TasksRequest,
  pass: Pass,
  results: readonly Answers[],
  meter: Meter,
): Promise<void> {
  const { hiddenSize } = request.architecture.facts;
  const running = results.filter(({ error }) => error === null);
  const variants = running.map(({ variant }) => variant);
  const { lanes } = await streamLayers(request, pass.plan, variants, OPTIONS, meter, request);
  for (const lane of lanes) if (lane.final) lane.final = pick(lane.final, pass.rows, hiddenSize);
  const figures = await scoreLanes(request, lanes, pass.labels, meter);
  for (const [i, lane] of lanes.entries()) {
    const found = figures.get(lane);
    running[i].error = lane.error;
    if (found) for (const answers of answersOf(pass, found)) running[i].said.push(answers);
  }
}

/** Copies of rows: a position that predicts the first token of several choices is judged once for each. */
function pick(states: Float32Array, rows: Int32Array, hiddenSize: number): Float32Array {
  const picked = new Float32Array(rows.length * hiddenSize);
  rows.forEach((row, i) =>
    picked.set(states.subarray(row * hiddenSize, (row + 1) * hiddenSize), i * hiddenSize),
  );
  return picked;
}

function answersOf(
  { items, labels }: Pass,
  { nll, top }: { nll: Float32Array; top: Int32Array },
): Answer[][] {
  let next = 0;
  return items.map(({ requests }) =>
    requests.map((request) => {
      let [logLikelihood, greedy] = [0, true];
      for (const end = next + request.labels.length; next < end; next++) {
        logLikelihood -= nll[next];
        greedy &&= top[next] === labels[next];
      }
      return { logLikelihood, greedy };
    }),
  );
}
