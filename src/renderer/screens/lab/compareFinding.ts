import { activation, factor, list, number } from "#shared/format.ts";
import { EXPERIMENTS, type LabReport } from "#shared/lab.ts";
import type { Compared } from "./compared.ts";
import { ratio } from "./compareMeasures.ts";

/** What a comparison shows, in one sentence with a number for each of the models. */
export function compareFinding(compared: readonly Compared[]): string {
  const experiment = compared[0]?.report.experiment;
  if (experiment === undefined) return "";
  const said = compared.map(({ name, report }) => `${valueOf(report)} in ${name}`);
  return `${BEGINNINGS[experiment]} ${list(said)}`;
}

const BEGINNINGS: Readonly<Record<keyof typeof EXPERIMENTS, string>> = {
  importance: "Without its super weights perplexity goes",
  sensitivity: "Perplexity is lowest with super weights at",
  "super-activations": "The largest value of the residual stream is",
  "token-probabilities": "Without super weights, stop words become likelier:",
  "block-scaling": "The largest block, clipped and restored, costs perplexity",
  activations: "Naive 8-bit activations cost perplexity",
  "threshold-search": "The recipe that was found costs perplexity",
};

function valueOf(report: LabReport): string {
  switch (report.experiment) {
    case "importance": {
      const [original, pruned] = report.rows;
      return times(ratio(pruned?.perplexity, original?.perplexity));
    }
    case "sensitivity":
      return bestFactor(report.points);
    case "super-activations": {
      const peaks = report.states.find(({ name }) => name === "original")?.peaks.flat() ?? [];
      return activation(Math.max(0, ...peaks.map(({ value }) => Math.abs(value ?? 0))));
    }
    case "token-probabilities":
      return times(ratio(report.stopWords.pruned, report.stopWords.original));
    case "block-scaling": {
      const bits = Math.min(...report.cells.map((cell) => cell.bits));
      const last = report.cells.findLast((cell) => cell.bits === bits && cell.arm === "clip-restore");
      return times(ratio(last?.scores.perplexity, report.original?.perplexity));
    }
    case "activations": {
      const original = report.rows.find(({ method }) => method === "none");
      const naive = report.rows.find(({ method }) => method === "naive");
      return times(ratio(naive?.scores.perplexity, original?.scores.perplexity));
    }
    case "threshold-search":
      return times(ratio(report.result?.test.perplexity, report.result?.original.perplexity));
  }
}

function bestFactor(points: readonly { factor: number; perplexity: number | null }[]): string {
  const scored = points.filter((point) => point.perplexity !== null);
  if (scored.length === 0) return "no factor";
  const best = scored.reduce((a, b) => ((b.perplexity ?? 0) < (a.perplexity ?? 0) ? b : a));
  return `× ${number(best.factor, 2)}`;
}

/** `× 6.4 M`; near 1 with the decimals that show a difference. */
function times(value: number | null): string {
  if (value !== null && value > 0.99 && value < 1.1) return `× ${number(value, 4)}`;
  return value === null ? "an unknown factor" : factor(value);
}
