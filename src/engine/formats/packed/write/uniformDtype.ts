import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { SCHEMES } from "#shared/schemes/index.ts";
import type { AdaptedRecipe } from "../../write/exporter.ts";

/**
 * The type that all packed modules are computed in, where the source holds them in several: f32, which holds the numbers of each,
 * or F16 where the format's runtimes compute in half precision. Nothing where they are of one type already.
 */
export function uniformDtype(
  plans: Iterable<Pick<TensorPlan, "scheme" | "storage">>,
): Pick<AdaptedRecipe, "storage" | "changes"> {
  const all = [...plans];
  const types = [...new Set(all.map(({ storage }) => storage))].sort();
  if (types.length < 2) return { changes: [] };
  const storage = all.every(({ scheme }) => SCHEMES[scheme].computes === "half") ? "F16" : "F32";
  return {
    storage,
    changes: [
      {
        code: "export/one-type",
        text: `The source's matrices are of several types, and packed ones are computed in one: ${types.join(" and ")} become ${storage}, in what is judged and in what is written.`,
      },
    ],
  };
}
