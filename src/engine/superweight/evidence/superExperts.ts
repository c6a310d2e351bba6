import type { ExpertsReport } from "#shared/detection.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { percentilesOf } from "#engine/numeric/percentiles.ts";
import type { SeenExpert } from "./expertEvidence.ts";

/** What makes an expert one of the few [arXiv:2507.23279, section 3]: beyond this percentile, and beyond this part of the largest. */
const PERCENTILE = 0.995;
const PART_OF_LARGEST = 0.1;

/**
 * Super experts: those whose down_proj gives an output beyond the 99.5th percentile of all experts' largest outputs, and beyond a tenth
 * of the largest. Their loss takes massive activations and attention sinks away.
 * @param seen the experts that the prompt reached; null where no layer has experts
 */
export function expertsReportOf(
  architecture: Architecture,
  seen: readonly SeenExpert[],
): ExpertsReport | null {
  const { layers } = architecture.facts;
  const total = Array.from({ length: layers }, (_, layer) => architecture.expertsOf(layer)).reduce(
    (sum, experts) => sum + experts,
    0,
  );
  if (total === 0) return null;
  const outputs = Float32Array.from(seen, ({ output }) => Math.abs(output.value));
  const [medianOutput, high, largest] = percentilesOf(outputs, [0.5, PERCENTILE, 1]);
  const thresholdOutput = Math.max(high, PART_OF_LARGEST * largest);
  return {
    ...{ total, reached: seen.length, thresholdOutput, medianOutput },
    superExperts: seen
      .filter(({ output }) => Math.abs(output.value) > thresholdOutput)
      .toSorted((a, b) => Math.abs(b.output.value) - Math.abs(a.output.value))
      .map(({ layer, expert, tokens, output }) => ({
        ...{ layer, expert, module: moduleOf(architecture, layer, expert), tokens, output },
        timesMedian: Math.abs(output.value) / (medianOutput || 1),
        effect: null,
      })),
  };
}

/** What its tensors' names begin with: `model.layers.2.mlp.experts.37`. */
function moduleOf(architecture: Architecture, layer: number, expert: number): string {
  return architecture.downProjection(layer, expert).split(".").slice(0, -2).join(".");
}
