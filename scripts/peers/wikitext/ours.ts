import { createHash } from "node:crypto";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { scoreOriginal } from "#engine/evaluate/score.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { Judge } from "#shared/plan.ts";

/** Total NLL of some windows of a text, in nats, and how many tokens it is of. */
export interface Total {
  readonly nll: number;
  readonly scored: number;
}

/** Windows [begin, end) of a text as windows of their own. */
export function part(set: WindowSet, begin: number, end: number): WindowSet {
  const windows = set.windows.slice(begin, end);
  const scored = windows.reduce((sum, { labels }) => sum + labels.filter((label) => label >= 0).length, 0);
  return { ...set, windows, scored };
}

/** A text's rows as a model's own tokenizer and a convention cut them. */
export async function cut(model: string, rows: readonly string[], judge: Judge): Promise<WindowSet> {
  const checkpoint = await openCheckpoint(model);
  try {
    const { contextLength } = architectureOf(checkpoint).facts;
    return cutWindows(rows, await loadTokenizer(model), judge, contextLength);
  } finally {
    await checkpoint.close();
  }
}

/** What Keystone's own pass gives the windows. */
export async function score(model: string, windows: WindowSet): Promise<Total> {
  const checkpoint = await openCheckpoint(model);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 2 });
  try {
    const { nll } = await scoreOriginal({ checkpoint, architecture, forward, windows });
    return { nll: nll.reduce((sum, value) => sum + value, 0), scored: windows.scored };
  } finally {
    await forward.close();
    await checkpoint.close();
  }
}

/** SHA-256 of token ids as little-endian int32, by which two programs know that they read the same. */
export function idsHash(ids: readonly number[]): string {
  return createHash("sha256")
    .update(Buffer.from(Int32Array.from(ids).buffer))
    .digest("hex");
}
