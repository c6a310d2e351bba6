import type { PlanFile } from "#shared/plan.ts";
import type { TensorInfo } from "#shared/model.ts";

/** Enough to tell the variants apart, little enough for minutes on two cores. */
const TOKENS = 1024;
/** Groups that formats store, the finest first. */
const GROUPS = [32, 64, 128];

/**
 * A first sweep: 4 and 3 bits in the two finest groups that divide every row, plain and with the super weights put back.
 * @param found whether there are super weights; without any, putting them back would make the same variants again
 */
export function smallPlan(
  tensors: readonly Pick<TensorInfo, "linear" | "shape">[],
  found: boolean,
): PlanFile {
  const rows = tensors.filter(({ linear }) => linear).map(({ shape }) => shape[1] ?? 0);
  const groups = GROUPS.filter((size) => rows.every((columns) => columns % size === 0)).slice(0, 2);
  return {
    name: "First sweep",
    base: { scheme: "int", symmetric: false },
    grid: {
      bits: [4, 3],
      granularity: groups.length > 0 ? groups.map((size) => `group:${size}`) : ["channel"],
      restore: found ? ["none", "super-weights"] : ["none"],
    },
    judge: { windows: "bos", tokens: TOKENS },
  };
}
