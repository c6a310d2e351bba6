import type { Cell, FigureColumn } from "../figures/table.ts";
import { cellText, scoreCell } from "../figures/table.ts";
import type { Interval } from "../bootstrap.ts";
import { perplexityBesideOriginal } from "../intervals.ts";
import { canonicalJson } from "../canonicalJson.ts";
import { parseGranularity, type Recipe } from "../recipe.ts";
import { activationsLabel, granularityLabel, rangeLabel, schemeLabel, restoreLabel } from "../recipeText.ts";
import type { TableRow } from "./rows.ts";

/** A column of the table over several runs. */
export interface TableColumn extends FigureColumn {
  readonly id: string;
  /** Longer words. */
  readonly about?: string;
  /** A setting says what was done, a figure what came of it. */
  readonly kind: "setting" | "figure";
  /** Unrounded; null = there is none. */
  readonly value: (row: TableRow) => Cell;
  /** What to sort by, where that is not the value: blocks by their size, not by their words. */
  readonly order?: (row: TableRow) => number | string | null;
}

/** The cell as it is read. */
export function columnText(column: TableColumn, row: TableRow): string {
  return cellText(column.value(row), column);
}

/** Every column, settings first. @param decimals of perplexities, as many as tell them apart */
export function tableColumns(decimals: number): readonly TableColumn[] {
  return [...SETTINGS, ...figures(decimals)];
}

const setting = (id: string, title: string, value: TableColumn["value"]): TableColumn => ({
  ...{ id, title, value, kind: "setting", format: "text" },
});

const SETTINGS: readonly TableColumn[] = [
  setting("run", "Run", ({ run }) => run.name),
  setting("model", "Model", ({ run }) => run.modelName),
  {
    ...setting("fingerprint", "Fingerprint", ({ run }) => run.fingerprint?.slice(0, 8) ?? null),
    about: "Of the checkpoint: two with the same name may differ",
  },
  setting("origin", "From", ({ run }) => (run.imported === null ? "this computer" : "imported")),
  {
    ...setting("measured", "Measured", ({ measured }) => measured),
    format: "count",
    about: "Figures are comparable only where this number is the same",
  },
  setting("format", "Scheme", ({ result }) => schemeLabel(result.recipe)),
  {
    ...setting("granularity", "Granularity", ({ result }) => granularityLabel(result.recipe.granularity)),
    order: blockSize,
  },
  setting("range", "Range", ({ result }) => rangeLabel(result.recipe.range) || "off"),
  setting("arm", "Super weights", ({ result }) => restoreLabel(result.recipe) || "not restored"),
  {
    ...setting("restored", "Restored", ({ result }) => restoredText(result.recipe)),
    about: "Which weights are put back",
  },
  setting("ignore", "Not quantized", ({ result }) => result.recipe.ignore.join(", ") || "nothing"),
  setting("overrides", "Overrides", ({ result }) => overridesText(result.recipe)),
  setting("activations", "Activations", ({ result: { recipe } }) =>
    recipe.activations ? activationsLabel(recipe.activations) : "not quantized",
  ),
  setting("calibration", "Calibrated on", ({ calibration }) => calibration),
  setting("device", "Device", ({ device }) => device || null),
];

function figures(decimals: number): readonly TableColumn[] {
  const figure = (
    id: string,
    title: string,
    format: TableColumn["format"],
    value: TableColumn["value"],
    about = title,
  ): TableColumn => ({ id, title, format, value, about, kind: "figure" });
  return [
    figure("bits", "Bits/weight", "bits", ({ result }) => result.bitsPerWeight, "Scales counted"),
    figure(
      "file",
      "Whole file",
      "bits",
      ({ result }) => result.fileBitsPerWeight,
      "Bits per weight of the file",
    ),
    {
      ...figure("perplexity", "Perplexity", "perplexity", ({ result }) =>
        scoreCell(result.perplexity, result.notFinite),
      ),
      decimals,
    },
    ...ends(
      "perplexity",
      "Perplexity",
      "Perplexity: 95% interval of what the variant adds to the original",
      ({ result, baseline }) => perplexityBesideOriginal(result, baseline?.perplexity ?? null),
      decimals,
    ),
    {
      ...figure("delta", "Δ perplexity", "perplexity", added, "Perplexity added to the original's"),
      decimals,
    },
    figure(
      "kl",
      "KL",
      "divergence",
      ({ result }) => scoreCell(result.kl?.mean, result.notFinite),
      "Mean KL divergence from the original, nats per token",
    ),
    ...ends("kl", "KL", "Mean KL divergence: 95% interval", ({ result }) => result.confidence?.intervals.kl),
    figure(
      "kl99",
      "KL 99%",
      "divergence",
      ({ result }) => result.kl?.p99 ?? null,
      "99th percentile over tokens",
    ),
    figure("agreement", "Top-1 agreement", "percent", ({ result }) => result.kl?.topAgreement ?? null),
    {
      ...figure("sqnr", "SQNR, dB", "number", ({ result }) => result.sqnrDb),
      decimals: 1,
      about: "Signal-to-quantization-noise ratio over the quantized weights",
    },
    figure("tokens", "Tokens", "count", ({ result }) => result.tokens, "Scored tokens"),
    { ...figure("time", "Seconds", "number", ({ result }) => result.seconds), decimals: 1 },
    figure("status", "Status", "text", ({ result }) => result.status),
  ];
}

/** Both ends of a figure's 95% interval, each a column. */
function ends(
  id: string,
  title: string,
  about: string,
  interval: (row: TableRow) => Interval | null | undefined,
  decimals?: number,
): TableColumn[] {
  return (["from", "to"] as const).map((end, place) => ({
    ...{ id: `${id}-${end}`, title: `${title} 95% ${end}`, about: `${about}, ${end}`, kind: "figure" },
    ...(decimals === undefined ? { format: "divergence" } : { format: "perplexity", decimals }),
    value: (row) => interval(row)?.[place] ?? null,
  }));
}

function added({ result, baseline }: TableRow): number | null {
  const original = baseline?.perplexity ?? null;
  return result.perplexity === null || original === null ? null : result.perplexity - original;
}

function restoredText({ restore }: Recipe): string {
  if (typeof restore === "string") return restore === "none" ? "none" : "super weights";
  if (!Array.isArray(restore)) return `largest ${restore.largest}`;
  return restore.map((place) => `[${place.join(", ")}]`).join(" ") || "none";
}

function overridesText({ overrides }: Recipe): string {
  return overrides.length === 0 ? "none" : canonicalJson(overrides);
}

/** By the weights that share a scale; per channel before per tensor, after every size. */
function blockSize({ result }: TableRow): number {
  const granularity = parseGranularity(result.recipe.granularity);
  if (granularity.kind === "tile") return granularity.rows * granularity.columns;
  if ("size" in granularity) return granularity.size;
  return granularity.kind === "channel" ? 1e13 : 1e14;
}
