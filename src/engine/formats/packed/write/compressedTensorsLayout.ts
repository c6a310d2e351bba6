import { packBits, packRows, wordsFor } from "../layout/bitPacking.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { bytesOf, groupsOf, integerConstants, type ModuleLayout, type ModuleTensor } from "./moduleLayout.ts";

/**
 * compressed-tensors' pack-quantized: weight_packed (rows, words of a row's codes), weight_scale (rows, groups), for asymmetric
 * codes weight_zero_point (words of a group's zero points, groups), and weight_shape.
 */
export const compressedTensorsLayout: ModuleLayout = {
  tensors(plan) {
    const { name, rows, columns, bits, symmetric } = plan;
    const { groups } = groupsOf(plan);
    const zeroPoint: ModuleTensor = {
      name: `${name}_zero_point`,
      dtype: "I32",
      shape: [wordsFor(rows, bits), groups],
    };
    return [
      { name: `${name}_shape`, dtype: "I64", shape: [2], data: shapeBytes(plan) },
      { name: `${name}_packed`, dtype: "I32", shape: [rows, wordsFor(columns, bits)] },
      ...(symmetric ? [] : [zeroPoint]),
      { name: `${name}_scale`, dtype: scaleType(plan), shape: [rows, groups] },
    ];
  },
  pack(packed) {
    const { plan, codes } = packed;
    const { rows, columns, bits, symmetric } = plan;
    const { groups } = groupsOf(plan);
    const { scale, scaleType: type, zeroPoints } = integerConstants(packed);
    const words = packRows(codes, rows, columns, bits);
    const zeros = new Uint32Array(symmetric ? 0 : wordsFor(rows, bits) * groups);
    for (let group = 0; group < groups && !symmetric; group++) {
      const place = { start: group, step: groups };
      packBits(zeroPoints, place, rows, bits, zeros, place);
    }
    return [bytesOf(words), ...(symmetric ? [] : [bytesOf(zeros)]), narrow(scale, type)];
  },
};

function shapeBytes({ rows, columns }: TensorPlan): Uint8Array {
  return new Uint8Array(new BigInt64Array([BigInt(rows), BigInt(columns)]).buffer);
}

/** `int` has f16 scales whatever the checkpoint's type. */
function scaleType({ scheme, storage }: TensorPlan): ModuleTensor["dtype"] {
  return scheme === "int" ? "F16" : storage;
}
