import type { Kernels } from "#engine/numeric/kernels/kernels.ts";
import { STORAGE } from "./kernelForms.ts";
import type { SchemeKernels } from "./scheme.ts";

/** NF4 levels, f32 values in f64 notation [Dettmers et al. 2023, arXiv:2305.14314, appendix E]. */
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

/** NF3 levels, as in the code that accompanies arXiv:2411.07191. */
const NF3 = [
  -1, -0.535022735595703, -0.246931403875351, 0, 0.1833375245332718, 0.3819939494132996, 0.6229856610298157,
  1,
];

/** Cells per unit of the search table; finer than the smallest distance between two midpoints (0.08). */
const CELLS = 64;
/** Normalized weights lie in ±1, and up to ±1.5 where a subnormal f16 scale was rounded down. */
const REACH = 2;

/** The levels of a NormalFloat scheme and what finding the nearest one needs. */
export interface NormalFloat {
  /** Ascending, −1 … 1. */
  readonly levels: Float32Array;
  /** midpoints[i] lies between levels i and i + 1; the last is Infinity. */
  readonly midpoints: Float64Array;
  /** cells[⌊(x + REACH)·CELLS⌋] = how many midpoints lie below that cell. */
  readonly cells: Uint8Array;
}

function makeNormalFloat(values: readonly number[]): NormalFloat {
  const levels = Float32Array.from(values);
  const midpoints = Float64Array.from(levels, (level, i) =>
    i + 1 < levels.length ? (level + levels[i + 1]) / 2 : Infinity,
  );
  const cells = Uint8Array.from({ length: 2 * REACH * CELLS + 1 }, (_, cell) => {
    const edge = cell / CELLS - REACH;
    return midpoints.filter((midpoint) => midpoint < edge).length;
  });
  return { levels, midpoints, cells };
}

const nf4 = makeNormalFloat(NF4);
const nf3 = makeNormalFloat(NF3);

/** The NormalFloat table that a scheme of `bits` bits uses. */
export function normalFloat(bits: number): NormalFloat {
  return bits === 3 ? nf3 : nf4;
}

/** Code of the level nearest to x, ties to the lower level; |x| < 2. A cell holds at most one midpoint, so one test decides. */
export function nearestLevel(table: NormalFloat, x: number): number {
  const code = table.cells[((x + REACH) * CELLS) | 0];
  return x > table.midpoints[code] ? code + 1 : code;
}

/** The kernels of a form with levels; they give no codes. @param raised what is added to every level, in f32 */
export function levelKernels(form: number, raised: number): SchemeKernels {
  return {
    configure(module, { bits, storage }) {
      module.configure(form, 1, 0, 0, 0, setLevels(module, bits, raised), STORAGE[storage]);
    },
    codes: false,
    mse: true,
    ordered: false,
  };
}

/** Writes cuts and levels + `raised` (in f32); returns how many cuts there are. */
function setLevels(module: Kernels, bits: number, raised: number): number {
  const { levels, midpoints } = normalFloat(bits);
  const cuts = Float32Array.from(midpoints.subarray(0, levels.length - 1), floorToF32);
  module.cuts.set(cuts);
  const bytes = new Uint8Array(levels.map((level) => level + raised).buffer);
  bytes.forEach((byte, i) => (module.levelBytes[16 * (i % 4) + (i >> 2)] = byte));
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
