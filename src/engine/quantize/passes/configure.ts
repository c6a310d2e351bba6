import { SCHEMES, type SchemeName } from "#shared/schemes/index.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { normalFloat } from "../schemes/normalFloatLevels.ts";
import { integerGrid } from "../schemes/integerGrid.ts";
import { LARGEST } from "#engine/numeric/halfTypes.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { kernels, type Kernels } from "#engine/numeric/kernels/kernels.ts";

/** As in assembly/settings.ts. */
const [RTN, INT, LEVELS, LEVELS_MINMAX, MATMULNBITS] = [0, 1, 2, 3, 4];
const [GGUF_SIGNED, GGUF_AFFINE, GGUF_Q8] = [5, 6, 7];
const STORAGE: Readonly<Record<StorageType, number>> = { F32: 0, F16: 1, BF16: 2 };

/** Schemes whose constants hang on the order of a block's weights: the mse search of the kernels does not look at it. */
const ORDERED: ReadonlySet<SchemeName> = new Set(["q4_0", "q4_1", "q5_0", "q5_1"]);
/** Schemes with levels have no kernel that gives codes: no format packs them. */
const WITHOUT_CODES: ReadonlySet<SchemeName> = new Set(["nf4", "nf3", "nf4-minmax", "nf3-minmax"]);

type Asked = Pick<TensorPlan, "scheme" | "range">;

/** The kernels where they know how to judge by a plan; null sends it down the scalar path. */
export function kernelsFor({ scheme, range }: Asked): Kernels | null {
  return SCHEMES[scheme].rounds || (isGguf(scheme) && range?.method === "mse") ? null : kernels();
}

/** The same where a plan's codes are asked for. */
export function codeKernelsFor(plan: Asked): Kernels | null {
  return WITHOUT_CODES.has(plan.scheme) ? null : kernelsFor(plan);
}

/** Whether `settleSigns` has something to do, which needs whole blocks. */
export function hasOrderedConstants({ scheme }: Pick<TensorPlan, "scheme">): boolean {
  return ORDERED.has(scheme);
}

function isGguf(scheme: SchemeName): boolean {
  return ORDERED.has(scheme) || scheme === "q8_0";
}

/** Sets the kernels up for a plan's scheme and storage type; every tensor begins with it. */
export function configureKernels(module: Kernels, plan: TensorPlan): void {
  const storage = STORAGE[plan.storage];
  const levels = 2 ** plan.bits;
  switch (plan.scheme) {
    case "affine":
      return module.configure(RTN, levels - 1, 0, levels - 1, 0, 0, storage);
    case "int":
    case "compressed-tensors":
    case "gptq-int":
    case "awq-int":
      return configureInteger(module, plan);
    case "matmulnbits": {
      const zero = plan.symmetric ? levels / 2 : -1;
      return module.configure(MATMULNBITS, levels - 1, 0, levels - 1, zero, 0, storage);
    }
    case "q4_0":
    case "q5_0":
      return module.configure(GGUF_SIGNED, levels - 1, 0, levels - 1, levels / 2, 0, storage);
    case "q4_1":
    case "q5_1":
      return module.configure(GGUF_AFFINE, levels - 1, 0, levels - 1, -1, 0, storage);
    case "q8_0":
      return module.configure(GGUF_Q8, levels - 1, 0, levels - 1, -1, 0, storage);
    case "nf4":
    case "nf3":
    case "nf4-minmax":
    case "nf3-minmax": {
      const minmax = plan.scheme.endsWith("minmax");
      const cuts = setLevels(module, plan.bits, minmax ? 1 : 0);
      module.configure(minmax ? LEVELS_MINMAX : LEVELS, 1, 0, 0, 0, cuts, storage);
    }
  }
}

function configureInteger(module: Kernels, plan: TensorPlan): void {
  const grid = integerGrid(plan);
  const levels = 2 ** plan.bits;
  const { symmetric } = plan;
  module.configure(
    INT,
    symmetric ? grid.symmetricSteps : levels - 1,
    symmetric ? grid.smallest : 0,
    levels - 1,
    symmetric ? levels / 2 : -1,
    0,
    STORAGE[plan.storage],
  );
  const first = grid.scaleTypes[0] ?? "F32";
  const last = grid.scaleTypes.at(-1) ?? "F32";
  module.configureGrid(
    STORAGE[first],
    STORAGE[last],
    LARGEST[last],
    grid.zeroScale,
    grid.codesFrom === "exact" ? 1 : 0,
    grid.zeroFirst ? levels / 2 : 0,
    grid.emptyBound,
    grid.leastRange,
  );
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
