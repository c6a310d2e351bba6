import { packedNames } from "../layout/names.ts";
import type { Graph, Value } from "#engine/architecture/graph/graph.ts";
import { restoredCount } from "#engine/quantize/plan/bitsPerWeight.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** onnxruntime's least precise input that the product may round to: 1 = f32, so nothing is rounded. */
const ACCURACY_F32 = 1;

/** One quantized matrix as onnxruntime's MatMulNBits lays it out, for graphs that use it. */
export interface PackedMatrix {
  readonly plan: TensorPlan;
  readonly blockSize: number;
  /** Blocks of a row; the last one is filled up with zero codes. */
  readonly blocks: number;
  /** Weights that stay exact beside it. */
  readonly restored: number;
}

/** @param plan of a group block: what `onnxProblems` lets pass */
export function packedMatrix(plan: TensorPlan): PackedMatrix {
  if (plan.granularity.kind !== "group")
    throw new TypeError(`${plan.name} has blocks that MatMulNBits does not know`);
  const blockSize = plan.granularity.size;
  return { plan, blockSize, blocks: Math.ceil(plan.columns / blockSize), restored: restoredCount(plan) };
}

/** Handles of the stored parts; zero points only where they differ from 2^(bits − 1). */
function storedParts(g: Graph, { plan, blockSize, blocks, restored }: PackedMatrix) {
  const { name, rows, bits, symmetric } = plan;
  const names = packedNames(name, bits);
  return {
    codes: g.store(names.codes, "uint8", [rows, blocks, (blockSize * bits) / 8]),
    scales: g.store(names.scales, "float32", [rows, blocks]),
    zeroPoints: symmetric ? null : g.store(names.zeroPoints, "uint8", [rows, Math.ceil((blocks * bits) / 8)]),
    exact:
      restored === 0
        ? null
        : {
            rows: g.store(names.restoredRows, "int32", [restored]),
            columns: g.store(names.restoredColumns, "int32", [restored]),
            values: g.store(names.restoredValues, "float32", [restored]),
          },
  };
}

/**
 * x·Ŵᵀ with Ŵ = (codes − zero)·scale, and the restored weights exact: where one stands, the code is the block's zero point,
 * so that the packed product adds nothing, and x[:, column]·w is added to y[:, row].
 * @param x (rows, in) @returns (rows, out)
 */
export function packedLinear(g: Graph, matrix: PackedMatrix, x: Value): Value {
  const { plan, blockSize } = matrix;
  const { codes, scales, zeroPoints, exact } = storedParts(g, matrix);
  const y = g.op(
    "MatMulNBits",
    [x, codes, scales, ...(zeroPoints ? [zeroPoints] : [])],
    {
      K: plan.columns,
      N: plan.rows,
      bits: plan.bits,
      block_size: blockSize,
      accuracy_level: ACCURACY_F32,
    },
    "com.microsoft",
  );
  if (!exact) return y;
  return g.scope("restored", () => {
    const products = g.multiply(g.op("Gather", [x, exact.columns], { axis: 1 }), exact.values);
    return addToColumns(g, y, exact.rows, products, matrix.restored);
  });
}

/**
 * Rows of the same matrix, dequantized in the graph: for an embedding table.
 * @param ids (n) int64 @returns (n, in)
 */
export function packedRows(g: Graph, matrix: PackedMatrix, ids: Value): Value {
  const { plan, blockSize, blocks } = matrix;
  const { codes, scales, zeroPoints, exact } = storedParts(g, matrix);
  const gather = (table: Value): Value => g.op("Gather", [table, ids], { axis: 0 });
  const levels = g.reshape(unpack(g, gather(codes), plan.bits), [-1, blocks, blockSize]);
  const zero = zeroPoints
    ? g.reshape(firstColumns(g, unpack(g, gather(zeroPoints), plan.bits), blocks), [0, -1, 1])
    : g.float(2 ** (plan.bits - 1));
  const values = g.multiply(g.subtract(levels, zero), g.reshape(gather(scales), [0, -1, 1]));
  const rows = firstColumns(g, values, plan.columns);
  if (!exact) return rows;
  return g.scope("restored", () => {
    const here = g.op("Equal", [g.reshape(g.cast(ids, "int32"), [-1, 1]), exact.rows]);
    const added = g.multiply(g.cast(here, "float32"), exact.values);
    return addToColumns(g, rows, exact.columns, added, matrix.restored);
  });
}

/** (n, …) as (n, count), without what lies behind in each row. */
function firstColumns(g: Graph, x: Value, count: number): Value {
  return g.slice(g.reshape(x, [0, -1]), g.ints([0]), g.ints([count]), 1);
}

/** y[:, columns[k]] += added[:, k]; several may go to one column. y: (n, width); added: (n, count). */
function addToColumns(g: Graph, y: Value, columns: Value, added: Value, count: number): Value {
  const shape = g.concat([g.size(y, 0), g.ints([count])], 0);
  const places = g.op("Expand", [columns, shape]);
  return g.op("ScatterElements", [y, places, added], { axis: 1, reduction: "add" });
}

/** The codes in bytes as f32, one more axis behind: two a byte, the lower half first, or one. */
function unpack(g: Graph, bytes: Value, bits: number): Value {
  if (bits === 8) return g.cast(bytes, "float32");
  const halves = [
    g.op("BitwiseAnd", [bytes, g.byte(15)]),
    g.op("BitShift", [bytes, g.byte(4)], { direction: "RIGHT" }),
  ];
  const axis = g.ints([-1]);
  return g.cast(
    g.concat(
      halves.map((half) => g.op("Unsqueeze", [half, axis])),
      -1,
    ),
    "float32",
  );
}
