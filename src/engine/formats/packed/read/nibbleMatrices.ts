import type { TensorInfo } from "#shared/model.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { E2M1_VALUES } from "../layout/floatCodes.ts";
import { floatTypeOf, readScales } from "./floatConstants.ts";
import { logicalInfo, part, roundRun, type PackedMatrix } from "./matrix.ts";
import { forRuns } from "../layout/rowRuns.ts";

const { fround } = Math;
const BAND_BYTES = 4 * 1024 * 1024;

/** One matrix of 4-bit floats, two a byte, the low half first. */
interface Nibbles {
  readonly name: string;
  readonly codes: TensorInfo;
  /** (rows, groups) of a group's scale. */
  readonly scale: TensorInfo;
  /** One number by which every scale is divided or multiplied. */
  readonly whole: { readonly info: TensorInfo; readonly divides: boolean } | null;
  readonly dtype: StorageType;
  readonly kind: "NVFP4" | "MXFP4";
}

/**
 * Matrices of 4-bit floats (float4_e2m1): compressed-tensors' `weight_packed` with `weight_scale` and, of NVFP4, `weight_global_scale`,
 * which divides; ModelOpt's bytes in `weight` with `weight_scale` and `weight_scale_2`, which multiplies.
 * @throws KeystoneError checkpoint/bad-packing
 */
export function nibbleMatrices(checkpoint: Checkpoint): PackedMatrix[] {
  return [...checkpoint.tensors.values()].flatMap((codes) => {
    const found = codes.dtype === "U8" && codes.shape.length === 2 ? nibblesOf(checkpoint, codes) : null;
    return found ? [matrix(checkpoint, found)] : [];
  });
}

function nibblesOf(checkpoint: Checkpoint, codes: TensorInfo): Nibbles | null {
  const { tensors } = checkpoint;
  const base = codes.name.replace(/_packed$/, "");
  const scale = tensors.get(`${base}_scale`);
  if (!scale || !base.endsWith(".weight")) return null;
  const rows = codes.shape[0];
  const isPacked = base !== codes.name;
  const whole = isPacked ? tensors.get(`${base}_global_scale`) : tensors.get(`${base}_scale_2`);
  const dtypes = whole ? ["F8_E4M3"] : ["U8", "F8_E8M0"];
  part(checkpoint, scale.name, { dtypes, shape: [rows, null] });
  if (whole && whole.parameters !== 1) part(checkpoint, whole.name, { dtypes: ["F32"], shape: [1] });
  return {
    ...{ name: base, codes, scale, kind: whole ? "NVFP4" : "MXFP4" },
    whole: whole ? { info: whole, divides: isPacked } : null,
    // compressed-tensors unpacks to BF16 whatever the model's type
    dtype: isPacked ? "BF16" : floatTypeOf(checkpoint.config),
  };
}

function matrix(checkpoint: Checkpoint, { name, codes, scale, whole, dtype, kind }: Nibbles): PackedMatrix {
  const [rows, bytes] = codes.shape;
  const columns = 2 * bytes;
  const groups = scale.shape[1];
  const size = kind === "NVFP4" ? 16 : 32;
  part(checkpoint, scale.name, { dtypes: [scale.dtype], shape: [rows, Math.ceil(columns / size)] });
  const infos = [codes, scale, ...(whole ? [whole.info] : [])];
  return {
    info: logicalInfo(name, codes, infos, { rows, columns, dtype, scheme: `${kind}, group ${size}` }),
    parts: infos.map((info) => info.name),
    async readRows(wanted, out) {
      const scales = await readScales(checkpoint, scale);
      if (whole) {
        const [by] = await readScales(checkpoint, whole.info);
        for (let i = 0; i < scales.length; i++) scales[i] = whole.divides ? scales[i] / by : scales[i] * by;
      }
      await forRuns(
        wanted,
        Math.max(1, Math.floor(BAND_BYTES / Math.max(1, bytes))),
        async (from, count, done) => {
          const stored = await checkpoint.readBytes(codes.name, from * bytes, (from + count) * bytes);
          for (let i = 0; i < count; i++) {
            const at = (done + i) * columns;
            for (let j = 0; j < columns; j++) {
              const byte = stored[i * bytes + (j >> 1)];
              const value = E2M1_VALUES[(j & 1) === 0 ? byte & 15 : byte >> 4];
              out[at + j] = fround(value * scales[(from + i) * groups + Math.floor(j / size)]);
            }
          }
          roundRun(out, done * columns, (done + count) * columns, dtype);
        },
      );
    },
  };
}
