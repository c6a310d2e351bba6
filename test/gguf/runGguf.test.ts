import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runGguf } from "#engine/export/verify/runGguf.ts";
import type { RunRequest } from "#engine/export/verify/runRequest.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { cancelledError } from "#shared/errors.ts";
import { runExported } from "#engine/export/verify/runExported.ts";
import { expectSum, float32Bound } from "../support/rounding.ts";
import { bench, modelOf } from "../export/exporting.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const PLENTY = 2 ** 40;
const IDS = [1, 5, 7, 2];

/**
 * A stand-in for node-llama-cpp with the parts of its interface that are used. `parts` replaces some of them: `weight` is the sum of
 * exp(logit − largest), and every label's logit is the largest, so that the perplexity is that sum.
 */
async function programsWith(parts: Record<string, string> = {}): Promise<string> {
  const { load, tokenize, weight, atImport } = {
    load: "",
    tokenize: "return Array.from(text, (c) => c.charCodeAt(0));",
    weight: "8",
    atImport: "",
    ...parts,
  };
  const folder = await temporaryFolder();
  const place = join(folder, "node_modules", "node-llama-cpp");
  await mkdir(place, { recursive: true });
  await writeFile(
    join(place, "package.json"),
    JSON.stringify({ name: "node-llama-cpp", type: "module", exports: "./index.js" }),
  );
  await writeFile(
    join(place, "index.js"),
    `${atImport}
    const sequence = {
      clearHistory: async () => undefined,
      controlledEvaluate: async (items) => items.map((item) =>
        Array.isArray(item)
          ? { next: { logits: new Map([[item[1].generateNext.logits.filter.tokens[0], 3]]), totalLogitWeight: ${weight} } }
          : undefined),
    };
    const model = {
      createContext: async () => ({ getSequence: () => sequence }),
      tokenize(text) { ${tokenize} },
    };
    export const getLlama = async () => ({
      llamaCppRelease: { release: "b1234" },
      loadModel: async () => { ${load} return model; },
    });`,
  );
  return folder;
}

const windows: WindowSet = {
  windows: [0, 1].map(() => ({
    ids: Int32Array.from(IDS),
    labels: Int32Array.from([...IDS.slice(1), -1]),
  })) as unknown as WindowSet["windows"],
  ...{ scored: 6, textTokens: 8, words: 2, bytes: 8, texts: [IDS, IDS], prefix: null },
  convention: {
    ...{ windows: "bos", context: 4, stride: 4, bos: true, documents: 2, windowCount: 2 },
    text: "",
  },
};

async function requestWith(changes: Partial<RunRequest>): Promise<{ folder: string; request: RunRequest }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "model-F32.gguf"), "GGUF");
  const { checkpoint } = await bench();
  const request: RunRequest = {
    ...{ model: modelOf(checkpoint), windows, threads: 1, watch: {}, memoryBytes: PLENTY, programs: [] },
    passages: [{ text: "ab", ids: [97, 98] }],
    ...changes,
  };
  return { folder, request };
}

describe("a written GGUF file in llama.cpp", () => {
  it("is not run where node-llama-cpp is not installed, and says so in one sentence", async () => {
    const { folder, request } = await requestWith({});
    expect(await runGguf(folder, request)).toEqual({
      name: "llama.cpp",
      perplexity: null,
      notRun: "The file was not run in llama.cpp: node-llama-cpp is not installed.",
    });
  });

  it("is run in a process of its own where it is, named with its release, and scored on every label", async () => {
    const { folder, request } = await requestWith({ programs: ["/no/such/place", await programsWith()] });
    const score = await runGguf(folder, request);
    expect(score).toMatchObject({ name: "llama.cpp b1234", notRun: null });
    expectSum(score.perplexity, 8, float32Bound({ magnitude: 8, terms: 8 }));
    const verified = await runExported("gguf", folder, 8, request);
    expect(verified).toEqual(score);
  });

  it("ends the export where it gives another number than the weights have", async () => {
    const programs = [await programsWith({ weight: "9" })];
    const { folder, request } = await requestWith({ programs });
    await expect(runExported("gguf", folder, 8, request)).rejects.toMatchObject({
      code: "export/runtime-differs",
      message: expect.stringMatching(/^llama\.cpp b1234 gives the written files a perplexity of 9/) as string,
    });
  });

  it("ends the export where it does not load the file, with llama.cpp's own words", async () => {
    const load = 'throw new Error("wrong number of tensors; expected 21, got 20");';
    const { folder, request } = await requestWith({ programs: [await programsWith({ load })] });
    await expect(runGguf(folder, request)).rejects.toMatchObject({
      code: "export/runtime-failed",
      message: "llama.cpp does not load the written file: wrong number of tensors; expected 21, got 20",
    });
  });

  it("ends the export where its process dies, which Keystone's does not", async () => {
    const programs = [await programsWith({ load: "process.abort();" })];
    const { folder, request } = await requestWith({ programs });
    await expect(runGguf(folder, request)).rejects.toMatchObject({ code: "export/runtime-failed" });
  });

  it("ends the export where it cuts a document into other tokens", async () => {
    const programs = [await programsWith({ tokenize: "return [97, 99];" })];
    const { folder, request } = await requestWith({ programs });
    await expect(runGguf(folder, request)).rejects.toMatchObject({
      code: "export/other-tokens",
      message: "llama.cpp cuts the text differently: token 2 of document 1 is 99 instead of 98.",
    });
  });

  it("is not run where the package does not work on this machine, or memory is short", async () => {
    const broken = [await programsWith({ atImport: 'throw new Error("no binary for this system");' })];
    const { folder, request } = await requestWith({ programs: broken });
    expect((await runGguf(folder, request)).notRun).toBe(
      "The file was not run in llama.cpp: node-llama-cpp does not work here (no binary for this system).",
    );
    const short = { ...request, programs: [await programsWith()], memoryBytes: 1000 };
    expect((await runGguf(folder, short)).notRun).toMatch(/it needs about .* of memory for it/);
  });

  it("is stopped with the job", async () => {
    const check = (): void => {
      throw cancelledError();
    };
    const { folder, request } = await requestWith({
      programs: [await programsWith()],
      watch: { control: { check } },
    });
    await expect(runGguf(folder, request)).rejects.toMatchObject({ code: "job/cancelled" });
  });
});
