import type { Palette } from "./palette.ts";
import { VARIANT_DASHES, VARIANT_SYMBOLS } from "./template.ts";

/**
 * What a mark stands for, in the grammar of the keystone mark. `original` is ink. Gold and filled: a super weight in place or
 * restored (`kept`, and the two arms beside it). Gold and hollow: `removed`. Grey and hollow: ordinary
 * weights, or super weights quantized with the rest (`quantized`, `clipped`). A number is the colour, shape and dash of variant A to D; from 4 on the
 * shapes are hollow.
 */
export type Role =
  "original" | "kept" | "held-out" | "restored-only" | "removed" | "quantized" | "clipped" | number;

export interface RoleStyle {
  readonly line: Readonly<Record<string, unknown>>;
  readonly marker: Readonly<Record<string, unknown>>;
  /** Of a label beside the mark. */
  readonly text: string;
}

const SIZE = 9;
const TRANSPARENT = "rgba(0,0,0,0)";

export function roleStyle(role: Role, palette: Palette): RoleStyle {
  const mark = (symbol: string, fill: string, edge: string, width: number): Record<string, unknown> => ({
    symbol,
    size: SIZE,
    opacity: 1,
    color: fill,
    line: { color: edge, width },
  });
  if (typeof role === "number") {
    const place = role % VARIANT_SYMBOLS.length;
    const color = palette.cat[place] ?? palette.ink;
    return {
      line: { color, width: 1.5, dash: VARIANT_DASHES[place] },
      marker: mark(
        VARIANT_SYMBOLS[place] ?? "circle",
        role < VARIANT_SYMBOLS.length ? color : palette.pane,
        color,
        1.5,
      ),
      text: palette.ink,
    };
  }
  const { line, marker } = NAMED[role];
  const { edge, fill, text } = {
    ink: { edge: palette.ink, fill: palette.ink, text: palette.ink },
    gold: { edge: palette.swLine, fill: palette.sw, text: palette.ink },
    grey: { edge: palette.ink3, fill: palette.pane, text: palette.ink2 },
  }[marker.colour];
  return {
    line: { color: edge, width: line.width, ...(line.dash === undefined ? {} : { dash: line.dash }) },
    marker: mark(marker.symbol, marker.hollow ? TRANSPARENT : fill, edge, marker.colour === "ink" ? 0 : 1.5),
    text,
  };
}

type Named = Exclude<Role, number>;

const NAMED: Readonly<
  Record<
    Named,
    {
      line: { width: number; dash?: string };
      marker: { symbol: string; colour: "ink" | "gold" | "grey"; hollow?: boolean };
    }
  >
> = {
  original: { line: { width: 1.5 }, marker: { symbol: "circle", colour: "ink" } },
  kept: { line: { width: 2 }, marker: { symbol: "circle", colour: "gold" } },
  "held-out": { line: { width: 2, dash: "6px,3px" }, marker: { symbol: "square", colour: "gold" } },
  "restored-only": {
    line: { width: 2, dash: "8px,3px,2px,3px" },
    marker: { symbol: "diamond", colour: "gold" },
  },
  removed: {
    line: { width: 1.5, dash: "2px,3px" },
    marker: { symbol: "circle", colour: "gold", hollow: true },
  },
  quantized: { line: { width: 1.5, dash: "6px,3px" }, marker: { symbol: "circle", colour: "grey" } },
  clipped: { line: { width: 1.5, dash: "2px,3px" }, marker: { symbol: "square", colour: "grey" } },
};
