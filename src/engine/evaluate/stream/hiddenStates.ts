import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { HiddenBatch } from "#engine/forward/forward.ts";
import type { Engine } from "./engine.ts";
import type { TokenWindow, WindowSet } from "../windows/windowSet.ts";

/** Padded tokens of one batch: enough for the matrix products to run at full speed, few enough to bound memory. */
const BATCH_TOKENS = 4096;
/** A batch this large runs the matrix products at nearly full speed: from here on, padding costs more than a further batch. */
const EFFICIENT_TOKENS = 1024;
/** A window shorter than this share of its batch's longest begins a batch of its own, once the batch is large enough. */
const LIKE_LENGTH = 0.9;

/** Which windows go through the layers together, and where their scored positions lie among all of them. */
export interface BatchPlan {
  readonly windows: readonly TokenWindow[];
  /** Indices into `windows`, batch by batch; windows of like length share a batch, so that little is padding. */
  readonly batches: readonly (readonly number[])[];
  /** Row of each window's first scored position among all scored positions, in window order. */
  readonly rowOffsets: readonly number[];
  readonly scored: number;
  /** Real tokens of all windows. */
  readonly tokens: number;
}

/**
 * Sorts windows by length, longest first, and cuts them into batches of at most `batchTokens` padded tokens (one window at
 * least); a batch that is large enough also ends where its windows would become much shorter than its first.
 */
export function planBatches(
  { windows, scored }: Pick<WindowSet, "windows" | "scored">,
  batchTokens = BATCH_TOKENS,
): BatchPlan {
  const order = windows
    .map((_, i) => i)
    .sort((a, b) => windows[b].ids.length - windows[a].ids.length || a - b);
  const batches: number[][] = [];
  for (const index of order) {
    const batch = batches.at(-1);
    const longest = batch === undefined ? 0 : windows[batch[0]].ids.length;
    const padded = (batch?.length ?? 0) * longest;
    const alike = padded < EFFICIENT_TOKENS || windows[index].ids.length >= LIKE_LENGTH * longest;
    if (batch && padded + longest <= batchTokens && alike) batch.push(index);
    else batches.push([index]);
  }
  const rowOffsets: number[] = [];
  let rows = 0;
  for (const { labels } of windows) {
    rowOffsets.push(rows);
    for (const label of labels) if (label >= 0) rows++;
  }
  return { windows, batches, rowOffsets, scored, tokens: windows.reduce((n, { ids }) => n + ids.length, 0) };
}

/** Labels of all scored positions, in window order. */
export function scoredLabels({ windows, scored }: Pick<BatchPlan, "windows" | "scored">): Int32Array {
  const labels = new Int32Array(scored);
  let row = 0;
  for (const window of windows) for (const label of window.labels) if (label >= 0) labels[row++] = label;
  return labels;
}

/** Real tokens of one batch. */
export function batchTokens(plan: BatchPlan, batch: number): number {
  return plan.batches[batch].reduce((n, window) => n + plan.windows[window].ids.length, 0);
}

/**
 * Embeds every batch.
 * @param table the variant's own embedding table (vocabulary, hidden); the checkpoint's is read by rows where it is absent
 */
export async function embedBatches(
  { checkpoint, forward, architecture }: Engine,
  plan: BatchPlan,
  table?: Float32Array,
): Promise<HiddenBatch[]> {
  const embedded: HiddenBatch[] = [];
  const source = table
    ? withTable(checkpoint, architecture.embedTensor, table, architecture.facts.hiddenSize)
    : checkpoint;
  for (const batch of plan.batches) {
    const windows = batch.map((window) => plan.windows[window]);
    const parents = windows.map((window) => window.parents ?? null);
    const hidden = await forward.embed(
      source,
      windows.map(({ ids }) => ids),
      { parents },
    );
    embedded.push(parents.some((of) => of !== null) ? { ...hidden, parents } : hidden);
  }
  return embedded;
}

/** A checkpoint whose embedding table is another one, in memory: (vocabulary, width). */
export function withTable(
  checkpoint: Pick<Checkpoint, "readRows">,
  name: string,
  table: Float32Array,
  width: number,
): Pick<Checkpoint, "readRows"> {
  return {
    readRows: async (asked, indices) => {
      if (asked !== name) return checkpoint.readRows(asked, indices);
      const rows = new Float32Array(indices.length * width);
      for (let i = 0; i < indices.length; i++)
        rows.set(table.subarray(indices[i] * width, (indices[i] + 1) * width), i * width);
      return rows;
    },
  };
}

/** Hidden states of the scored positions alone, in window order: (scored, hidden). */
export function gatherScored(
  plan: BatchPlan,
  batches: readonly HiddenBatch[],
  hiddenSize: number,
): Float32Array {
  const rows = new Float32Array(
    new SharedArrayBuffer(plan.scored * hiddenSize * Float32Array.BYTES_PER_ELEMENT),
  );
  plan.batches.forEach((members, b) => {
    const { data, sequence } = batches[b];
    members.forEach((index, w) => {
      let row = plan.rowOffsets[index];
      plan.windows[index].labels.forEach((label, t) => {
        if (label < 0) return;
        const begin = (w * sequence + t) * hiddenSize;
        rows.set(data.subarray(begin, begin + hiddenSize), row++ * hiddenSize);
      });
    });
  });
  return rows;
}

/** Most bytes that the original's hidden states behind all layers may take together. */
export const TRAJECTORY_BYTES = 256 * 2 ** 20;

/** How many of the first batches have their hidden states kept behind every layer; one at least. */
export function keptBatches(plan: BatchPlan, layers: number, hiddenSize: number): number {
  let [bytes, kept] = [0, 0];
  for (const members of plan.batches) {
    const padded = members.length * plan.windows[members[0]].ids.length;
    bytes += padded * hiddenSize * Float32Array.BYTES_PER_ELEMENT * layers;
    if (kept > 0 && bytes > TRAJECTORY_BYTES) break;
    kept++;
  }
  return kept;
}

/** A copy of the first batches' hidden states in shared memory. */
export function keepStates(batches: readonly HiddenBatch[], kept: number): Float32Array[] {
  return batches.slice(0, kept).map(({ data }) => {
    const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
    copy.set(data);
    return copy;
  });
}

/** ‖h − ĥ‖ / ‖h‖ over the text tokens of the batches given: leading BOS and padding are left out. Sums in f64. */
export function relativeError(
  plan: BatchPlan,
  original: readonly Float32Array[],
  variant: readonly HiddenBatch[],
  hiddenSize: number,
): number {
  let [difference, norm] = [0, 0];
  plan.batches.slice(0, original.length).forEach((members, b) => {
    const [h, other, sequence] = [original[b], variant[b].data, variant[b].sequence];
    members.forEach((index, w) => {
      const { ids, lead } = plan.windows[index];
      const end = (w * sequence + ids.length) * hiddenSize;
      for (let i = (w * sequence + lead) * hiddenSize; i < end; i++) {
        difference += (h[i] - other[i]) ** 2;
        norm += h[i] ** 2;
      }
    });
  });
  return Math.sqrt(difference / norm);
}
