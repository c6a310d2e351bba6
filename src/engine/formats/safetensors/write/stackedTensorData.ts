import { stackedTensors, type StackedTensor } from "#engine/architecture/decoder/stackedTensors.ts";
import { describeDecoder, familyNameOf } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { dataBytes } from "#engine/checkpoint/dtypes.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { widen } from "#engine/numeric/widen.ts";
import type { TensorInfo } from "#shared/model.ts";
import { toStorageBytes } from "../../write/storageBytes.ts";
import type { PlannedTensor } from "./planShards.ts";

/** Tensors of all experts of a layer, by name, of families whose programs know no others. */
export function writtenStacked({ config }: Pick<Checkpoint, "config">): ReadonlyMap<string, StackedTensor> {
  if (familyNameOf(config) === null) return new Map();
  const decoder = describeDecoder(config);
  const isOnly = (layer: number): boolean => decoder.layers[layer].mlp.body.experts?.stacked.only === true;
  return new Map([...stackedTensors(decoder)].filter(([, { layer }]) => isOnly(layer)));
}

/** The tensors that a folder of this checkpoint's family has, in the order of the first weights of each. */
export function plannedTensors(checkpoint: Checkpoint): PlannedTensor[] {
  const stackOf = new Map(
    [...writtenStacked(checkpoint)].flatMap(([name, stack]) =>
      stack.parts.map((part) => [part.name, { name, stack }] as const),
    ),
  );
  const planned = new Map<string, PlannedTensor>();
  for (const tensor of checkpoint.tensors.values()) {
    const found = stackOf.get(tensor.name);
    const { name } = found ?? tensor;
    if (planned.has(name)) continue;
    const { dtype, file, begin } = tensor;
    const parts = found ? found.stack.parts.map((part) => checkpoint.tensors.get(part.name)) : [tensor];
    const bytes = parts.reduce((sum, part) => sum + (part ? dataBytes(part) : 0), 0);
    planned.set(name, { name, dtype, file, begin, bytes, shape: found?.stack.shape ?? tensor.shape });
  }
  return [...planned.values()];
}

/**
 * The data of a tensor of all experts, one expert after another.
 * @param dataOf the data of one of its parts
 */
export async function* stackedData(
  { shape, parts }: StackedTensor,
  tensors: Checkpoint["tensors"],
  dataOf: (name: string) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const perExpert = shape.slice(1).reduce((product, size) => product * size, 1);
  for (let expert = 0; expert < shape[0]; expert++) {
    const block = new Float32Array(perExpert);
    const own = parts.filter(({ from }) => Math.floor(from / perExpert) === expert);
    const dtype = tensors.get(own[0].name)?.dtype ?? "";
    if (!isStorageType(dtype)) throw new TypeError(`${own[0].name} is stored as ${dtype}`);
    for (const { name, shape: size, from, strides } of own) {
      const info = tensors.get(name);
      if (!info) throw new TypeError(`there is no ${name}`);
      const values = await wholeTensor(dataOf(name), info);
      const [rows, columns = 1] = size;
      const first = from - expert * perExpert;
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++)
          block[first + r * strides[0] + c * strides[1]] = values[r * columns + c];
    }
    yield toStorageBytes(block, dtype, own[0].name);
  }
}

/** A tensor's values from its data. */
export async function wholeTensor(
  chunks: AsyncIterable<Uint8Array>,
  { dtype, parameters }: TensorInfo,
): Promise<Float32Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  if (!isStorageType(dtype)) throw new TypeError(`a matrix is stored as ${dtype}`);
  const values = new Float32Array(parameters);
  widen(new Uint8Array(Buffer.concat(parts)), dtype, values);
  return values;
}
