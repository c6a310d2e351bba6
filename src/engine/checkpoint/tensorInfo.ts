import type { TensorInfo } from "#shared/model.ts";
import { isLinear, layerOf, roleOf } from "./tensorRole.ts";

/** The bytes [begin, end) of one of a model's files. */
export interface Place {
  readonly file: string;
  readonly begin: number;
  readonly end: number;
}

/** A tensor as it is listed, with what its name says that it does. */
export function tensorInfo(
  name: string,
  shape: readonly number[],
  dtype: string,
  { file, begin, end }: Place,
): TensorInfo {
  return {
    name,
    shape: [...shape],
    dtype,
    parameters: shape.reduce((product, size) => product * size, 1),
    bytes: end - begin,
    file,
    begin,
    end,
    role: roleOf(name),
    layer: layerOf(name),
    linear: isLinear(name, shape),
  };
}
