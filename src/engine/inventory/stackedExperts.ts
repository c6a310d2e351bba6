import type { Decoder } from "#engine/architecture/description/description.ts";
import { expertTensors, type StackedTensors } from "#engine/architecture/decoder/tensors.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";
import { isStorageType, STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import type { TensorInfo } from "#shared/model.ts";

/** One matrix (out, in) of one expert inside a tensor of all experts. */
interface StackedMatrix {
  readonly info: TensorInfo;
  /** Where its weights begin among the tensor's. */
  readonly from: number;
}

/** A tensor of the files by its family's name. */
interface NamedTensor {
  readonly stored: string;
  readonly name: string;
  readonly info: TensorInfo;
}

/** The matrices of a tensor that holds those of all experts; any other tensor as it is. */
export function takenApart<Tensor extends NamedTensor>(
  decoder: Decoder,
  stacks: StackedTensors,
  tensor: Tensor,
): (Tensor | (NamedTensor & { readonly from: number }))[] {
  const matrices = matricesOf(decoder, stacks, tensor.info);
  if (!matrices) return [tensor];
  return matrices.map(({ info, from }) => ({ stored: tensor.stored, name: info.name, info, from }));
}

/** The matrices of a tensor of all experts; null where it is none, or has another shape than the config implies. */
function matricesOf(decoder: Decoder, stacks: StackedTensors, info: TensorInfo): StackedMatrix[] | null {
  const stack = stacks.get(info.name);
  if (!stack || info.shape.join() !== stack.shape.join() || !isStorageType(info.dtype)) return null;
  const { layer, slots } = stack;
  const [experts] = info.shape;
  const bytes = STORAGE_BYTES[info.dtype];
  let from = 0;
  return Array.from({ length: experts }, (_, expert) =>
    slots.map((slot): StackedMatrix => {
      const tensor = expertTensors(decoder, layer, expert).find((it) => it.expert?.slot === slot);
      if (!tensor) throw new Error(`an expert of layer ${layer} has no ${slot}`);
      const begin = info.begin + from * bytes;
      const weights = tensor.shape.reduce((product, size) => product * size, 1);
      const place = { file: info.file, begin, end: begin + weights * bytes };
      const matrix = { info: tensorInfo(tensor.name, tensor.shape, info.dtype, place), from };
      from += weights;
      return matrix;
    }),
  ).flat();
}
