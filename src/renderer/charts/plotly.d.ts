/** The part of Plotly that the window uses. */
declare module "plotly.js-strict-dist-min" {
  export type Datum = number | string | null;
  export interface Trace {
    type: "scatter" | "scattergl" | "bar" | "heatmap";
    [option: string]: unknown;
  }
  export type Layout = Record<string, unknown>;
  export type Config = Record<string, unknown>;
  export interface PlotPoint {
    curveNumber: number;
    pointIndex: number;
    pointNumber: number | [number, number];
    x: Datum;
    y: Datum;
    customdata?: unknown;
  }
  export interface PlotElement extends HTMLElement {
    on(event: string, listener: (event: { points?: PlotPoint[] }) => void): void;
    removeAllListeners(event: string): void;
  }
  export interface Plotly {
    newPlot(element: HTMLElement, data: Trace[], layout: Layout, config: Config): Promise<PlotElement>;
    react(element: HTMLElement, data: Trace[], layout: Layout, config: Config): Promise<PlotElement>;
    relayout(element: HTMLElement, change: Layout): Promise<PlotElement>;
    restyle(element: HTMLElement, change: Record<string, unknown>, traces?: number[]): Promise<PlotElement>;
    /** With `imageDataOnly` and format `svg`: the SVG itself, without a data address. */
    toImage(
      figure: { data: Trace[]; layout: Layout },
      options: { format: "svg"; width: number; height: number; imageDataOnly: true },
    ): Promise<string>;
    purge(element: HTMLElement): void;
    Plots: { resize(element: HTMLElement): Promise<PlotElement> };
  }
  const plotly: Plotly;
  export default plotly;
}
