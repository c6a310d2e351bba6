import { z } from "zod";
import { finiteOrNull } from "../../numbers.ts";
import { coordinate } from "../../recipe.ts";
import { facts } from "./facts.ts";
import { activation, number, percent, plural } from "../../format.ts";
import { magnitudeScale, percentScale } from "../../figures/axes.ts";
import { coordinateWords } from "../../figures/detectionWords.ts";
import type { Figure, FigureLayout } from "../../figures/figure.ts";
import { linePlot, type Series } from "../../figures/linePlot.ts";
import type { Role } from "../../figures/marks.ts";
import type { Palette } from "../../figures/palette.ts";
import { layerAxis } from "../../figures/template.ts";

/** Largest |value| of the residual stream behind one layer, with its sign and place. */
export const residualPeak = z.object({
  value: finiteOrNull,
  token: z.number().int(),
  channel: z.number().int(),
});

/** Figures 3 and 4. */
export const superActivationsReport = z.object({
  experiment: z.literal("super-activations"),
  ...facts,
  layers: z.number().int(),
  prompts: z.array(z.object({ text: z.string(), tokens: z.number().int() })),
  states: z.array(
    z.object({
      name: z.enum(["original", "without super weights", "without other outliers"]),
      /** [prompt][layer]. */
      peaks: z.array(z.array(residualPeak)),
    }),
  ),
  /** One per super weight: how its channel behaves over layers and prompts in the original. */
  persistence: z.array(
    z.object({
      superWeight: coordinate,
      /**
       * Per layer: share of prompts whose largest value lies in the super weight's row (other super weights' rows left out), and
       * share that also has it at the commonest token position.
       */
      layers: z.array(
        z.object({
          layer: z.number().int(),
          sameChannel: z.number(),
          sameToken: z.number(),
          /** Median over prompts of |value| in that channel at its largest position. */
          magnitude: finiteOrNull,
          /** What is left there, at the original's position, without the super weights. */
          withoutSuperWeights: finiteOrNull,
        }),
      ),
      /** First and last layer that carry it in every prompt; null = in none. */
      from: z.number().int().nullable(),
      to: z.number().int().nullable(),
      /** The token that holds it in every prompt in all of these layers; null where prompts differ. */
      token: z.number().int().nullable(),
    }),
  ),
});

type Report = z.output<typeof superActivationsReport>;

type State = Report["states"][number];
type Persistence = Report["persistence"][number];

const HEIGHT = 260;
/** Above this many layers a line has no dot at each. */
const DOTS_UP_TO = 48;
const ROLES: Readonly<Record<State["name"], { role: Role; name: string }>> = {
  original: { role: "original", name: "original" },
  "without super weights": { role: "removed", name: "without super weights" },
  "without other outliers": { role: "quantized", name: "without other outliers" },
};

/** Figures 3 and 4 of the paper: the massive value in the residual stream, over layers and prompts. */
export function superActivationFigures(report: Report, palette: Palette): Figure[] {
  return [
    peaksFigure(report, palette),
    ...report.persistence.flatMap((one) => [
      magnitudeFigure(report, one, palette),
      sharesFigure(report, one, palette),
    ]),
  ];
}

function peaksFigure(report: Report, palette: Palette): Figure {
  const lines = report.states.map((state) => ({ state, values: medians(state, report.layers) }));
  const spreads = lines.map(({ state }) => extremes(state, report.layers));
  const plot = linePlot(
    {
      series: lines.map(({ state, values }): Series => ({
        ...ROLES[state.name],
        dots: report.layers <= DOTS_UP_TO,
        points: values.map((y, layer) => ({
          x: layer,
          y: y === 0 ? null : y,
          words: `layer ${layer}, ${state.name}: ${activation(y)}`,
        })),
      })),
      y: magnitudeScale(lines.flatMap(({ values }) => values.filter((value) => value !== 0))),
      yLabel: "largest |residual stream|",
      x: lineAxis(report.layers),
      xLabel: "layer",
      height: HEIGHT,
    },
    palette,
  );
  const middle = Math.floor(report.layers / 2);
  return {
    id: "super-activations-peaks",
    title: "Largest value of the residual stream behind each layer",
    caption: `Figure 4 of the paper: the value appears behind the super weight's layer and stays until the last ones; without the super weight the paper's Llama-7B loses about 75% of it. Median of ${plural(report.prompts.length, "prompt")}.`,
    summary: `Behind layer ${middle}: ${lines.map(({ state, values }) => `${state.name} ${activation(values[middle])}`).join(", ")}.`,
    height: HEIGHT,
    ...plot,
    table: {
      columns: [
        { title: "Layer", format: "text" },
        ...lines.flatMap(({ state }) => [
          { title: state.name, format: "number", decimals: 1 } as const,
          { title: "least … most", format: "text" } as const,
        ]),
      ],
      rows: Array.from({ length: report.layers }, (_, layer) => [
        String(layer),
        ...lines.flatMap(({ values }, i) => [values[layer] ?? null, spreads[i]?.[layer] ?? null]),
      ]),
    },
  };
}

