import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { diffCheckpoints } from "#engine/evaluate/diffCheckpoints.ts";
import type { DiffReport, TensorDiff } from "#shared/diff.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { readParts, renamed, writeParts, type Tensors } from "../support/rewrittenCheckpoint.ts";
import { storedAs } from "../support/safetensorsBytes.ts";
import { runMain } from "../cli/runMain.ts";
import { startStudio, temporaryFolder } from "./helpers.ts";

const GOLDEN = join(import.meta.dirname, "../golden");
const TINY = join(GOLDEN, "transformers/llama-f32");
const figures = z.object({ maxAbs: z.number(), relativeRms: z.number(), sqnrDb: z.number().nullable() });
const golden = z
  .object({
    tensors: z.record(z.string(), figures),
    pooled: z.object({ relativeRms: z.number(), sqnrDb: z.number() }),
  })
  .parse(JSON.parse(readFileSync(join(GOLDEN, "diff/llama-f32.json"), "utf8")));
/** Sums of some thousand numbers in float64, added in another order. */
const RELATIVE = 1e-12;

function valuesOf({ data = new Uint8Array() }: Tensors[string]): Float32Array {
  return new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
}

/** The copy that scripts/golden/diff.py makes: every tensor but the norms changed by rule. */
async function changed(): Promise<{ config: Record<string, unknown>; tensors: Tensors }> {
  const { config, tensors } = await readParts(TINY);
  const entries = Object.entries(tensors).map(([name, tensor]): [string, Tensors[string]] => {
    if (name.includes("norm")) return [name, tensor];
    const values = valuesOf(tensor).map((w, i) => w * 1.0625 + ((i % 7) - 3) / 1024);
    return [name, storedAs("F32", tensor.shape, values)];
  });
  return { config, tensors: Object.fromEntries(entries) };
}

function close(value: number | null, expected: number | null): void {
  if (expected === null || value === null) expect(value).toBe(expected);
  else expect(Math.abs(value / expected - 1)).toBeLessThan(RELATIVE);
}

function of(report: Pick<DiffReport, "tensors">, name: string): TensorDiff {
  const found = report.tensors.find((tensor) => tensor.name === name);
  if (!found) throw new Error(`${name} is missing`);
  return found;
}

describe("a diff of two checkpoints", () => {
  it.each([undefined, 50])("has NumPy's errors, tensors whole and in parts of %s weights", async (part) => {
    const [a, b] = [await openCheckpoint(TINY), await openCheckpoint(await writeParts(await changed()))];
    const report = await diffCheckpoints({ a, b, ...(part === undefined ? {} : { part }) });
    await Promise.all([a.close(), b.close()]);
    expect(report.tensors.map(({ name }) => name).sort()).toEqual(Object.keys(golden.tensors).sort());
    for (const [name, expected] of Object.entries(golden.tensors)) {
      const found = of(report, name);
      expect(found.status).toBe(expected.sqnrDb === null ? "equal" : "differs");
      expect(found.maxAbs).toBe(expected.maxAbs);
      if (expected.relativeRms > 0) close(found.relativeRms, expected.relativeRms);
      else expect(found.relativeRms).toBe(0);
      close(found.sqnrDb, expected.sqnrDb);
    }
    close(report.pooled.relativeRms, golden.pooled.relativeRms);
    close(report.pooled.sqnrDb, golden.pooled.sqnrDb);
    expect(report.tensors[0]?.status).toBe("differs");
    expect(report.tensors.at(-1)?.status).toBe("equal");
  });

  it("names what only one has, other shapes and other types, in the command line and as a job", async () => {
    const { config, tensors } = await readParts(TINY);
    const own = Object.keys(tensors).find((name) => name.includes("layers.0.mlp.up_proj")) ?? "";
    const typed = Object.keys(tensors).find((name) => name.includes("layers.0.self_attn.v_proj")) ?? "";
    const broken = Object.keys(tensors).find((name) => name.includes("layers.0.mlp.gate_proj")) ?? "";
    const values = valuesOf(tensors[broken] ?? { dtype: "F32", shape: [0] });
    values[3] = NaN;
    const b = await writeParts({
      config: { ...config, architectures: ["UnknownForCausalLM"], model_type: "unknown" },
      tensors: {
        ...renamed(tensors, (name) => (name === own ? "another.weight" : name)),
        [typed]: storedAs(
          "BF16",
          tensors[typed]?.shape ?? [],
          valuesOf(tensors[typed] ?? { dtype: "F32", shape: [] }),
        ),
        [broken]: storedAs("F32", tensors[broken]?.shape ?? [], values),
        "lm_head.weight": storedAs("F32", [2, 3], new Float32Array(6)),
      },
    });
    const studio = startStudio({ home: temporaryFolder() });
    const { job } = await studio.call("job:diff", { a: TINY, b });
    await waitForJob(studio, job);
    const result = await studio.call("job:result", { job });
    if (result.kind !== "diff") throw new Error(result.kind);
    const { report } = result;
    expect(of(report, own)).toMatchObject({ status: "only-a", b: null, maxAbs: null });
    expect(of(report, "another.weight")).toMatchObject({ status: "only-b", a: null });
    expect(of(report, "lm_head.weight")).toMatchObject({
      status: "other-shape",
      b: { shape: [2, 3] },
      maxAbs: null,
    });
    expect(of(report, typed)).toMatchObject({
      status: "differs",
      a: { storedAs: "F32" },
      b: { storedAs: "BF16" },
    });
    expect(of(report, broken)).toMatchObject({ status: "differs", maxAbs: null, notFinite: true });
    expect(report.counts).toMatchObject({ "only-a": 1, "only-b": 1, "other-shape": 1, differs: 2 });

    const said = await runMain(["diff", TINY, b], { env: { KEYSTONE_HOME: temporaryFolder() } });
    expect(said.code).toBe(0);
    expect(said.stdout).toContain("2 differ, 1 have other shapes, 1 only in A, 1 only in B");
    expect(said.stdout).toContain("not finite");
    const same = await runMain(["diff", TINY, TINY, "--json"], { env: { KEYSTONE_HOME: temporaryFolder() } });
    expect(same.json()).toMatchObject({
      counts: { equal: report.tensors.length - 1 },
      pooled: { maxAbs: 0 },
    });
  });
});
