import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { ErrorSums, sqnrDb } from "#engine/quantize/plan/statistics.ts";
import type { DiffReport, DiffStatus, TensorDiff } from "#shared/diff.ts";
import { storedAs, type TensorInfo } from "#shared/model.ts";
import type { Watch } from "./stream/engine.ts";
import { createMeter } from "./stream/meter.ts";

export interface DiffRequest extends Watch {
  readonly a: Checkpoint;
  readonly b: Checkpoint;
  /** Weights of one matrix that are in memory at once, of each checkpoint. */
  readonly part?: number;
}

/** 256 MiB in f32. */
const PART = 64 * 1024 * 1024;
const ORDER: readonly DiffStatus[] = ["other-shape", "differs", "only-a", "only-b", "equal"];

type Sums = Pick<ErrorSums, "sumSquares" | "sumSquaredError" | "maxAbsError">;

/**
 * Sets two checkpoints side by side, one tensor at a time and a large one in parts: what only one has, shapes, types, and how far the
 * values are apart. Whatever opens can be compared; codes of packed files count as the values that they stand for.
 * @throws KeystoneError checkpoint/read-failed, checkpoint/unreadable-dtype, job/cancelled
 */
export async function diffCheckpoints({
  a,
  b,
  part = PART,
  ...watch
}: DiffRequest): Promise<Pick<DiffReport, "tensors" | "counts" | "pooled">> {
  const shared = [...a.tensors.values()].filter((tensor) => sameShape(tensor, b.tensors.get(tensor.name)));
  const meter = createMeter(
    shared.reduce((sum, { parameters }) => sum + parameters, 0),
    "weights",
    watch,
  );
  const pooled = { sumSquares: 0, sumSquaredError: 0, maxAbsError: 0 };
  const tensors: TensorDiff[] = [];
  for (const name of new Set([...a.tensors.keys(), ...b.tensors.keys()])) {
    const [one, other] = [a.tensors.get(name), b.tensors.get(name)];
    if (!one || !other) tensors.push(apart(one, other));
    else if (!sameShape(one, other)) tensors.push(described(one, other, "other-shape"));
    else {
      const sums = new ErrorSums();
      for (const rows of partsOf(one, part)) {
        const [w, found] = [await read(a, one, rows), await read(b, other, rows)];
        sums.add(w, found, 0, w.length);
        await meter.advance(w.length, name);
      }
      pooled.sumSquares += sums.sumSquares;
      pooled.sumSquaredError += sums.sumSquaredError;
      pooled.maxAbsError = Math.max(pooled.maxAbsError, sums.maxAbsError);
      tensors.push(compared(one, other, sums));
    }
  }
  tensors.sort(
    (x, y) =>
      ORDER.indexOf(x.status) - ORDER.indexOf(y.status) ||
      (y.relativeRms ?? Infinity) - (x.relativeRms ?? Infinity) ||
      0,
  );
  const counts = Object.fromEntries(
    ORDER.map((status) => [status, tensors.filter((tensor) => tensor.status === status).length]),
  ) as DiffReport["counts"];
  return { tensors, counts, pooled: errorsOf(pooled) };
}

function sameShape({ shape }: TensorInfo, other: TensorInfo | undefined): boolean {
  return other !== undefined && other.shape.join() === shape.join();
}

function described(
  one: TensorInfo | undefined,
  other: TensorInfo | undefined,
  status: DiffStatus,
): TensorDiff {
  const known = one ?? other;
  const sideOf = (tensor: TensorInfo | undefined): TensorDiff["a"] =>
    tensor ? { storedAs: storedAs(tensor), shape: [...tensor.shape] } : null;
  return {
    name: known?.name ?? "",
    layer: known?.layer ?? null,
    status,
    a: sideOf(one),
    b: sideOf(other),
    weights: known?.parameters ?? 0,
    ...{ maxAbs: null, relativeRms: null, sqnrDb: null },
  };
}

function apart(one: TensorInfo | undefined, other: TensorInfo | undefined): TensorDiff {
  return described(one, other, one ? "only-a" : "only-b");
}

function compared(one: TensorInfo, other: TensorInfo, sums: Sums): TensorDiff {
  const differs = !(sums.sumSquaredError === 0);
  return { ...described(one, other, differs ? "differs" : "equal"), ...errorsOf(sums) };
}

/** Values that are no numbers make the sums no numbers: such a tensor differs, and says so. */
function errorsOf(sums: Sums): Pick<TensorDiff, "maxAbs" | "relativeRms" | "sqnrDb" | "notFinite"> {
  const relative = Math.sqrt(sums.sumSquaredError / sums.sumSquares);
  const finite = (value: number | null): number | null =>
    value !== null && Number.isFinite(value) ? value : null;
  const broken = !Number.isFinite(sums.sumSquaredError);
  return {
    maxAbs: broken ? null : finite(sums.maxAbsError),
    relativeRms: sums.sumSquaredError === 0 ? 0 : finite(relative),
    sqnrDb: finite(sqnrDb(sums)),
    ...(broken && { notFinite: true as const }),
  };
}

/** Numbers of a matrix's rows, a part at a time; null = the whole tensor at once. */
function* partsOf({ shape, parameters }: TensorInfo, part: number): Generator<number[] | null> {
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2 || parameters <= part) {
    yield null;
    return;
  }
  const step = Math.max(1, Math.floor(part / columns));
  for (let from = 0; from < rows; from += step)
    yield Array.from({ length: Math.min(step, rows - from) }, (_, i) => from + i);
}

function read(checkpoint: Checkpoint, { name }: TensorInfo, rows: number[] | null): Promise<Float32Array> {
  return rows === null ? checkpoint.read(name) : checkpoint.readRows(name, rows);
}
