import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { onTestFinished } from "vitest";
import { DECODER_IO } from "#engine/architecture/decoder/decoderGraph.ts";
import { MODEL_FILE } from "#engine/formats/onnx/layout/names.ts";
import type { ArchitectureFacts } from "#shared/model.ts";

/** Keys and values of the tokens so far, by output name. */
type Cache = Readonly<Record<string, Tensor>>;

export interface Step {
  /** (batch · sequence, vocabulary) */
  readonly logits: Float32Array;
  readonly cache: Cache;
}

/** An exported decoder in onnxruntime, run as a program that deploys it does: by the names of its inputs and outputs alone. */
export interface DecoderSession {
  /**
   * @param windows token ids of equal length; 0s of `mask` are padding in front
   * @param before what the step before gave
   */
  run(windows: readonly number[][], before?: Step, mask?: readonly number[][]): Promise<Step>;
}

export async function openDecoder(folder: string, facts: ArchitectureFacts): Promise<DecoderSession> {
  const session = await InferenceSession.create(join(folder, MODEL_FILE), {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  onTestFinished(() => session.release());
  const layers = Array.from({ length: facts.layers }, (_, layer) => layer);
  const emptyCache = (batch: number): Cache =>
    Object.fromEntries(
      layers.flatMap((layer) =>
        [DECODER_IO.presentKeys(layer), DECODER_IO.presentValues(layer)].map((name) => [
          name,
          new Tensor("float32", new Float32Array(), [batch, facts.keyValueHeads, 0, facts.headSize]),
        ]),
      ),
    );
  return {
    async run(windows, before, mask) {
      const [batch, sequence] = [windows.length, windows[0].length];
      const cache = before?.cache ?? emptyCache(batch);
      const past = cache[DECODER_IO.presentKeys(0)].dims[2];
      const total = past + sequence;
      const seen = mask ?? windows.map(() => Array.from({ length: total }, () => 1));
      const positions = seen.map((row) => {
        let at = -1;
        return row.map((one) => Math.max((at += one), 0)).slice(past);
      });
      const results = await session.run({
        [DECODER_IO.ids]: int64(windows, sequence),
        [DECODER_IO.mask]: int64(seen, total),
        [DECODER_IO.positions]: int64(positions, sequence),
        ...Object.fromEntries(
          layers.flatMap((layer) => [
            [DECODER_IO.pastKeys(layer), cache[DECODER_IO.presentKeys(layer)]],
            [DECODER_IO.pastValues(layer), cache[DECODER_IO.presentValues(layer)]],
          ]),
        ),
      });
      const { [DECODER_IO.logits]: logits, ...next } = results;
      return { logits: logits.data as Float32Array, cache: next };
    },
  };
}

function int64(rows: readonly (readonly number[])[], width: number): Tensor {
  return new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, width]);
}

/** Largest |a − b| over the largest |b|; NaN where either holds one, or the lengths differ. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  let [largest, scale] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return largest / scale;
}
