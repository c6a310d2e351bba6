// A whole text takes hours: each comparison is made slice by slice, kept as it goes, and ended by a clock.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What one slice of a text (windows or articles) gave here and there. */
const slice = z.object({
  ours: z.object({ nll: z.number(), scored: z.number() }),
  /** Nats in the other program. */
  theirs: z.number(),
  /** What the logarithm of the shown perplexity is per: tokens or words. */
  units: z.number(),
  failures: z.array(z.string()),
});
export type Slice = z.infer<typeof slice>;

/** Where finished slices are kept and until when new ones are begun. */
export interface Pace {
  /** null keeps nothing. */
  readonly folder: string | null;
  /** Milliseconds since the epoch. The first slice of a comparison is always made. */
  readonly until: number;
}

/** A pace as the environment asks for: KEYSTONE_WIKITEXT_KEEP and KEYSTONE_WIKITEXT_MINUTES. */
export function paceFromEnvironment(): Pace {
  const { KEYSTONE_WIKITEXT_KEEP, KEYSTONE_WIKITEXT_MINUTES } = process.env;
  return {
    folder: KEYSTONE_WIKITEXT_KEEP || null,
    until: Date.now() + Number(KEYSTONE_WIKITEXT_MINUTES || Infinity) * 60_000,
  };
}

/**
 * The sum over slices [begin, end) of `size` pieces, from the first on, and how many pieces it is of: `count`, or fewer where time ran out.
 * @param key names the comparison and the text: slices kept under it by a stopped run are taken from there
 */
export async function sumOfSlices(
  { key, count, size }: { readonly key: string; readonly count: number; readonly size: number },
  { folder, until }: Pace,
  compare: (begin: number, end: number) => Promise<Slice>,
): Promise<{ readonly sum: Slice; readonly pieces: number }> {
  let sum: Slice = { ours: { nll: 0, scored: 0 }, theirs: 0, units: 0, failures: [] };
  for (let begin = 0; begin < count; begin += size) {
    const end = Math.min(begin + size, count);
    const file = folder === null ? null : join(folder, `${key}-${begin}-${end}.json`);
    const kept = file !== null && existsSync(file);
    if (begin > 0 && !kept && Date.now() >= until) return { sum, pieces: begin };
    const found = kept ? slice.parse(JSON.parse(readFileSync(file, "utf8"))) : await compare(begin, end);
    if (file !== null && !kept) keep(file, found);
    sum = added(sum, found);
    process.stderr.write(`${key}: ${end} of ${count}\n`);
  }
  return { sum, pieces: count };
}

function added(a: Slice, b: Slice): Slice {
  return {
    ours: { nll: a.ours.nll + b.ours.nll, scored: a.ours.scored + b.ours.scored },
    theirs: a.theirs + b.theirs,
    units: a.units + b.units,
    failures: [...new Set([...a.failures, ...b.failures])],
  };
}

/** A file that is there is whole. */
function keep(file: string, found: Slice): void {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(`${file}.part`, JSON.stringify(found));
  renameSync(`${file}.part`, file);
}
