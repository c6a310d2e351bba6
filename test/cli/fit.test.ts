import { describe, expect, it } from "vitest";
import { z } from "zod";
import { cacheBytes } from "#shared/fit.ts";
import { DEMO } from "./demo.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const fit = z.object({
  runtime: z.string(),
  weights: z.number(),
  cache: z.number(),
  overhead: z.number(),
  total: z.number(),
  usable: z.number(),
  fits: z.boolean(),
  longestContext: z.number(),
});
const answer = z.object({
  model: z.string(),
  memoryBytes: z.number(),
  kind: z.string(),
  context: z.number(),
  cache: z.string(),
  rows: z.array(z.object({ name: z.string(), weightBytes: z.number(), runtimes: z.array(fit) })),
});

function run(...options: string[]): ReturnType<typeof runMain> {
  return runMain(["fit", DEMO.model, ...options]);
}

describe("keystone fit", () => {
  it("reckons the original and recipes in three runtimes, for the memory and context that were asked", async () => {
    const recipe = DEMO.recipe("int4-group64-sym");
    const done = await run("--memory", "8GiB", "--context", "4096", "--recipe", recipe, "--json");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    const { rows, ...asked } = answer.parse(done.json());
    expect(asked).toMatchObject({ memoryBytes: 8 * 2 ** 30, kind: "gpu", context: 4096, cache: "f16" });
    expect(rows.map(({ name }) => name)).toEqual(["original", "int4-group64-sym"]);
    expect(rows[0]?.weightBytes).toBe(9_902_592);
    expect(rows[1]?.weightBytes).toBeLessThan(0.4 * 9_902_592);
    const shape = { layers: 6, keyValueHeads: 4, headSize: 32, hiddenSize: 256, intermediateSize: 704 };
    const cache = cacheBytes({ ...shape, vocabulary: 1024, slidingWindow: null }, 4096);
    for (const { runtimes, weightBytes } of rows) {
      expect(runtimes.map(({ runtime }) => runtime)).toEqual(["llama.cpp", "transformers", "vLLM"]);
      for (const one of runtimes)
        expect(one).toMatchObject({
          weights: weightBytes,
          cache,
          fits: true,
          total: one.weights + one.cache + one.overhead,
        });
    }
  });

  it("says no where it does not fit, and how the figures come about", async () => {
    const { code, stdout } = await run("--memory", "64MiB", "--kind", "ram", "--cache", "q8");
    expect(code).toBe(0);
    expect(stdout).toContain("64 MiB of RAM, one sequence of 192 tokens");
    expect(stdout).toMatch(/original {2}llama\.cpp .* no /);
    expect(stdout).toContain("System and other programs");
    expect(stdout).toContain("q8_0, 34 bytes for 32 values");
  });

  it.each(["8", "8 apples", "0GiB", "-1GiB"])("refuses the memory %j", async (memory) => {
    const { code, stderr } = await run("--memory", memory);
    expect(code).toBe(2);
    expect(stderr).toContain("8GiB");
  });
});
