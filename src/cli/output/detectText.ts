import { textsOf } from "#shared/notes.ts";
import { coordinateOf } from "#shared/recipe.ts";
import type { Candidate, Change, DetectReport } from "#shared/detection.ts";
import type { ScanReport } from "#shared/scan.ts";
import {
  carrierWords,
  coordinateWords,
  gainWords,
  pairSentence,
  publishedMeasure,
  publishedPlace,
  VERDICT_WORDS,
} from "#shared/figures/detectionWords.ts";
import { expertsSentence, measuredEffect, protectionWords } from "#shared/figures/superExperts.ts";
import { sentence } from "#shared/format.ts";
import { duration, fixed, memorySize, percent, place } from "./numbers.ts";
import { textTable } from "./table.ts";

/** Layers of a scan that are shown. */
const SHOWN_LAYERS = 8;

/** A detection for people: the finding, what matters, what is merely large, how it was measured, the layers. */
export function detectText(report: DetectReport): string {
  return [
    `${report.finding.text}\n${measuredOn(report)}`,
    weights("What the model cannot live without", report.superWeights),
    carriers(report.superWeights),
    pairs(report),
    weights("Large, but not needed", report.candidates),
    experts(report),
    publishedTable(report),
    report.open.map((question) => `Left open: ${question}\n`).join(""),
    layersTable(report),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function measuredOn({
  judged,
  others,
  passes,
  device,
  seconds,
  peakRssBytes,
  ...report
}: DetectReport): string {
  const effects = judged
    ? `Effects on ${judged.text}, ${judged.tokens} tokens: a super weight costs a KL of at least ${fixed(judged.thresholdKl, 4)}; the largest of ${others.length} other weights costs ${fixed(judged.null.kl, 6, true)}.\n`
    : "";
  return `${effects}${passes.length} pass${passes.length === 1 ? "" : "es"} of the prompt on ${device} in ${duration(seconds)}, peak memory ${memorySize(peakRssBytes)}; an output stands out from ${fixed(report.thresholdOutput, 1)} on (median layer maximum ${fixed(report.medianOutput, 1)}).\n`;
}

function weights(title: string, found: readonly Candidate[]): string {
  if (found.length === 0) return "";
  const table = textTable(
    [
      { title: "layer", align: "right" },
      { title: "[row, column]" },
      { title: "verdict" },
      { title: "KL without it", align: "right" },
      { title: "NLL", align: "right" },
      { title: "half", align: "right" },
      { title: "column", align: "right" },
      { title: "row", align: "right" },
      { title: "output", align: "right" },
      { title: "× median", align: "right" },
      { title: "share", align: "right" },
      { title: "rank", align: "right" },
      { title: "published" },
    ],
    found.map((w) => [
      String(w.layer),
      place(w.row, w.column, w.expert),
      `${VERDICT_WORDS[w.verdict]}${w.after.length > 0 ? " (seen later)" : ""}`,
      kl(w.effect),
      w.effect ? signed(w.effect.nllChange) : "–",
      kl(w.effect?.half),
      kl(w.effect?.column),
      kl(w.effect?.row),
      fixed(w.outputActivation, 1),
      fixed(w.timesMedian, 1),
      percent(w.share),
      String(w.rank),
      w.published ?? "–",
    ]),
  );
  return `${title}:\n${table}`;
}

function kl(change: Change | null | undefined): string {
  return change ? fixed(change.kl, 4, true) : "–";
}

function signed(value: number | null): string {
  return value === null ? fixed(value, 4, true) : `${value < 0 ? "−" : "+"}${fixed(Math.abs(value), 4)}`;
}

/** Which token carries each super activation, with BOS and without. */
function carriers(found: readonly Candidate[]): string {
  return found
    .map((w) => {
      const gain = gainWords(w);
      const said = [...w.carriers.map(carrierWords), ...(gain === null ? [] : [gain])];
      return `${sentence(coordinateWords(coordinateOf(w)))}: ${said.join("; ")}.\n`;
    })
    .join("");
}

function pairs({ pairs: all }: DetectReport): string {
  return all
    .filter(({ kind }) => kind !== "independent")
    .map((pair) => {
      const names = [pair.first, pair.second].map(coordinateWords).join(" and ");
      return `${sentence(names)}: ${pairSentence(pair)}\n`;
    })
    .join("");
}

function experts({ experts: seen }: DetectReport): string {
  if (seen === null) return "";
  const table = textTable(
    [
      { title: "layer", align: "right" },
      { title: "expert", align: "right" },
      { title: "largest output", align: "right" },
      { title: "× median expert", align: "right" },
      { title: "tokens", align: "right" },
      { title: "KL without it", align: "right" },
    ],
    seen.superExperts.map((it) => [
      ...[String(it.layer), String(it.expert), fixed(it.output.value, 1), fixed(it.timesMedian, 1)],
      ...[String(it.tokens), kl(measuredEffect(it))],
    ]),
  );
  const protection = protectionWords(seen);
  return `${expertsSentence(seen)}\n${protection === null ? "" : `${table}${protection}\n`}`;
}

function publishedTable({ publishedResults }: DetectReport): string {
  if (publishedResults.length === 0) return "";
  const table = textTable(
    [{ title: "source" }, { title: "place" }, { title: "measured there" }, { title: "note" }],
    publishedResults.map((result) => [
      result.source,
      publishedPlace(result),
      publishedMeasure(result),
      result.note ?? "–",
    ]),
  );
  return `Published about this model, each at its own grain and in its own unit:\n${table}`;
}

function layersTable(report: DetectReport): string {
  return textTable(
    [
      { title: "layer", align: "right" },
      { title: "largest input", align: "right" },
      { title: "largest output", align: "right" },
      { title: "largest residual", align: "right" },
    ],
    report.layers.map((l) => [
      String(l.layer),
      fixed(l.input.value, 1),
      fixed(l.output.value, 1),
      fixed(l.residual.value, 1),
    ]),
  );
}

/** A scan for people: the strongest layers, and what the scan is not. */
export function scanText({ layers, notes, seconds }: ScanReport): string {
  const table = textTable(
    [
      { title: "layer", align: "right" },
      { title: "[row, column]" },
      { title: "value", align: "right" },
      { title: "× median row", align: "right" },
      { title: "share of the row", align: "right" },
      { title: "published" },
    ],
    layers
      .slice(0, SHOWN_LAYERS)
      .map((it) => [
        String(it.layer),
        place(it.row, it.column, it.expert),
        fixed(it.value, 4),
        fixed(it.timesMedian, 1),
        percent(it.share),
        it.published ?? "–",
      ]),
  );
  return `${textsOf(notes).join("\n")}\nScanned in ${duration(seconds)}; the strongest of ${layers.length} layers:\n${table}`;
}
