import type { Theme } from "../state/theme.svelte.ts";
import { readChartTheme, type ChartTheme } from "./chartTheme.ts";

/** Builds with the colours of the theme that is on. Inside a `$derived` it is built again when that changes. */
export function withTheme<T>(
  theme: Pick<Theme, "resolved">,
  build: (colours: ChartTheme, name: Theme["resolved"]) => T,
): T {
  return build(readChartTheme(), theme.resolved);
}
