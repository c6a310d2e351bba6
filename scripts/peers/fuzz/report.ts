import { markdownTable, type Check } from "../peer.ts";
import { NLL_TOLERANCE, type Ending, type Outcome } from "./fuzz.ts";

const OPENING = "opening";

/** What was done to the checkpoints and what came of it, then what was refused, by reason. */
export function outcomeText(outcomes: readonly Outcome[]): string {
  const opened = outcomes.filter(({ endings }) => endings.some(isOpened));
  const exports = outcomes.flatMap(({ endings }) => endings).filter(({ where }) => where !== OPENING);
  const written = exports.filter(({ refused }) => refused === null).length;
  const comparisons = outcomes.reduce((sum, each) => sum + each.comparisons.length, 0);
  return [
    `${outcomes.length} checkpoints, seeds ${outcomes[0]?.seed ?? 0} to ${outcomes.at(-1)?.seed ?? 0}: ${opened.length} were opened and scored, ${outcomes.length - opened.length} refused. Of ${exports.length} exports ${written} were written and verified. ${comparisons} numbers were held against NumPy's.`,
    "What was done to them (several things to some), and what opening made of it:",
    disturbancesTable(outcomes),
    "What was refused, by reason:",
    refusalsTable(outcomes),
  ].join("\n\n");
}

/** Every number beside NumPy's. */
export function checksOf(outcomes: readonly Outcome[]): Check[] {
  return outcomes.flatMap(({ seed, comparisons }) =>
    comparisons.map(({ who, storage, ours, numpy }): Check => ({
      subject: `seed ${seed}, ${who}`,
      arithmetic: `${storage} weights, ${who}`,
      logits: null,
      logitTolerance: null,
      perplexity: { ours: Math.exp(numpy), theirs: Math.exp(ours) },
      perplexityTolerance: Math.expm1(NLL_TOLERANCE[who][storage] * Math.max(1, numpy)),
    })),
  );
}

function disturbancesTable(outcomes: readonly Outcome[]): string {
  const kinds = new Set(outcomes.flatMap(({ disturbed }) => disturbed));
  const rows = [...kinds].sort().map((kind) => {
    const these = outcomes.filter(({ disturbed }) => disturbed.includes(kind));
    return [kind, ...tally(these)];
  });
  const plain = outcomes.filter(({ disturbed }) => disturbed.length === 0);
  return markdownTable(
    ["what was done", "checkpoints", "opened", "refused, by reason"],
    [["nothing", ...tally(plain)], ...rows],
  );
}

function tally(outcomes: readonly Outcome[]): string[] {
  const endings = outcomes.flatMap(({ endings: all }) => all.filter(({ where }) => where === OPENING));
  const codes = Map.groupBy(
    endings.flatMap(({ refused }) => (refused === null ? [] : [refused])),
    (code) => code,
  );
  return [
    String(outcomes.length),
    String(endings.filter(isOpened).length),
    [...codes].map(([code, { length }]) => `\`${code}\` ${length}`).join(", "),
  ];
}

function refusalsTable(outcomes: readonly Outcome[]): string {
  const refusals = outcomes.flatMap(({ seed, endings }) =>
    endings.flatMap(({ where, refused }) => (refused === null ? [] : [{ seed, where, refused }])),
  );
  const groups = Map.groupBy(refusals, ({ where, refused }) => JSON.stringify([refused, where]));
  const rows = [...groups.values()].map((group) => [
    `\`${group[0].refused}\``,
    group[0].where,
    String(group.length),
    String(group[0].seed),
  ]);
  return markdownTable(
    ["reason", "at", "how often", "a seed"],
    rows.sort(([a, b], [c, d]) => (a + b < c + d ? -1 : 1)),
  );
}

function isOpened({ where, refused }: Ending): boolean {
  return where === OPENING && refused === null;
}
