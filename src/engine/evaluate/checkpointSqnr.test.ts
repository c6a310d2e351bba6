import { describe, expect, it, onTestFinished } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { decibelBound, expectSum } from "../../../test/support/rounding.ts";
import {
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../../../test/support/syntheticCheckpoint.ts";
import { checkpointSqnr } from "./checkpointSqnr.ts";

async function opened(options: SyntheticOptions = {}): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(await writeSyntheticCheckpoint(options));
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

const planted = (tensor: string): SyntheticOptions => ({
  storage: "F32",
  plant: [{ tensor, row: 1, column: 2, value: 3 }],
});

describe("another checkpoint's weights beside the original's", () => {
  it("are exact where every matrix has the original's, in whatever file", async () => {
    const original = await opened({ storage: "F32" });
    const copy = await opened({ storage: "F32", shards: 2 });
    expect(await checkpointSqnr({ original, other: copy })).toEqual({ weights: "exact", sqnrDb: null });
  });

  it.each(["model.layers.0.mlp.up_proj.weight", "model.embed_tokens.weight", "lm_head.weight"])(
    "have the SQNR of the matrices that differ, here one weight of %s",
    async (tensor) => {
      const original = await opened({ storage: "F32" });
      const other = await opened(planted(tensor));
      const weights = await original.read(tensor);
      const columns = original.tensors.get(tensor)?.shape[1] ?? 0;
      const squares = weights.reduce((sum, w) => sum + w * w, 0);
      const expected = 10 * Math.log10(squares / (weights[columns + 2] - 3) ** 2);
      for (const part of [{}, { part: 100 }]) {
        const found = await checkpointSqnr({ original, other, ...part });
        expect(found.weights).toBe("differ");
        expectSum(found.sqnrDb, expected, decibelBound(weights.length), "SQNR");
      }
    },
  );

  it("have none where the other is of other shapes: the weights were not compared", async () => {
    const original = await opened();
    for (const options of [{ intermediate: 48 }, { layers: 1 }])
      expect(await checkpointSqnr({ original, other: await opened(options) })).toEqual({
        weights: "other",
        sqnrDb: null,
      });
  });

  it("are counted up to the whole, and the job can stop there", async () => {
    const original = await opened();
    const seen: [number, number][] = [];
    await checkpointSqnr({
      original,
      other: original,
      onProgress: ({ done, total }) => seen.push([done, total]),
    });
    expect(seen.at(-1)?.[0]).toBe(seen.at(-1)?.[1]);
    const stop = new Error("stopped");
    const control = { check: () => Promise.reject(stop) };
    await expect(checkpointSqnr({ original, other: original, control })).rejects.toBe(stop);
  });
});
