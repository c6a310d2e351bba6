import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { DATA_FILE, MODEL_FILE } from "#engine/formats/onnx/layout/names.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { stepTokens } from "#engine/export/verify/runOnnx.ts";
import type { RunRequest } from "#engine/export/verify/runRequest.ts";
import { scoreDecoder } from "#engine/export/verify/scoreDecoder.ts";
import { runExported } from "#engine/export/verify/runExported.ts";
import { demoWindows, openDemo, type Demo } from "../../golden-model/demoModel.ts";
import { temporaryFolder, writeSyntheticCheckpoint } from "../../support/syntheticCheckpoint.ts";
import { exportDecoder, exportModel, onnxVariant } from "./exportDecoder.ts";

const RECIPE = { scheme: "matmulnbits", bits: 4, granularity: "group:64", restore: [[1, 137, 401]] };
/** Relative, of the perplexity: f32 sums in another order. Measured: 1e-7. */
const BOUND = 1e-4;
const PLENTY = 2 ** 40;

let demo: Demo;
let windows: WindowSet;
let judged: number;
beforeAll(async () => {
  demo = await openDemo();
  windows = await demoWindows(demo, { tokens: 400 });
  const reference = await scoreOriginal({ ...demo, windows });
  const { variant } = onnxVariant(exportModel(demo.checkpoint), RECIPE);
  const [{ scores }] = await scoreWave({
    ...{ ...demo, windows, reference },
    variants: [{ id: variant.recipeId, plans: variant.plans }],
  });
  judged = scores?.perplexity ?? Number.NaN;
});
afterAll(() => demo.close());

const written = async (): Promise<string> => exportDecoder(demo.checkpoint, await temporaryFolder(), RECIPE);

const request = (memoryBytes: number): RunRequest => ({
  ...{ model: exportModel(demo.checkpoint), windows, threads: 1, memoryBytes, programs: [], passages: [] },
  watch: {},
});

describe("a written decoder, scored by onnxruntime", () => {
  it("has the perplexity that the studio judged, window by window and in steps of seven tokens through its cache", async () => {
    const folder = await written();
    const { description } = demo.architecture;
    for (const step of [7, 4096]) {
      const told: string[] = [];
      const scores = await scoreDecoder(folder, description, windows, {
        ...{ threads: 1, step },
        onProgress: ({ done, total, unit }) => told.push(`${done} of ${total} ${unit}`),
      });
      expect(scores.tokens).toBe(windows.scored);
      expect(Math.abs((scores.perplexity ?? NaN) / judged - 1)).toBeLessThan(BOUND);
      const tokens = windows.windows.reduce((sum, { ids }) => sum + ids.length, 0);
      expect(told.at(-1)).toBe(`${tokens} of ${tokens} tokens`);
    }
  });

  it("is not run where it does not fit the memory, and says so with both sizes", async () => {
    const score = await runExported("onnx", await written(), judged, request(1e6));
    expect(score).toMatchObject({ perplexity: null });
    expect(score?.notRun).toMatch(
      /^The graph was not run: onnxruntime .* needs about .*MB .*1.*MB may be used\.$/,
    );
  });

  it("needs room for keys, values and attention beside the files", async () => {
    const folder = await written();
    const sizes = await Promise.all([MODEL_FILE, DATA_FILE].map((file) => stat(join(folder, file))));
    const twice = 2 * sizes.reduce((sum, { size }) => sum + size, 0);
    expect((await runExported("onnx", folder, judged, request(twice + 1000)))?.notRun).not.toBeNull();
    expect((await runExported("onnx", folder, judged, request(twice + 100e6)))?.notRun).toBeNull();
  });

  it("ends the export where the runtime does not take the graph, with the runtime's own words", async () => {
    const folder = await written();
    await writeFile(join(folder, MODEL_FILE), "no graph");
    await expect(runExported("onnx", folder, judged, request(PLENTY))).rejects.toMatchObject({
      code: "export/runtime-failed",
      message: expect.stringMatching(/^onnxruntime [\d.]+ does not run the written graph: .{20}/) as unknown,
    });
  });

  it("ends the export where it gives another number than its weights", async () => {
    const folder = await written();
    await expect(runExported("onnx", folder, judged, request(PLENTY))).resolves.toMatchObject({
      notRun: null,
    });
    await expect(runExported("onnx", folder, judged * 1.05, request(PLENTY))).rejects.toMatchObject({
      code: "export/runtime-differs",
    });
    await expect(runExported("onnx", folder, null, request(PLENTY))).rejects.toMatchObject({
      code: "export/runtime-differs",
    });
  });

  it("stops where the job does", async () => {
    const stop = new Error("stopped");
    const watch = { control: { check: () => Promise.reject(stop) } };
    const { description } = demo.architecture;
    await expect(
      scoreDecoder(await written(), description, windows, { threads: 1, step: 64, ...watch }),
    ).rejects.toBe(stop);
  });
});

describe("a window goes in steps", () => {
  const LOGITS_OF_TEN = 10 * 4 * 64;
  async function stepsOf(config: Record<string, unknown>, longest: number): Promise<number> {
    const checkpoint = await openCheckpoint(await writeSyntheticCheckpoint({ vocabulary: 64, config }));
    onTestFinished(() => checkpoint.close());
    return stepTokens(architectureOf(checkpoint), longest, LOGITS_OF_TEN);
  }
  const dynamic = { max_position_embeddings: 32, rope_scaling: { rope_type: "dynamic", factor: 2 } };

  it("of as many tokens as have room for their logits, at least one", async () => {
    expect(await stepsOf({}, 100)).toBe(10);
    expect(await stepsOf({}, 4)).toBe(4);
    const checkpoint = await openCheckpoint(await writeSyntheticCheckpoint());
    onTestFinished(() => checkpoint.close());
    expect(stepTokens(architectureOf(checkpoint), 100, 1)).toBe(1);
  });

  it("but whole where the angles of its beginning follow its length", async () => {
    expect(await stepsOf(dynamic, 100)).toBe(100);
    expect(await stepsOf(dynamic, 30)).toBe(10);
  });
});

it("formats whose runtime Keystone does not carry are not run", async () => {
  expect(await runExported("awq", "/nowhere", judged, request(PLENTY))).toBeNull();
});
