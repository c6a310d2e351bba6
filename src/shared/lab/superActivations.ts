import { z } from "zod";
import { common, prompts } from "./asked.ts";
import { layerAxis } from "../figures/template.ts";
import { activation } from "../format.ts";
import { liveNumber, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { promptOptions } from "./options.ts";
import { superActivationFigures, superActivationsReport } from "./reports/superActivationsReport.ts";

const request = z.strictObject({
  experiment: z.literal("super-activations"),
  ...common,
  /** Empty = the detection prompt and the beginnings of the text's first documents. */
  prompts,
  promptCount: z.number().int().min(1).max(512).default(8),
});
type Request = z.output<typeof request>;
type Report = z.output<typeof superActivationsReport>;

type State = Report["states"][number]["name"];

export const superActivations = {
  name: "super-activations",
  request,
  report: superActivationsReport,
  title: "Super activations",
  paper: "Figures 3 and 4",
  question: "Does the massive activation stay in one channel and position, through all layers and prompts?",
  grain: "all found weights together; each activation in its own row",
  paperSays: [
    "In the paper (Llama-7B) the value is about 1,360 from layer 3 to layer 29, 1,336 behind layer 30 and 145 behind layer 31; about 324 without the super weight, about 976 without the other outliers.",
  ],
  uses: { tasks: false, windows: false, calibration: false },
  options: promptOptions(512, "the detection prompt and the beginnings of the text's documents"),
  card: { place: 3 },
  figures: superActivationFigures,
  livePoints: layerLines,
  originalTasks: () => [],
  scoredTokens: () => null,
  compare: {
    begins: "The largest value of the residual stream is",
    value: (found) =>
      activation(
        Math.max(
          0,
          ...peaksOf(found, "original")
            .flat()
            .map(({ value }) => Math.abs(value ?? 0)),
        ),
      ),
    charts: (reports) => {
      const layers = Math.max(1, ...reports.map((found) => found.layers));
      return (["original", "without super weights"] as const).map((state) => ({
        kind: "lines",
        id: `compare-super-activations-${state === "original" ? "original" : "without"}`,
        title: `Largest value of the residual stream, ${state}`,
        caption: "Median over the prompts, behind each layer.",
        xLabel: "layer",
        x: layerAxis(layers),
        yLabel: "largest |residual stream|",
        first: "Layer",
        columns: ["Value"],
        points: reports.flatMap((found, of) => pointsOf(found, of, state)),
      }));
    },
  },
} as const satisfies Experiment<Request, Report>;

/** Of each layer that is done, the largest |value| over prompts in every state. */
function layerLines({ states }: Report): string[] {
  const done = Math.min(...states.map(({ peaks }) => peaks[0]?.length ?? 0));
  return Array.from({ length: done }, (_, layer) => {
    const largest = states.map(({ name, peaks }) => {
      const values = peaks.map((prompt) => Math.abs(prompt[layer]?.value ?? NaN));
      const most = Math.max(...values);
      return `${name} ${liveNumber(Number.isFinite(most) ? most : null, true, 1)}`;
    });
    return `layer ${layer}, largest value: ${largest.join(", ")}`;
  });
}

function peaksOf({ states }: Report, state: State): Report["states"][number]["peaks"] {
  return states.find(({ name }) => name === state)?.peaks ?? [];
}

function pointsOf(found: Report, of: number, state: State): ComparePoint[] {
  const peaks = peaksOf(found, state);
  return Array.from({ length: found.layers }, (_, layer) => {
    const value = median(peaks.flatMap((prompt) => magnitude(prompt[layer]?.value)));
    return { of, row: String(layer), x: layer, value: value === 0 ? null : value, cells: [value] };
  });
}

function magnitude(value: number | null | undefined): number[] {
  return value === null || value === undefined ? [] : [Math.abs(value)];
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1] ?? 0, sorted[middle] ?? 0];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
