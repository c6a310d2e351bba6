import { textsOf } from "#shared/notes.ts";
import { divergenceInterval } from "#shared/intervals.ts";
import { intervalSentence, tieClause } from "#shared/ranking.ts";
import type { RunDetail, RunSummary, VariantResult } from "#shared/run.ts";
import { count, duration, fixed, percent, perplexityDecimals } from "./numbers.ts";
import { conventionClause } from "./scores.ts";
import { textTable } from "./table.ts";

/** The results of a run as one JSON document: what `sweep` and `runs show` print. */
export function runDocument(detail: RunDetail): object {
  const { summary, ...rest } = detail;
  return { run: summary.id, ...summary, ...rest };
}

/** One finished variant in one line, for a terminal where rows arrive one by one. */
export function resultLine(result: VariantResult, done: number, total: number): string {
  const place = `${String(done).padStart(String(total).length)}/${total}`;
  if (result.status === "failed") return `${place}  ${result.label}: failed. ${result.error?.message ?? ""}`;
  const bits = fixed(result.bitsPerWeight, 3);
  return `${place}  ${result.label}: perplexity ${fixed(result.perplexity, 4, result.notFinite)}, KL ${fixed(result.kl?.mean, 4, result.notFinite)}, ${bits} bits`;
}

/**
 * The original first, then every variant: lowest KL first, then what is not scored. The marks: ★ lowest KL, ≈ no significant difference
 * from it, · no other beats both numbers.
 */
export function resultsTable({
  baseline,
  results,
  ranking,
  pareto,
}: Pick<RunDetail, "baseline" | "results" | "ranking" | "pareto">): string {
  const decimals = perplexityDecimals(
    baseline?.perplexity ?? null,
    results.map((result) => result.perplexity),
  );
  const rows = [...results].sort(byKl).map((result) => {
    const bad = result.notFinite === true;
    const place = result.id === ranking.best ? "★" : pareto.includes(result.id) ? "·" : "";
    const mark = ranking.tied.includes(result.id) ? `≈${place}` : place;
    const same = results.find(({ id }) => id === result.sameAs);
    const status =
      result.status === "done"
        ? same
          ? `same weights as ${same.label}`
          : ""
        : result.error
          ? `${result.status}: ${result.error.message}`
          : result.status;
    return [
      mark,
      result.label,
      fixed(result.bitsPerWeight, 3),
      fixed(result.perplexity, decimals, bad),
      fixed(result.kl?.mean, 4, bad),
      divergenceInterval(result),
      percent(result.kl?.topAgreement),
      fixed(result.sqnrDb, 1),
      status,
    ];
  });
  const original = baseline
    ? [
        [
          "",
          "original",
          "–",
          fixed(baseline.perplexity, decimals, baseline.notFinite),
          "–",
          "–",
          "–",
          "–",
          "",
        ],
      ]
    : [];
  return textTable(
    [
      { title: "" },
      { title: "recipe" },
      { title: "bits/weight", align: "right" },
      { title: "perplexity", align: "right" },
      { title: "KL", align: "right" },
      { title: "95%", align: "right" },
      { title: "top-1", align: "right" },
      { title: "SQNR dB", align: "right" },
      { title: "" },
    ],
    [...original, ...rows],
  );
}

function byKl(a: VariantResult, b: VariantResult): number {
  return klOf(a) - klOf(b) || a.index - b.index;
}

/** Rows without a KL come last: those that ran and failed before those that never ran. */
function klOf(result: VariantResult): number {
  return result.kl?.mean ?? (result.status === "done" ? Number.MAX_VALUE : Infinity);
}

/** A whole run for people: what it is, how far it came, its table, the best in a sentence. */
export function runText(detail: RunDetail): string {
  const { summary, results } = detail;
  const best = results.find((result) => result.id === detail.best);
  const same = results.filter(({ sameAs }) => sameAs !== undefined).length;
  const head = [
    `Run ${summary.id} (${summary.name}), ${summary.status}: ${summary.done} of ${summary.total} variants scored${summary.failed > 0 ? `, ${summary.failed} failed` : ""}.`,
    `${detail.convention ? conventionClause(detail.convention) : detail.text}; ${detail.workers} worker${detail.workers === 1 ? "" : "s"} × ${detail.threadsPerWorker} thread${detail.threadsPerWorker === 1 ? "" : "s"} on ${detail.device}, ${duration(detail.seconds)}.`,
    ...(same === 0
      ? []
      : [
          `${count(same)} of them ${same === 1 ? "makes" : "make"} the same weights as another and took its scores.`,
        ]),
    ...importedLine(summary),
    ...textsOf(detail.notes),
    ...(summary.note === "" ? [] : ["", summary.note]),
  ];
  const table = resultsTable(detail);
  return `${head.join("\n")}\n\n${table}${best ? footOf(detail, best) : ""}`;
}

/** What the ranking says, what the marks mean, and how intervals were made. */
function footOf({ ranking, results }: RunDetail, best: VariantResult): string {
  const labels = new Map(results.map(({ id, label }) => [id, label]));
  const others = results.filter(({ status }) => status === "done").length - 1;
  const tie = tieClause(ranking, others, (id) => labels.get(id) ?? id);
  const marks = [
    ...(ranking.tied.length > 0 ? ["≈ No significant difference in KL from ★."] : []),
    "· No other variant beats these in both bits per weight and KL.",
    ...(best.confidence ? [intervalSentence(best.confidence)] : []),
  ];
  return `\n★ ${best.label} has the lowest KL: ${fixed(best.kl?.mean, 4)} nats at ${fixed(best.bitsPerWeight, 2)} bits per weight${tie ? `; ${tie}` : ""}.\n${marks.join(" ")}\n`;
}

function importedLine({ imported, modelName }: RunSummary): string[] {
  if (imported === null) return [];
  return [
    `Imported ${imported.imported.slice(0, 10)}: scored elsewhere in ${modelName}, exported by Keystone ${imported.keystone}.`,
  ];
}

/** The list of runs, newest first as the store gives them. */
export function runsTable(runs: readonly RunSummary[]): string {
  return textTable(
    [
      { title: "run" },
      { title: "created (UTC)" },
      { title: "model" },
      { title: "name" },
      { title: "status" },
      { title: "scored", align: "right" },
      { title: "failed", align: "right" },
      { title: "of", align: "right" },
    ],
    runs.map((run) => [
      run.id,
      run.created.slice(0, 16).replace("T", " "),
      run.modelName,
      run.name,
      run.imported === null ? run.status : `${run.status}, imported`,
      count(run.done),
      count(run.failed),
      count(run.total),
    ]),
  );
}
