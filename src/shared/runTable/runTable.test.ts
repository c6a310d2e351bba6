import { describe, expect, it } from "vitest";
import { madeUpRun } from "../../../test/support/madeUp/run.ts";
import type { Confidence } from "../evaluation.ts";
import { parseRecipe } from "../plan.ts";
import { columnText } from "./columns.ts";
import type { TableRun } from "./rows.ts";
import {
  equalSentence,
  groupSentence,
  runTable,
  runTableCsv,
  runTableDocument,
  runTableMarkdown,
  warningOf,
} from "./runTable.ts";

const HASH = "a".repeat(64);
const CONFIDENCE: Confidence = {
  ...{ level: 0.95, resamples: 2_000, unit: "documents", tokens: [50], nll: [100] },
  intervals: { nll: [1, 2], perplexity: [3, 7], kl: [0.25, 0.28], nllAdded: [0, Math.log(2)] },
};

function run(id: string, changes: Partial<TableRun> = {}, name = id): TableRun {
  const made = madeUpRun();
  return { ...made, textHash: HASH, ...changes, summary: { ...made.summary, id, name } };
}

const titles = (runs: readonly TableRun[]): string[] => runTable(runs).columns.map(({ title }) => title);

describe("the table over several runs", () => {
  it("holds every variant of every run, and shows the columns that differ alone", () => {
    const table = runTable([run("one"), run("two")]);
    expect(table.rows).toHaveLength(48);
    expect(new Set(table.rows.map(({ key }) => key)).size).toBe(48);
    expect(titles([run("one"), run("two")])).toEqual([
      ...["Run", "Scheme", "Granularity", "Range", "Super weights", "Restored", "Bits/weight", "Whole file"],
      ...["Perplexity", "Δ perplexity", "KL", "KL 99%", "SQNR, dB", "Status"],
    ]);
  });

  it("says above what is equal everywhere, and nothing of what is nowhere", () => {
    const sentence = equalSentence(runTable([run("one"), run("two")]));
    expect(sentence).toMatch(
      /^Equal everywhere: Model .+ · From this computer · Measured 1 · Not quantized \*lm_head\*/,
    );
    expect(sentence).toContain("Device cpu");
    expect(sentence).not.toContain("Calibrated on");
    expect(equalSentence(runTable([]))).toBe("");
  });

  it("shows both ends of 95% intervals, where variants have them", () => {
    const made = madeUpRun();
    const [first] = made.results;
    if (!first || !made.baseline) throw new Error("the made-up run is empty");
    const sure = { ...first, confidence: CONFIDENCE };
    const { rows, columns } = runTable([
      run("one", { results: [sure], baseline: { ...made.baseline, perplexity: 8 } }),
    ]);
    const [row] = rows;
    const ends = columns.filter(({ title }) => title.includes("95%"));
    expect(ends.map((column) => [column.title, row && columnText(column, row)])).toEqual([
      ["Perplexity 95% from", "8.00"],
      ["Perplexity 95% to", "16.00"],
      ["KL 95% from", "0.2500"],
      ["KL 95% to", "0.2800"],
    ]);
  });

  it("shows every column of a single row", () => {
    const [first] = madeUpRun().results;
    const one = run("one", { results: first ? [first] : [] });
    expect(titles([one])).toContain("Model");
    expect(equalSentence(runTable([one]))).toBe("");
  });

  it("names two models of one name apart, and recipes that differ in overrides alone", () => {
    const [first] = madeUpRun().results;
    if (!first) throw new Error("The made-up run is empty.");
    const overrides = [{ match: "*.down_proj.weight", bits: 8 }];
    const recipe = parseRecipe({ scheme: "affine", bits: 4, granularity: "group:64", overrides });
    const other = { ...run("two", { results: [{ ...first, recipe }] }) };
    const shown = titles([
      run("one", { results: [first] }),
      { ...other, summary: { ...other.summary, fingerprint: "b".repeat(64) } },
    ]);
    expect(shown).toContain("Overrides");
  });
});