function magnitudeFigure(report: Report, one: Persistence, palette: Palette): Figure {
  const { id, name, channel } = namesOf(one);
  const value = (y: number | null): number | null => (y === null || y === 0 ? null : y);
  const plot = linePlot(
    {
      series: [
        {
          name: "original",
          role: "kept",
          dots: one.layers.length <= DOTS_UP_TO,
          points: one.layers.map(({ layer, magnitude }) => ({
            x: layer,
            y: value(magnitude),
            words: `layer ${layer}: ${activation(magnitude)}`,
          })),
        },
        {
          name: "without super weights",
          role: "removed",
          dots: one.layers.length <= DOTS_UP_TO,
          points: one.layers.map(({ layer, withoutSuperWeights }) => ({
            x: layer,
            y: value(withoutSuperWeights),
            words: `layer ${layer}, without super weights: ${activation(withoutSuperWeights)}`,
          })),
        },
      ],
      y: magnitudeScale(
        one.layers.flatMap(({ magnitude, withoutSuperWeights }) => [
          value(magnitude),
          value(withoutSuperWeights),
        ]),
      ),
      yLabel: `|channel ${channel}|`,
      x: lineAxis(report.layers),
      xLabel: "layer",
      height: HEIGHT,
    },
    palette,
  );
  return {
    id: `super-activations-channel-${id}`,
    title: `Channel ${channel}, which ${name} writes`,
    caption:
      "Figure 3 of the paper, followed through the layers: one weight writes one channel, and skip connections carry the value on. Median over prompts of the largest value in that channel.",
    summary:
      one.from === null
        ? `No layer has its largest value in channel ${channel} for every prompt.`
        : `Channel ${channel} holds the largest value in every prompt from layer ${one.from} to ${one.to ?? one.from}${one.token === null ? "" : `, at token ${one.token}`}.`,
    height: HEIGHT,
    ...plot,
    table: persistenceTable(one),
  };
}

function sharesFigure(report: Report, one: Persistence, palette: Palette): Figure {
  const { id, name, channel } = namesOf(one);
  const line = (key: "sameChannel" | "sameToken", label: string, role: Role): Series => ({
    name: label,
    role,
    dots: one.layers.length <= DOTS_UP_TO,
    points: one.layers.map((layer) => ({
      x: layer.layer,
      y: layer[key],
      words: `layer ${layer.layer}: ${label} in ${percent(layer[key], 0)} of the prompts`,
    })),
  });
  const plot = linePlot(
    {
      series: [line("sameToken", "same token", 1), line("sameChannel", `channel ${channel}`, "kept")],
      y: percentScale(),
      yLabel: "share of prompts whose largest value lies there",
      x: lineAxis(report.layers),
      xLabel: "layer",
      height: HEIGHT - 40,
    },
    palette,
  );
  return {
    id: `super-activations-persistence-${id}`,
    title: `Same channel and position over prompts: ${name}`,
    caption: `The paper finds the super activation at the same channel and position whatever the prompt. Share of ${plural(report.prompts.length, "prompt")}: gold = the largest value is in channel ${channel}; dashed = it is at the position most prompts have it at.`,
    summary: `Layer by layer, share of prompts with the largest value in channel ${channel}: ${one.layers.map(({ sameChannel }) => percent(sameChannel, 0)).join(", ")}.`,
    height: HEIGHT - 40,
    ...plot,
    table: persistenceTable(one),
  };
}

/** Layers along x, ending just behind the last, where the lines' names begin. */
function lineAxis(layers: number): FigureLayout {
  const room = Math.max(1, layers - 1) * 0.03;
  return { ...layerAxis(layers), range: [-room, layers - 1 + room] };
}

function persistenceTable({ layers }: Persistence): Figure["table"] {
  return {
    columns: [
      { title: "Layer", format: "text" },
      { title: "Same channel", format: "percent", decimals: 0 },
      { title: "Same token", format: "percent", decimals: 0 },
      { title: "Magnitude", format: "number", decimals: 1 },
      { title: "Without super weights", format: "number", decimals: 1 },
    ],
    rows: layers.map(({ layer, sameChannel, sameToken, magnitude, withoutSuperWeights }) => [
      String(layer),
      sameChannel,
      sameToken,
      magnitude,
      withoutSuperWeights,
    ]),
  };
}

function namesOf({ superWeight }: Persistence): {
  id: string;
  name: string;
  channel: number;
} {
  return { id: superWeight.join("-"), name: coordinateWords(superWeight), channel: superWeight[1] };
}

/** Per layer, the median over prompts of |value|. */
function medians({ peaks }: State, layers: number): (number | null)[] {
  return Array.from({ length: layers }, (_, layer) => {
    const values = magnitudes(peaks, layer).sort((a, b) => a - b);
    const [low, high] = [
      values[Math.floor((values.length - 1) / 2)],
      values[Math.ceil((values.length - 1) / 2)],
    ];
    return low === undefined || high === undefined ? null : (low + high) / 2;
  });
}

function extremes({ peaks }: State, layers: number): (string | null)[] {
  return Array.from({ length: layers }, (_, layer) => {
    const values = magnitudes(peaks, layer);
    return values.length === 0
      ? null
      : `${number(Math.min(...values), 1)} … ${number(Math.max(...values), 1)}`;
  });
}

function magnitudes(peaks: State["peaks"], layer: number): number[] {
  return peaks.flatMap((prompt) => {
    const value = prompt[layer]?.value;
    return value == null ? [] : [Math.abs(value)];
  });
}
