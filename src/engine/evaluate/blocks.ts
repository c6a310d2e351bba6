import type { Confidence } from "#shared/evaluation.ts";
import type { WindowSet } from "./windows/windowSet.ts";

/** Scored tokens that are resampled together: in window order, each block from its begin to the next one's. */
export interface TextBlocks {
  readonly unit: Confidence["unit"];
  readonly begins: readonly number[];
  readonly scored: number;
}

/** Enough for a bootstrap; few enough that a row of a sweep stays light. */
const MOST_BLOCKS = 40;
/** With fewer blocks an interval says more about the bootstrap than about the model. */
const LEAST_BLOCKS = 10;
/** Shorter blocks would be taken for independent, which neighbouring tokens are not. */
const LEAST_TOKENS = 16;
const LARGEST_SHARE = 0.25;

/**
 * Cuts the scored tokens into blocks. Where a text has enough documents, blocks are whole documents, neighbours joined to at most 40
 * of like size; else they are runs of at least 16 tokens that cross no document.
 * @returns null where the text is too short for ten blocks
 */
export function cutBlocks({ windows, scored }: Pick<WindowSet, "windows" | "scored">): TextBlocks | null {
  const documents = documentEnds(windows);
  const whole = joinDocuments(documents, scored);
  if (areEnough(whole, scored)) return { unit: "documents", begins: whole, scored };
  const runs = cutDocuments(documents, scored);
  return areEnough(runs, scored) ? { unit: "tokens", begins: runs, scored } : null;
}

/** Where each document's scored tokens end, in window order; documents without any are left out. */
function documentEnds(windows: WindowSet["windows"]): number[] {
  const ends: number[] = [];
  let [document, end] = [-1, 0];
  for (const window of windows) {
    const count = scoredLabelCount(window);
    if (count === 0) continue;
    end += count;
    if (window.document === document) ends[ends.length - 1] = end;
    else ends.push(end);
    document = window.document;
  }
  return ends;
}

function scoredLabelCount(window: WindowSet["windows"][number]): number {
  return window.labels.reduce((n, label) => n + (label >= 0 ? 1 : 0), 0);
}

/** Begins of blocks of whole documents; where there are too many, neighbours are joined until they hold their share of what is left. */
function joinDocuments(ends: readonly number[], scored: number): number[] {
  const begins = [0];
  for (const end of ends.slice(0, -1)) {
    const begin = begins[begins.length - 1];
    const share = (scored - begin) / (MOST_BLOCKS - begins.length + 1);
    if (ends.length <= MOST_BLOCKS || (begins.length < MOST_BLOCKS && end - begin >= share)) begins.push(end);
  }
  return begins;
}

/** Whether blocks are many enough, and none holds so much of the text that the others hardly count. */
function areEnough(begins: readonly number[], scored: number): boolean {
  const largest = Math.max(...begins.map((begin, i) => (begins[i + 1] ?? scored) - begin));
  return begins.length >= LEAST_BLOCKS && largest <= scored * LARGEST_SHARE;
}

/** Begins of runs of consecutive tokens of like length within each document. */
function cutDocuments(ends: readonly number[], scored: number): number[] {
  const length = Math.max(LEAST_TOKENS, scored / MOST_BLOCKS);
  return ends.flatMap((end, i) => {
    const begin = ends[i - 1] ?? 0;
    const pieces = Math.max(1, Math.floor((end - begin) / length));
    return Array.from({ length: pieces }, (_, k) => begin + Math.floor(((end - begin) * k) / pieces));
  });
}
