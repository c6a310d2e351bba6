import type { Candidate, Change, DetectReport, ScanReport } from "#shared/detection.ts";
import { duration, fixed, memorySize, percent, place } from "./numbers.ts";
import { textTable } from "./table.ts";

/** Layers of a scan that are shown. */
const SHOWN_LAYERS = 8;

const VERDICTS: Readonly<Record<Candidate["verdict"], string>> = {
  super: "super",
  together: "together",
  "spike-without-effect": "no effect",
  cancelling: "cancelling",
  none: "not one weight",
  unmeasured: "not measured",
};

/** A detection for people: the finding, what matters, what is merely large, how it was measured, the layers. */
export function detectText(report: DetectReport): string {
  return [
    `${report.finding}\n${measuredOn(report)}`,
    weights("What the model cannot live without", report.superWeights),
    carriers(report.superWeights),
    pairs(report),
    weights("Merely large", report.candidates),
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
      place(w.row, w.column),
      `${VERDICTS[w.verdict]}${w.after.length > 0 ? " (seen later)" : ""}`,
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
      const where = w.carriers.map(
        ({ bos, token, text, output }) =>
          `${bos ? "with" : "without"} BOS ${fixed(output, 1)} at token ${token} (${JSON.stringify(text)})`,
      );
      const gain = w.normGain
        ? `; norm gain of the channel ${fixed(w.normGain.value, 3)}, median ${fixed(w.normGain.median, 3)}`
        : "";
      return `Layer ${w.layer} ${place(w.row, w.column)}: ${where.join(", ")}${gain}.\n`;
    })
    .join("");
}

function pairs({ pairs: all }: DetectReport): string {
  return all
    .filter(({ kind }) => kind !== "independent")
    .map(({ first, second, both, alone, kind }) => {
      const names = [first, second].map(([layer, row, column]) => `layer ${layer} ${place(row, column)}`);
      const effects = `KL ${fixed(both.kl, 4, true)} without both, ${fixed(alone[0], 4, true)} and ${fixed(alone[1], 4, true)} alone`;
      return `${names.join(" and ")} ${kind === "masks" ? "hide each other's effect" : "stand in for each other"}: ${effects}.\n`;
    })
    .join("");
}

function publishedTable({ publishedResults }: DetectReport): string {
  if (publishedResults.length === 0) return "";
  const table = textTable(
    [
      { title: "source" },
      { title: "grain" },
      { title: "place" },
      { title: "measure" },
      { title: "value", align: "right" },
    ],
    publishedResults.map(({ source, grain, layer, row, column, measure, value, note }) => [
      source,
      grain,
      layer === null
        ? "–"
        : `layer ${layer}${row === null ? "" : `, row ${row}`}${column === null ? "" : `, column ${column}`}`,
      [measure ?? "place only", note].filter((part) => part !== null).join("; "),
      value === null ? "–" : fixed(value, 1),
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
        place(it.row, it.column),
        fixed(it.value, 4),
        fixed(it.timesMedian, 1),
        percent(it.share),
        it.published ?? "–",
      ]),
  );
  return `${notes.join("\n")}\nScanned in ${duration(seconds)}; the strongest of ${layers.length} layers:\n${table}`;
}
