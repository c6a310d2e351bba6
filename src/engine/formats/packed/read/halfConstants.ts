import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { roundRun } from "./matrix.ts";

/**
 * The half type that a GPTQ or AWQ checkpoint computes in: BF16 where its config says so, else F16, in which these files
 * store their scales.
 */
export function halfTypeOf(config: Readonly<Record<string, unknown>>): StorageType {
  const named = config["dtype"] ?? config["torch_dtype"];
  return named === "bfloat16" || named === "torch.bfloat16" ? "BF16" : "F16";
}

/** Scales stored as (groups, rows) in (rows, groups), in the type that they are computed with. */
export async function readTransposedScales(
  checkpoint: Checkpoint,
  { name, shape: [groups, rows] }: TensorInfo,
  dtype: StorageType,
): Promise<Float32Array> {
  const stored = await checkpoint.read(name);
  const scale = new Float32Array(stored.length);
  for (let group = 0; group < groups; group++)
    for (let row = 0; row < rows; row++) {
      const value = stored[group * rows + row];
      // rounding by bit patterns knows one NaN only
      scale[row * groups + group] = Number.isNaN(value) ? NaN : value;
    }
  roundRun(scale, 0, scale.length, dtype);
  return scale;
}
