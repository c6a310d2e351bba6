import type { StorageType } from "../../checkpoint/types.ts";
import { normalFloat } from "../normalFloatLevels.ts";
import type { TensorPlan } from "../types.ts";
import type { Kernels } from "./kernels.ts";

/** As in assembly/settings.ts. */
const [RTN, INT, LEVELS, LEVELS_MINMAX] = [0, 1, 2, 3];
const STORAGE: Readonly<Record<StorageType, number>> = { F32: 0, F16: 1, BF16: 2 };

/** Sets the kernels up for a plan's codec and storage type; every tensor begins with it. */
export function configureKernels(kernels: Kernels, plan: TensorPlan): void {
  const storage = STORAGE[plan.storage];
  const levels = 2 ** plan.bits;
  switch (plan.codec) {
    case "rtn":
      return kernels.configure(RTN, levels - 1, 0, levels - 1, 0, 0, storage);
    case "int": {
      const steps = plan.symmetric ? levels / 2 - 1 : levels - 1;
      return kernels.configure(
        INT,
        steps,
        plan.symmetric ? 1 : 0,
        levels - 1,
        plan.symmetric ? levels / 2 : -1,
        0,
        storage,
      );
    }
    case "nf4":
    case "nf3":
    case "nf4-minmax":
    case "nf3-minmax": {
      const minmax = plan.codec.endsWith("minmax");
      const cuts = setLevels(kernels, plan.bits, minmax ? 1 : 0);
      kernels.configure(minmax ? LEVELS_MINMAX : LEVELS, 1, 0, 0, 0, cuts, storage);
    }
  }
}

/** Writes cuts and levels + `raised` (in f32); returns how many cuts there are. */
function setLevels(kernels: Kernels, bits: number, raised: number): number {
  const { levels, midpoints } = normalFloat(bits);
  const cuts = Float32Array.from(midpoints.subarray(0, levels.length - 1), floorToF32);
  kernels.cuts.set(cuts);
  const bytes = new Uint8Array(levels.map((level) => level + raised).buffer);
  bytes.forEach((byte, i) => (kernels.levelBytes[16 * (i % 4) + (i >> 2)] = byte));
  return cuts.length;
}

const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/** The largest f32 not above x: an f32 is above x exactly where it is above this. */
function floorToF32(x: number): number {
  single[0] = x;
  if (single[0] > x) singleBits[0] += single[0] > 0 ? -1 : 1;
  return single[0];
}
