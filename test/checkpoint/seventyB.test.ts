import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { summarizeModel } from "#studio/context/summarizeModel.ts";
import { SEVENTY_B } from "../../bench/checkpointShape.ts";
import { writeSparseCheckpoint } from "../../bench/sparseCheckpoint.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

/** What the fingerprint reads of a tensor at most, and what of headers, index, config and tokenizer. */
const [SAMPLE_BYTES, HEADER_BYTES] = [16_384, 2_000_000];

it("the overview of 141 GB reads headers and a sample of each tensor, and nothing else", async () => {
  const folder = join(await temporaryFolder(), "model");
  await writeSparseCheckpoint(folder, SEVENTY_B);
  const handle = await open(join(folder, "config.json"));
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const reads = vi.spyOn(prototype, "read");
  const summary = await summarizeModel(folder);
  const results = await Promise.all(
    reads.mock.results.map(({ value }) => value as Promise<{ bytesRead: number }>),
  );
  reads.mockRestore();
  expect(summary).toMatchObject({ unsupported: null, architecture: { layers: 80, family: "llama" } });
  expect(summary.tensors).toHaveLength(723);
  expect(summary.bytes).toBeGreaterThan(141e9);
  const bytes = results.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(723 * SAMPLE_BYTES + HEADER_BYTES);
});
