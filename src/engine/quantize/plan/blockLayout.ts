import type { TensorPlan } from "./tensorPlan.ts";

type Shape = Pick<TensorPlan, "rows" | "columns" | "granularity">;

/**
 * Blocks as runs of consecutive weights, from {@link blockStart} to {@link blockEnd}. Every kind of block is such a run of the
 * row-major tensor, except tiles, which are runs after {@link toTileOrder}.
 */
export interface BlockLayout {
  readonly weights: number;
  /** Weights of a block; the last one of a span may have fewer. */
  readonly size: number;
  /** Weights after which blocks begin anew: all of them, or those of a row whose last block is shorter. */
  readonly span: number;
  readonly blocksPerSpan: number;
  readonly count: number;
}

/** The layout of a plan whose block is known to fit. */
export function blockLayout(plan: Shape): BlockLayout {
  const weights = plan.rows * plan.columns;
  const wanted = blockSize(plan);
  const byRow = plan.granularity.kind === "group" && plan.columns % wanted !== 0 && weights > 0;
  const span = byRow ? plan.columns : weights;
  const size = Math.min(wanted, span);
  const blocksPerSpan = size === 0 ? 0 : Math.ceil(span / size);
  return { weights, size, span, blocksPerSpan, count: blocksPerSpan * (byRow ? plan.rows : 1) };
}

/** Where a block begins. */
export function blockStart({ size, span, blocksPerSpan }: BlockLayout, block: number): number {
  return Math.floor(block / blocksPerSpan) * span + (block % blocksPerSpan) * size;
}

/** Where the block that begins at `from` ends. */
export function blockEnd({ size, span }: BlockLayout, from: number): number {
  return Math.min(from + size, (Math.floor(from / span) + 1) * span);
}

/** Where the block begins that a position lies in. */
export function blockStartOf({ size, span }: BlockLayout, position: number): number {
  const begin = Math.floor(position / span) * span;
  return begin + Math.floor((position - begin) / size) * size;
}

function blockSize({ granularity, rows, columns }: Shape): number {
  switch (granularity.kind) {
    case "group":
    case "flat":
      return granularity.size;
    case "channel":
      return columns;
    case "tensor":
      return rows * columns;
    case "tile":
      return granularity.rows * granularity.columns;
  }
}

interface CopyableArray<T> {
  set(values: T, offset: number): void;
  subarray(from: number, to: number): T;
}

/** Calls `copy(rowMajorStart, tileOrderStart, length)` for each row of each tile, tiles in reading order. */
function visitTileRows(plan: Shape, copy: (start: number, at: number, length: number) => void): void {
  if (plan.granularity.kind !== "tile") throw new Error("Only tiles have a tile order.");
  const { rows: tileRows, columns: tileColumns } = plan.granularity;
  let at = 0;
  for (let top = 0; top < plan.rows; top += tileRows) {
    for (let left = 0; left < plan.columns; left += tileColumns) {
      for (let row = top; row < top + tileRows; row++, at += tileColumns)
        copy(row * plan.columns + left, at, tileColumns);
    }
  }
}

/** Copies row-major values so that each tile becomes one run of `out`. */
export function toTileOrder<T extends CopyableArray<T>>(values: T, plan: Shape, out: T): void {
  visitTileRows(plan, (start, at, length) => out.set(values.subarray(start, start + length), at));
}

/** The way back from {@link toTileOrder}. */
export function fromTileOrder<T extends CopyableArray<T>>(values: T, plan: Shape, out: T): void {
  visitTileRows(plan, (start, at, length) => out.set(values.subarray(at, at + length), start));
}

/** Where the weight at a row-major index lies in block order; the same index unless the blocks are tiles. */
export function positionInBlocks(plan: Shape, index: number): number {
  if (plan.granularity.kind !== "tile") return index;
  const { rows: tileRows, columns: tileColumns } = plan.granularity;
  const row = Math.floor(index / plan.columns);
  const column = index % plan.columns;
  const tile = Math.floor(row / tileRows) * (plan.columns / tileColumns) + Math.floor(column / tileColumns);
  return tile * tileRows * tileColumns + (row % tileRows) * tileColumns + (column % tileColumns);
}
