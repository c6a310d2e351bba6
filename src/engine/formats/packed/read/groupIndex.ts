import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { badPacking } from "./matrix.ts";

/**
 * The group of every column, where columns were ordered by their activations (`g_idx`).
 * @throws KeystoneError checkpoint/bad-packing where a column names a group that is not there
 */
export async function readIndices(
  checkpoint: Checkpoint,
  { name, dtype, parameters }: TensorInfo,
  groups: number,
): Promise<Uint32Array> {
  const bytes = await checkpoint.readBytes(name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const indices = new Uint32Array(parameters);
  for (let i = 0; i < parameters; i++) {
    const group = dtype === "I64" ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true);
    if (!(group >= 0 && group < groups))
      throw badPacking(name, `puts column ${i} into group ${group} of ${groups}`);
    indices[i] = group;
  }
  return indices;
}
