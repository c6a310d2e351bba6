import type { Layout, Trace } from "plotly.js-strict-dist-min";
import { baseLayout, mergeLayout, readChartTheme } from "./chartTheme.ts";

/** A chart to be saved; it is drawn apart from the page. */
export interface ChartImage {
  data: Trace[];
  layout: Layout;
  /** Pixels of CSS. */
  width: number;
  height: number;
}

/** Pixels of the picture for one of CSS: sharp in print. */
const SCALE = 2;

/** The chart as SVG, on the background of the theme that is on. */
export async function chartSvg({ data, layout, width, height }: ChartImage): Promise<string> {
  const { default: plotly } = await import("plotly.js-strict-dist-min");
  const theme = readChartTheme();
  const whole = { ...mergeLayout(baseLayout(theme), layout), height, width, paper_bgcolor: theme.pane };
  return plotly.toImage(
    { data: structuredClone(data), layout: structuredClone(whole) },
    { format: "svg", width, height, imageDataOnly: true },
  );
}

/** The chart as PNG, at twice its size. The SVG is drawn from a data address: the page loads images from nowhere else. */
export async function chartPng(image: ChartImage): Promise<Blob> {
  const svg = await chartSvg(image);
  const picture = new Image();
  picture.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * SCALE;
  canvas.height = image.height * SCALE;
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("The picture could not be drawn."));
    }),
  );
}
