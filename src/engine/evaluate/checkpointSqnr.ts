import type { Checkpoint } from "#engine/checkpoint/types.ts";
import { ErrorSums, sqnrDb } from "#engine/quantize/statistics.ts";
import { createMeter } from "./meter.ts";
import type { Watch } from "./types.ts";

export interface SqnrRequest extends Watch {
  readonly original: Checkpoint;
  readonly other: Checkpoint;
}

/**
 * 10·log10(Σw² / Σ(w − ŵ)²) in dB, over the matrices of the decoder layers that are other ones than the original's; null where
 * none is. Sums in f64; one matrix of each is in memory.
 * @throws KeystoneError checkpoint/read-failed, job/cancelled
 */
export async function checkpointSqnr({ original, other, ...watch }: SqnrRequest): Promise<number | null> {
  const shared = [...original.tensors.values()].filter(
    ({ name, linear, shape }) => linear && other.tensors.get(name)?.shape.join() === shape.join(),
  );
  const total = shared.reduce((sum, { parameters }) => sum + parameters, 0);
  const meter = createMeter(total, "weights", watch);
  const pooled = { sumSquares: 0, sumSquaredError: 0 };
  for (const { name, parameters } of shared) {
    const sums = new ErrorSums();
    sums.add(await original.read(name), await other.read(name), 0, parameters);
    if (sums.sumSquaredError > 0) {
      pooled.sumSquares += sums.sumSquares;
      pooled.sumSquaredError += sums.sumSquaredError;
    }
    await meter.advance(parameters, "comparing weights");
  }
  return sqnrDb(pooled);
}
