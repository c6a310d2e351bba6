import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { isQuantizable } from "#engine/recipe/planTensors.ts";
import { ErrorSums, sqnrDb } from "#engine/quantize/plan/statistics.ts";
import type { ComparedWeights } from "#shared/comparison.ts";
import type { TensorInfo } from "#shared/model.ts";
import { createMeter } from "./stream/meter.ts";
import type { Watch } from "./stream/engine.ts";

export interface SqnrRequest extends Watch {
  readonly original: Checkpoint;
  readonly other: Checkpoint;
  /** Weights of one matrix that are in memory at once, of each checkpoint. */
  readonly part?: number;
}

/** 256 MiB. */
const PART = 64 * 1024 * 1024;

/**
 * How far another checkpoint's matrices (the layers' linears, embedding, output head) are from the original's:
 * 10·log10(Σw² / Σ(w − ŵ)²) in dB over those that differ, sums in f64. Null where none differs, or where a linear has no
 * partner of its name and shape: then they are no two forms of one model.
 * @throws KeystoneError checkpoint/read-failed, job/cancelled
 */
export async function checkpointSqnr({
  original,
  other,
  part = PART,
  ...watch
}: SqnrRequest): Promise<{ weights: ComparedWeights; sqnrDb: number | null }> {
  const matrices = [...original.tensors.values()].filter(isQuantizable);
  const hasPartner = (tensor: TensorInfo): boolean => sharedRows(tensor, other) > 0;
  if (matrices.some((tensor) => tensor.linear && !hasPartner(tensor)))
    return { weights: "other", sqnrDb: null };
  const shared = matrices.filter(hasPartner);
  const total = shared.reduce((sum, tensor) => sum + sharedRows(tensor, other) * columnsOf(tensor), 0);
  const meter = createMeter(total, "weights", watch);
  const pooled = { sumSquares: 0, sumSquaredError: 0 };
  for (const tensor of shared) {
    const sums = new ErrorSums();
    for (const rows of partsOf(tensor, part, sharedRows(tensor, other))) {
      const [w, found] = [await rowsOf(original, tensor, rows), await rowsOf(other, tensor, rows)];
      sums.add(w, found, 0, w.length);
      await meter.advance(w.length, "comparing weights");
    }
    if (sums.sumSquaredError === 0) continue;
    pooled.sumSquares += sums.sumSquares;
    pooled.sumSquaredError += sums.sumSquaredError;
  }
  return { weights: pooled.sumSquaredError === 0 ? "exact" : "differ", sqnrDb: sqnrDb(pooled) };
}

function columnsOf({ shape }: TensorInfo): number {
  return shape[1] ?? 0;
}

/** Rows that can be set beside the other's: all of equal shapes; of the embedding and the output head, which may be padded, the first. */
function sharedRows({ name, shape, linear }: TensorInfo, other: Checkpoint): number {
  const found = other.tensors.get(name)?.shape ?? [];
  const [rows = 0, ...rest] = shape;
  const [otherRows = 0, ...otherRest] = found;
  if (found.length !== shape.length || rest.join() !== otherRest.join()) return 0;
  return rows === otherRows ? rows : linear ? 0 : Math.min(rows, otherRows);
}

/** Numbers of the first `rows` rows, a part at a time; null = the whole tensor at once. */
function* partsOf(tensor: TensorInfo, part: number, rows: number): Generator<number[] | null> {
  if (tensor.parameters <= part && rows === tensor.shape[0]) {
    yield null;
    return;
  }
  const step = Math.max(1, Math.floor(part / columnsOf(tensor)));
  for (let from = 0; from < rows; from += step)
    yield Array.from({ length: Math.min(step, rows - from) }, (_, i) => from + i);
}

function rowsOf(checkpoint: Checkpoint, { name }: TensorInfo, rows: number[] | null): Promise<Float32Array> {
  return rows === null ? checkpoint.read(name) : checkpoint.readRows(name, rows);
}
