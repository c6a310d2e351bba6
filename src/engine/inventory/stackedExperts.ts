import type { StackedPart, StackedTensors } from "#engine/architecture/decoder/stackedTensors.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";
import { isStorageType, STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import type { TensorInfo } from "#shared/model.ts";
import { followsItself, type PlaceInTensor } from "./settledCheckpoint.ts";

/** A tensor of the files by its family's name. */
interface NamedTensor {
  readonly stored: string;
  readonly name: string;
  readonly info: TensorInfo;
}

/** The tensors that one stands for which holds those of all experts; any other tensor as it is. */
export function takenApart<Tensor extends NamedTensor>(
  stacks: StackedTensors,
  tensor: Tensor,
): (Tensor | (NamedTensor & { readonly inside: PlaceInTensor }))[] {
  const { stored, info } = tensor;
  const stack = stacks.get(info.name);
  if (!stack || info.shape.join() !== stack.shape.join() || !isStorageType(info.dtype)) return [tensor];
  return stack.parts.map((part) => {
    const inside = { from: part.from, strides: part.strides };
    return { stored, name: part.name, info: partInfo(info, part), inside };
  });
}

/** A part as a tensor of its own. Where its weights do not follow each other, or the file holds codes, it says so. */
function partInfo(info: TensorInfo, { name, shape, from, strides }: StackedPart): TensorInfo {
  const isRun = followsItself(shape, strides);
  const bytes = isStorageType(info.dtype) ? STORAGE_BYTES[info.dtype] : 0;
  const count = shape.reduce((product, size) => product * size, 1);
  const begin = info.begin + from * bytes;
  const isPlain = isRun && !info.packed;
  const place = isPlain ? { begin, end: begin + count * bytes } : { begin: info.begin, end: info.end };
  const plain = tensorInfo(name, shape, info.dtype, { file: info.file, ...place });
  if (isPlain) return plain;
  const packed = info.packed ?? { scheme: `${info.dtype}, transposed`, bitsPerWeight: 8 * bytes };
  return { ...plain, bytes: Math.round((packed.bitsPerWeight * count) / 8), packed };
}
