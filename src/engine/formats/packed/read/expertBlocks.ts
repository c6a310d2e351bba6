import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { isLinear, layerOf, roleOf } from "#engine/checkpoint/tensorRole.ts";
import { BYTE_VALUES, E2M1_VALUES } from "../layout/floatCodes.ts";
import { floatTypeOf } from "./floatConstants.ts";
import { part, roundRun, type PackedMatrix } from "./matrix.ts";

/** Bytes of a group of 32 codes. */
const GROUP_BYTES = 16;

/**
 * gpt-oss's experts in MXFP4: `NAME_blocks` (experts, out, groups, 16 bytes) and `NAME_scales` (experts, out, groups; exponents), as
 * transformers unpacks them: `NAME` (experts, in, out) in the model's type. ŵ = value·2^(scale − 127).
 * @throws KeystoneError checkpoint/bad-packing
 */
export function expertBlocks(checkpoint: Checkpoint): PackedMatrix[] {
  return [...checkpoint.tensors.values()].flatMap((blocks) =>
    blocks.name.endsWith("_blocks") && blocks.dtype === "U8" && blocks.shape.length === 4
      ? [stack(checkpoint, blocks)]
      : [],
  );
}

function stack(checkpoint: Checkpoint, blocks: TensorInfo): PackedMatrix {
  part(checkpoint, blocks.name, { dtypes: ["U8"], shape: [null, null, null, GROUP_BYTES] });
  const [experts, width, groups] = blocks.shape;
  const name = blocks.name.replace(/_blocks$/, "");
  const scales = part(checkpoint, `${name}_scales`, { dtypes: ["U8"], shape: [experts, width, groups] });
  const depth = groups * GROUP_BYTES * 2;
  const dtype = floatTypeOf(checkpoint.config);
  const shape = [experts, depth, width];
  const parameters = experts * depth * width;
  const bytes = blocks.bytes + scales.bytes;
  return {
    info: {
      ...{ ...blocks, name, shape, dtype, parameters, bytes },
      ...{ role: roleOf(name), layer: layerOf(name), linear: isLinear(name, shape) },
      packed: { scheme: "MXFP4, group 32", bitsPerWeight: parameters === 0 ? 0 : (bytes * 8) / parameters },
    },
    parts: [blocks.name, scales.name],
    async readRows(wanted, out) {
      // a row is one input of one expert: what the file holds of it lies in all rows of the file
      const each = width * groups;
      for (let done = 0; done < wanted.length;) {
        const expert = Math.floor(wanted[done] / depth);
        const codes = await checkpoint.readBytes(
          blocks.name,
          expert * each * GROUP_BYTES,
          (expert + 1) * each * GROUP_BYTES,
        );
        const exponents = await checkpoint.readBytes(scales.name, expert * each, (expert + 1) * each);
        for (; done < wanted.length && Math.floor(wanted[done] / depth) === expert; done++)
          takeInput(codes, exponents, wanted[done] % depth, { width, groups }, out, done * width);
      }
      roundRun(out, 0, wanted.length * width, dtype);
    },
  };
}

/** out[at …] = the weights of one input to every output of an expert. */
function takeInput(
  codes: Uint8Array,
  exponents: Uint8Array,
  input: number,
  { width, groups }: { readonly width: number; readonly groups: number },
  out: Float32Array,
  at: number,
): void {
  const group = Math.floor(input / (2 * GROUP_BYTES));
  const inGroup = input % (2 * GROUP_BYTES);
  for (let row = 0; row < width; row++) {
    const place = row * groups + group;
    const byte = codes[place * GROUP_BYTES + (inGroup >> 1)];
    const nibble = (inGroup & 1) === 0 ? byte & 15 : byte >> 4;
    out[at + row] = E2M1_VALUES[nibble] * BYTE_VALUES["F8_E8M0"][exponents[place]];
  }
}
