import { packRows, wordsFor } from "../layout/bitPacking.ts";
import { narrow } from "#engine/numeric/narrow.ts";
import { bytesOf, groupsOf, type ModuleLayout } from "./moduleLayout.ts";

/**
 * MLX's module: weight (rows, words of a row's codes, packed densely from the lowest bit on), scales and biases (rows, groups) in
 * the type that the module is computed in.
 */
export const mlxLayout: ModuleLayout = {
  tensors(plan) {
    const { name, rows, columns, bits, storage } = plan;
    const { groups } = groupsOf(plan);
    const base = name.replace(/\.weight$/, "");
    return [
      { name, dtype: "U32", shape: [rows, wordsFor(columns, bits)] },
      { name: `${base}.scales`, dtype: storage, shape: [rows, groups] },
      { name: `${base}.biases`, dtype: storage, shape: [rows, groups] },
    ];
  },
  pack({ plan, codes, constants }) {
    const { rows, columns, bits, storage } = plan;
    if (constants.kind !== "biased")
      throw new RangeError(`${plan.name} has constants of the kind ${constants.kind}, and MLX has biases.`);
    return [
      bytesOf(packRows(codes, rows, columns, bits)),
      narrow(constants.scale, storage),
      narrow(constants.bias, storage),
    ];
  },
};
