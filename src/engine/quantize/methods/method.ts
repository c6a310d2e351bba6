import type { QuantizationStatistics } from "../plan/statistics.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import type { Codes } from "../schemes/scheme.ts";

/**
 * How the weights of a tensor become codes of the plan's scheme: one for each name in `shared/methods`. It sees the whole tensor
 * and what calibration measured of its inputs (`plan.inputs`), and may go over both as often as it needs.
 */
export interface Method {
  /**
   * Codes and constants of one tensor, such that the scheme decodes them to ŵ.
   * @param weights (rows, columns) row-major; left as they are
   * @param restored row-major indices, ascending, of the weights that are put back exactly afterwards
   * @param out receives the codes
   * @throws KeystoneError quantize/…
   */
  codes(weights: Float32Array, plan: TensorPlan, restored: Uint32Array, out: Uint8Array): Codes;
  /**
   * ŵ and its error in one go, where that is quicker than decoding the codes: the same bits. Absent = the codes are decoded.
   * @param out receives ŵ, rounded to the plan's storage type, restored weights put back; must not overlap `weights`
   * @throws KeystoneError quantize/…
   */
  roundTrip?(weights: Float32Array, plan: TensorPlan, out: Float32Array): QuantizationStatistics;
}
