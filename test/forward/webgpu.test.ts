import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { demoReport, reportDemo, type DemoReport } from "./demoReport.ts";
import { DEMO_LOGITS, divergenceBound, expectSum, float32Bound } from "../support/rounding.ts";
import { softwareWebGpuEnvironment } from "./softwareWebGpu.ts";

/** Share of the CPU's value by which WebGPU may differ. Measured: 1e-6. */
const TOLERANCE = float32Bound({ ...DEMO_LOGITS, magnitude: 1 });
/** Logits are rounded as the largest of them. */
const LOGITS = float32Bound(DEMO_LOGITS);
/** A software device computes about 1 GFLOP/s. */
const PATIENCE_MS = 300_000;

async function onSoftwareWebGpu(device: string): Promise<DemoReport> {
  const script = join(import.meta.dirname, "demoReport.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, device], {
    env: softwareWebGpuEnvironment(),
    maxBuffer: 2 ** 26,
  });
  return demoReport.parse(JSON.parse(stdout));
}

function expectClose(found: number, expected: number, what: string): void {
  expectSum(found, expected, TOLERANCE * Math.abs(expected), `${what} on WebGPU`);
}

describe("the demo model on WebGPU (a software device)", () => {
  let cpu: DemoReport;
  let gpu: DemoReport;
  beforeAll(async () => {
    cpu = await reportDemo("cpu");
    gpu = await onSoftwareWebGpu("webgpu");
  }, PATIENCE_MS);

  it("ran on WebGPU", () => {
    expect(gpu.device.used).toBe("webgpu");
    expect(gpu.device.reason).toMatch(/logits match the CPU's/);
  });

  it("has the CPU's logits", () => {
    expect(gpu.logits).toHaveLength(cpu.logits.length);
    cpu.logits.forEach((expected, i) => expectSum(gpu.logits[i], expected, LOGITS, `logit ${i}`));
  });

  it("has the CPU's super weight and the CPU's largest activations in every layer", () => {
    expect(cpu.superWeights).toHaveLength(1);
    expect(gpu.superWeights).toEqual(cpu.superWeights);
    cpu.layers.forEach((expected, layer) => {
      for (const tap of ["input", "output", "residual"] as const) {
        expectClose(gpu.layers[layer][tap].value, expected[tap].value, `${tap} of layer ${layer}`);
      }
    });
  });

  it("has the CPU's perplexity, and a variant's perplexity and KL", () => {
    expectClose(gpu.perplexity, cpu.perplexity, "perplexity");
    expectClose(gpu.variant.perplexity, cpu.variant.perplexity, "perplexity of a 3-bit variant");
    expectSum(gpu.variant.kl, cpu.variant.kl, divergenceBound(cpu.variant.kl, DEMO_LOGITS), "KL");
    expect(gpu.variant.topAgreement).toBe(cpu.variant.topAgreement);
  });
});
