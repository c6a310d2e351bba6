import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readManifest } from "#engine/export/card/manifestFiles.ts";
import { exportFormat, exportReport, type ExportFormat, type ExportReport } from "#shared/exporting.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { start } from "./process.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

/** A recipe that each format holds. */
const RECIPES: Readonly<Record<ExportFormat, object>> = {
  safetensors: { scheme: "affine", bits: 4, granularity: "group:64" },
  "compressed-tensors": { scheme: "compressed-tensors", bits: 4, granularity: "group:64" },
  gptq: { scheme: "gptq-int", bits: 4, granularity: "group:64" },
  awq: { scheme: "awq-int", bits: 4, granularity: "group:64" },
  mlx: { scheme: "mlx", bits: 4, granularity: "group:64" },
  gguf: { scheme: "q4_0", bits: 4, granularity: "group:32" },
  onnx: { scheme: "matmulnbits", bits: 4, granularity: "group:64" },
};

/** Relative, of the perplexity: f32 sums in another order. Measured: 1e-7. */
const RUNTIME_BOUND = 1e-4;

async function exportOf(format: ExportFormat): Promise<{ home: string; out: string; argv: string[] }> {
  const home = await temporaryFolder();
  const recipe = join(home, "recipe.json");
  const out = join(home, "exports", "out");
  await writeFile(recipe, JSON.stringify(RECIPES[format]));
  return { home, out, argv: ["export", DEMO.model, "--recipe", recipe, "--format", format, "--out", out] };
}

describe("a verified export", () => {
  for (const format of exportFormat.options) {
    it(`as ${format} says so in keystone.json and in its card, with true hashes of every file`, async () => {
      const { out, argv } = await exportOf(format);
      const exported = await runMain([...argv, "--verify", "--text", DEMO.text, "--tokens", "300", "--json"]);
      expect([exported.code, exported.stderr]).toEqual([0, ""]);
      const report = exportReport.parse(exported.json());
      expect(report.verified).toMatchObject({ maxAbsDiff: 0, perplexity: expect.any(Number) as unknown });
      expectRun(report);
      const record = await readManifest(out);
      expect(record.verified).toEqual(report.verified);
      const card = await readFile(join(out, "README.md"), "utf8");
      expect(card).toMatch(/\| this export, reopened \| \d/);
      expect(card).toContain("the largest difference is 0");
      for (const { path, sha256 } of report.files)
        expect([path, await sha256Of(join(out, path))]).toEqual([path, sha256]);
      const names = report.files.map(({ path }) => path);
      expect(names.toSorted()).toEqual((await readdir(out)).toSorted());
      expect([...record.files.map(({ path }) => path), "keystone.json"].toSorted()).toEqual(names.toSorted());
    });
  }
});

/** An ONNX decoder is run by the runtime that Keystone carries, on the same tokens; a GGUF file where llama.cpp is installed. */
function expectRun({ format, verified }: ExportReport): void {
  const runtime = verified?.runtime ?? null;
  if (format === "gguf") {
    expect(runtime?.notRun).toBe("The file was not run in llama.cpp: node-llama-cpp is not installed.");
    return;
  }
  if (format !== "onnx") {
    expect(runtime).toBeNull();
    return;
  }
  expect(runtime).toMatchObject({
    name: expect.stringMatching(/^onnxruntime \d+\.\d+/) as unknown,
    notRun: null,
  });
  const off = (runtime?.perplexity ?? NaN) / (verified?.perplexity ?? NaN) - 1;
  expect(Math.abs(off)).toBeLessThan(RUNTIME_BOUND);
}

describe("an export that is stopped", () => {
  const STOPS: readonly (readonly [string, (names: readonly string[]) => boolean])[] = [
    ["while it writes", (names) => names.length > 0],
    [
      "while it is verified",
      (names) => names.some((name) => name.endsWith(".gguf")) && names.includes("tokenizer.json"),
    ],
  ];
  for (const [when, reached] of STOPS) {
    it(`with Ctrl-C ${when} leaves nothing, not even the folder above it`, async () => {
      const { home, out, argv } = await exportOf("gguf");
      const run = start([...argv, "--verify", "--text", DEMO.text], home);
      await untilPart(home, reached);
      run.child.kill("SIGINT");
      const { code, stderr } = await run.ended;
      expect(stderr).toContain("The job was cancelled");
      expect(code).toBe(1);
      expect(await readdir(home)).not.toContain("exports");
      expect(out).toContain("exports");
    });
  }

  it("with a signal that cannot be caught leaves a folder that the next export there removes", async () => {
    const { home, out, argv } = await exportOf("gguf");
    const killed = start([...argv, "--verify", "--text", DEMO.text], home);
    await untilPart(home, (names) => names.some((name) => name.endsWith(".gguf")));
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(await readdir(join(home, "exports"))).toEqual([expect.stringMatching(/^out\..*\.part$/)]);
    const again = await runMain([...argv, "--json"]);
    expect([again.code, again.stderr]).toEqual([0, ""]);
    expect(await readdir(join(home, "exports"))).toEqual(["out"]);
    expect((await readManifest(out)).verified).toBeNull();
  });
});

/** Waits until the unfinished folder holds what is asked for. */
async function untilPart(home: string, reached: (names: readonly string[]) => boolean): Promise<void> {
  for (;;) {
    const beside = await namesIn(join(home, "exports"));
    const part = beside.find((name) => name.endsWith(".part"));
    const names = part === undefined ? [] : await namesIn(join(home, "exports", part));
    if (reached(names)) return;
    if (beside.includes("out")) throw new Error("The export ended before it could be stopped.");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** None where the folder is not there, or no longer. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((): string[] => []);
}

async function sha256Of(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
