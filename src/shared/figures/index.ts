export type { Figure, FigureLayout, FigureTrace } from "./figure.ts";
export { paletteOf, type Palette } from "./palette.ts";
export { runFigures } from "./run.ts";
export { cellText, tableCsv, tableText, type FigureColumn, type FigureTable } from "./table.ts";
