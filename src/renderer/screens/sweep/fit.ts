import type { ModelSummary } from "#shared/model.ts";
import { parseGranularity } from "#shared/recipe.ts";

/** Why a block does not fit a model's rows, with the nearest sizes that do. */
export interface Misfit {
  message: string;
  /** Blocks to take instead. */
  nearest: readonly string[];
}

/** Whether a block divides every row that is quantized by default; null = it fits. */
export function granularityMisfit(granularity: string, model: Pick<ModelSummary, "tensors">): Misfit | null {
  const read = parseGranularity(granularity);
  const linears = model.tensors.filter(({ linear, shape }) => linear && shape.length === 2);
  const columns = common(linears.map(({ shape }) => shape[1] ?? 0));
  const rows = common(linears.map(({ shape }) => shape[0] ?? 0));
  if (read.kind === "group") return lineMisfit(read.size, columns, (size) => `group:${size}`);
  if (read.kind !== "tile") return null;
  if (rows % read.rows === 0 && columns % read.columns === 0) return null;
  const nearest = [`tile:${below(read.rows, rows)}x${below(read.columns, columns)}`];
  return { message: `Tiles of ${read.rows} × ${read.columns} do not divide every matrix.`, nearest };
}

function lineMisfit(size: number, columns: number, name: (size: number) => string): Misfit | null {
  if (columns === 0 || columns % size === 0) return null;
  const nearest = [...new Set([below(size, columns), above(size, columns)])].filter((one) => one > 1);
  return {
    message: `Rows have a multiple of ${columns.toLocaleString("en-US")} weights, which ${size} does not divide.`,
    nearest: nearest.map(name),
  };
}

/** Greatest common divisor; 0 of nothing. */
function common(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => {
    while (b > 0) [a, b] = [b, a % b];
    return a;
  }, 0);
}

function below(size: number, of: number): number {
  for (let one = Math.min(size, of); one > 1; one--) if (of % one === 0) return one;
  return 1;
}

function above(size: number, of: number): number {
  for (let one = size; one <= of; one++) if (of % one === 0) return one;
  return of;
}
