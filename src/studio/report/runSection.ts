import { textsOf } from "#shared/notes.ts";
import { bits, count, decimalsThatSeparate, divergence, duration, plural } from "#shared/format.ts";
import { runFigures, type FigureTable, type Palette } from "#shared/figures/index.ts";
import { perplexityText, scoreCell, separatingDecimals, type Cell } from "#shared/figures/table.ts";
import { divergenceInterval, perplexityInterval } from "#shared/intervals.ts";
import { intervalSentence, tieClause } from "#shared/ranking.ts";
import { modelWord, repeatSweep, repeatText } from "#shared/repeat/repeat.ts";
import { leftOutSentence } from "#shared/runArchive.ts";
import type { RunDetail, RunSummary, VariantResult } from "#shared/run.ts";
import type { Block, RowMark, Section } from "./document.ts";

/** Characters of a recipe's id in tables: enough to tell recipes apart; the data holds all 64. */
const ID_LENGTH = 12;

/** A sweep: its best, its table, its figures, and the plan to run it again. */
export function runSection(run: RunDetail, index: number, palette: Palette): Section {
  const sorted = [...run.results].sort(byKl);
  const best = run.results.find(({ id }) => id === run.best);
  const blocks: Block[] = [
    ...noteBlocks(run.summary),
    { kind: "facts", facts: runFacts(run) },
    ...(run.notes.length > 0 ? [{ kind: "list", items: textsOf(run.notes) } as const] : []),
    // The table of all variants below holds what the first chart plots.
    ...runFigures(run, palette).map((figure, i): Block => ({ kind: "figure", figure, values: i > 0 })),
    { kind: "heading", text: "Variants" },
    {
      kind: "text",
      text: rankedText(run),
    },
    {
      kind: "table",
      label: `Variants of ${run.summary.name}`,
      table: variantTable(run, sorted),
      marks: [...(run.baseline ? [null] : []), ...sorted.map((result) => markOf(run, result))],
    },
    ...failures(sorted),
    ...(best ? bestRecipe(run, best) : []),
    { kind: "code", label: "Run this sweep again", text: repeatText(repeatSweep(run)) },
  ];
  return {
    id: `run-${index + 1}`,
    label: `Sweep · ${run.summary.name}`,
    finding: findingOf(run, best),
    blocks,
  };
}

/** By what the table is sorted, what its marks say, and how intervals were made. */
function rankedText({ results }: RunDetail): string {
  const marks =
    "Lowest KL divergence first. ★ = lowest KL, ties to fewer bits; ≈ = no significant difference in KL from it; · = no other variant beats it in both bits per weight and KL.";
  const sure = results.find(({ confidence }) => confidence)?.confidence;
  return sure ? `${marks} ${intervalSentence(sure)}` : marks;
}

function findingOf(run: RunDetail, best: VariantResult | undefined): string {
  const { summary, baseline } = run;
  if (!best) return `No variant of ${count(summary.total)} has been scored`;
  const labels = new Map(run.results.map(({ id, label }) => [id, label]));
  const tie = tieClause(run.ranking, summary.done - 1, (id) => labels.get(id) ?? id);
  const decimals = decimalsThatSeparate(best.perplexity, baseline?.perplexity ?? null);
  const original = baseline ? `, the original has ${perplexityText(baseline.perplexity, decimals)}` : "";
  return `${best.label} has the lowest KL, ${divergence(best.kl?.mean)} nats at ${bits(best.bitsPerWeight, "prose")} bits per weight${tie ? ` (${tie})` : ""}; perplexity ${perplexityText(best.perplexity, decimals)}${original}`;
}

/** What the person wrote, a paragraph each. */
function noteBlocks({ note }: RunSummary): Block[] {
  return note
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "")
    .map((text) => ({ kind: "text", text }));
}

function importedFact({ imported }: RunSummary): [string, string][] {
  if (imported === null) return [];
  const day = (iso: string): string => iso.slice(0, 10);
  return [
    [
      "Imported",
      [
        `${day(imported.imported)}, exported ${day(imported.exported)} by Keystone ${imported.keystone}`,
        leftOutSentence(imported.detailsLeftOut),
      ]
        .filter((part) => part !== "")
        .join(". "),
    ],
  ];
}

