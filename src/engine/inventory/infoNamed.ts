import type { TensorInfo } from "#shared/model.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";

/** A tensor under another name, which tells what it does. */
export function infoNamed(info: TensorInfo, name: string): TensorInfo {
  if (info.name === name) return info;
  const { role, layer, linear } = tensorInfo(name, info.shape, info.dtype, info);
  return { ...info, name, role, layer, linear };
}
