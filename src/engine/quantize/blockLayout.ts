import type { TensorPlan } from "./types.ts";

type Shape = Pick<TensorPlan, "rows" | "columns" | "block">;

/**
 * Blocks as runs of consecutive weights: block i is [i·size, min((i + 1)·size, weights)).
 * Every kind of block is such a run of the row-major tensor, except tiles, which are runs after {@link toTileOrder}.
 */
export interface BlockLayout {
  readonly weights: number;
  readonly size: number;
  readonly count: number;
}

/** The layout of a plan whose block is known to fit. */
export function blockLayout(plan: Shape): BlockLayout {
  const weights = plan.rows * plan.columns;
  const size = Math.min(blockSize(plan), weights);
  return { weights, size, count: size === 0 ? 0 : Math.ceil(weights / size) };
}

function blockSize({ block, rows, columns }: Shape): number {
  switch (block.kind) {
    case "group":
    case "flat":
      return block.size;
    case "channel":
      return columns;
    case "tensor":
      return rows * columns;
    case "tile":
      return block.rows * block.columns;
  }
}

interface CopyableArray<T> {
  set(values: T, offset: number): void;
  subarray(from: number, to: number): T;
}

/** Calls `copy(rowMajorStart, tileOrderStart, length)` for each row of each tile, tiles in reading order. */
function visitTileRows(plan: Shape, copy: (start: number, at: number, length: number) => void): void {
  if (plan.block.kind !== "tile") throw new Error("Only tiles have a tile order.");
  const { rows: tileRows, columns: tileColumns } = plan.block;
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
  if (plan.block.kind !== "tile") return index;
  const { rows: tileRows, columns: tileColumns } = plan.block;
  const row = Math.floor(index / plan.columns);
  const column = index % plan.columns;
  const tile = Math.floor(row / tileRows) * (plan.columns / tileColumns) + Math.floor(column / tileColumns);
  return tile * tileRows * tileColumns + (row % tileRows) * tileColumns + (column % tileColumns);
}