describe("figures of another text, judge or tokenizer", () => {
  const same = run("same");
  const otherText = run("text", { textHash: "b".repeat(64) });
  const unknownText = { ...run("unknown"), textHash: undefined } as unknown as TableRun;
  const { convention, baseline } = madeUpRun();
  const otherWindows = run("windows", { convention: convention && { ...convention, context: 99 } });
  const otherTokens = run("tokens", { baseline: baseline && { ...baseline, tokens: 1 } });

  it("never stand beside one another without being said", () => {
    expect(warningOf(runTable([same, run("again")]).groups)).toBe(null);
    for (const other of [otherText, unknownText, otherWindows, otherTokens]) {
      const table = runTable([same, other]);
      expect(table.groups).toHaveLength(2);
      expect(warningOf(table.groups)).toMatch(/measured in 2 ways \(1 and 2\)/);
      expect(table.columns.map(({ id }) => id)).toContain("measured");
      expect(runTableMarkdown(table)).toContain("measured in 2 ways");
    }
  });

  it("are told with the text, its hash and how it was cut", () => {
    const [group] = runTable([same]).groups;
    expect(group && groupSentence(group)).toMatch(/^1: .+ \(SHA-256 aaaaaaaa…\): .+ · 1 run, 24 variants$/);
  });

  it("kept before rows could be joined stand beside those that were joined as usual", () => {
    const older = { ...convention, join: undefined } as TableRun["convention"];
    const before = run("before", { convention: older });
    const after = run("after", { convention: convention && { ...convention, join: "rows" } });
    expect(runTable([before, after]).groups).toHaveLength(1);
  });

  it("of unscored runs count by their judge", () => {
    const waiting = (id: string, tokens: number): TableRun =>
      run(id, { convention: null, baseline: null, judge: { windows: "bos", tokens } });
    expect(runTable([waiting("a", 1), waiting("b", 1)]).groups).toHaveLength(1);
    expect(runTable([waiting("a", 1), waiting("b", 2)]).groups).toHaveLength(2);
  });
});

describe("the table written down", () => {
  it("as CSV holds every column unrounded, and no name that a spreadsheet would compute", () => {
    const lines = runTableCsv(runTable([run("one", {}, '=HYPERLINK("x")'), run("two")])).split("\r\n");
    expect(lines).toHaveLength(50);
    expect(lines[0]).toMatch(/^Run,Model,.*,Measured on,Run id,Recipe id$/);
    expect(lines[1]).toMatch(/^"'=HYPERLINK\(""x""\)",/);
    const [first] = madeUpRun().results;
    expect(lines[1]).toContain(String(first?.perplexity));
  });

  it("as Markdown has the shape of a table and nothing that breaks it", () => {
    const text = runTableMarkdown(runTable([run("one", {}, "a|b *c*"), run("two")]));
    const rows = text.split("\n").filter((line) => line.startsWith("|"));
    expect(rows).toHaveLength(50);
    expect(rows[2]).toContain("a\\|b \\*c\\*");
    expect(new Set(rows.map((row) => row.replaceAll("\\|", "").split("|").length)).size).toBe(1);
  });

  it("for programs has each row whole, with its measurement's number", () => {
    const document = runTableDocument(runTable([run("one"), run("two")])) as {
      measured: unknown[];
      rows: Record<string, unknown>[];
    };
    expect(document.measured).toHaveLength(1);
    expect(document.rows).toHaveLength(48);
    expect(document.rows[47]).toMatchObject({ run: "two", measured: 1, index: 23, status: "done" });
  });
});

/** Generous: a busy machine must pass. A window stays fluent with a tenth of it. */
const MOST_MS = 2_000;

it("of 5,000 rows from 50 runs is made at once", () => {
  const [first] = madeUpRun().results;
  if (!first) throw new Error("The made-up run is empty.");
  const results = Array.from({ length: 100 }, (_, i) => ({
    ...first,
    ...{ id: i.toString(16).padStart(64, "0"), index: i, perplexity: 2 + i / 1000 },
  }));
  const runs = Array.from({ length: 50 }, (_, i) => run(`run-${i}`, { results }));
  const started = performance.now();
  const table = runTable(runs);
  expect(table.rows).toHaveLength(5_000);
  expect(performance.now() - started).toBeLessThan(MOST_MS);
});
