import { paletteOf, type Palette } from "#shared/figures/palette.ts";

/** The window's charts and the report's follow one template. */
export * from "#shared/figures/template.ts";
export type { Palette as ChartTheme } from "#shared/figures/palette.ts";

/** Reads the tokens as they are for the theme that is on now. */
export function readChartTheme(): Palette {
  const style = getComputedStyle(document.documentElement);
  return paletteOf((name) => style.getPropertyValue(`--${name}`).trim());
}