function runFacts(run: RunDetail): [string, string][] {
  const { summary, baseline, convention } = run;
  return [
    ["Run", summary.id],
    ["Model", summary.model === "" ? summary.modelName : `${summary.modelName} (${summary.model})`],
    ...importedFact(summary),
    [
      "Scored",
      `${count(summary.done)} of ${plural(summary.total, "variant")}${summary.failed > 0 ? `, ${count(summary.failed)} failed` : ""}; ${summary.status}`,
    ],
    ["Text", run.text],
    ...(run.calibration === null ? [] : [["Calibration text", run.calibration] as [string, string]]),
    ["Evaluated on", convention?.text ?? "not scored yet"],
    [
      "Original",
      baseline
        ? `perplexity ${perplexityText(baseline.perplexity, 4)} over ${count(baseline.tokens)} tokens`
        : "not scored yet",
    ],
    ["Started", `${summary.created.slice(0, 16).replace("T", " ")} UTC, ${duration(run.seconds)}`],
    [
      "Computed by",
      `${plural(run.workers, "worker")} × ${plural(run.threadsPerWorker, "thread")} on ${run.device}`,
    ],
  ];
}

function variantTable(run: RunDetail, sorted: readonly VariantResult[]): FigureTable {
  const decimals = separatingDecimals([
    run.baseline?.perplexity,
    ...run.results.map(({ perplexity }) => perplexity),
  ]);
  return {
    columns: [
      { title: "", format: "text" },
      { title: "Variant", format: "text" },
      { title: "Bits/weight", format: "bits" },
      { title: "Whole file", format: "bits" },
      { title: "Perplexity", format: "perplexity", decimals },
      { title: "95% interval", format: "text" },
      { title: "KL, nats", format: "divergence" },
      { title: "95% interval", format: "text" },
      { title: "Top-1 agreement", format: "percent" },
      { title: "SQNR, dB", format: "number", decimals: 1 },
      { title: "Recipe", format: "text" },
    ],
    rows: [
      ...(run.baseline ? [originalRow(run)] : []),
      ...sorted.map((result): Cell[] => [
        signOf(run, result),
        labelOf(run, result),
        result.bitsPerWeight,
        result.fileBitsPerWeight,
        scoreCell(result.perplexity, result.notFinite),
        perplexityInterval(result, run.baseline?.perplexity ?? null, decimals),
        scoreCell(result.kl?.mean, result.notFinite),
        divergenceInterval(result),
        result.kl?.topAgreement ?? null,
        result.sqnrDb,
        result.id.slice(0, ID_LENGTH),
      ]),
    ],
  };
}

/** A variant with what became of it, where it was not scored by itself. */
function labelOf(run: RunDetail, { label, status, sameAs }: VariantResult): string {
  if (status !== "done") return `${label} (${status})`;
  const same = run.results.find(({ id }) => id === sameAs);
  return same ? `${label} (same weights as ${same.label})` : label;
}

function originalRow({ baseline }: RunDetail): Cell[] {
  return [
    "",
    "original",
    null,
    null,
    scoreCell(baseline?.perplexity, baseline?.notFinite),
    null,
    null,
    null,
    null,
    null,
    null,
  ];
}

function signOf(run: RunDetail, result: VariantResult): string {
  const place = { best: "★", front: "·", failed: "" }[markOf(run, result) ?? "failed"];
  return run.ranking.tied.includes(result.id) ? `≈${place}` : place;
}

function markOf(run: RunDetail, result: VariantResult): RowMark | null {
  if (result.status === "failed") return "failed";
  if (result.id === run.best) return "best";
  return run.pareto.includes(result.id) ? "front" : null;
}

function failures(sorted: readonly VariantResult[]): Block[] {
  const failed = sorted.filter(({ status }) => status === "failed");
  if (failed.length === 0) return [];
  return [
    {
      kind: "list",
      items: failed.map(
        ({ label, error }) =>
          `${label} failed: ${error ? `${error.message} ${error.next}` : "no reason is on record."}`,
      ),
    },
  ];
}

function bestRecipe({ summary, text }: RunDetail, best: VariantResult): Block[] {
  const recipe = JSON.stringify(best.recipe, null, 2);
  const repeat = {
    files: [{ name: "best.json", content: recipe }],
    argv: [
      ...["keystone", "export", modelWord(summary), "--recipe", "best.json", "--out", "exported"],
      ...["--verify", "--text", text],
    ],
  };
  return [{ kind: "code", label: `Export the best variant (recipe ${best.id})`, text: repeatText(repeat) }];
}

function byKl(a: VariantResult, b: VariantResult): number {
  const klOf = (result: VariantResult): number =>
    result.kl?.mean ?? (result.status === "done" ? Number.MAX_VALUE : Infinity);
  const [left, right] = [klOf(a), klOf(b)];
  return left === right ? a.index - b.index : left - right;
}
