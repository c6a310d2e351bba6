import { describe, expect, it } from "vitest";
import { chooseDevice, chooseOn, type Machine } from "./chooseDevice.ts";
import { LARGE_PROBE, type ProbeResult } from "./probe.ts";
import type { Provider } from "./session.ts";

const LOGITS = Float32Array.of(1, -2, 4);

interface FakeDevice {
  /** Times the CPU's speed, on the small and the large probe. */
  speed?: [number, number];
  /** Added to one logit. */
  error?: number;
  absent?: string;
  throws?: string;
}

/** A machine with these accelerators, and a record of what was run on it. */
function machine(devices: Partial<Record<Provider, FakeDevice>>): Machine & { runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    offered: ["cuda", "webgpu", "dml", "coreml"],
    whyAbsent: (provider) => (devices[provider] ? (devices[provider].absent ?? null) : "it is not installed"),
    runProbe: async (provider, size): Promise<ProbeResult> => {
      const large = size === LARGE_PROBE;
      runs.push(`${provider} ${large ? "large" : "small"}`);
      const device = devices[provider] ?? {};
      if (device.throws !== undefined) throw new Error(device.throws);
      if (provider !== "cpu" && !devices[provider]) throw new Error("library not found");
      const [small, big] = device.speed ?? [1, 1];
      return { logits: LOGITS.with(0, LOGITS[0] + (device.error ?? 0)), seconds: 1 / (large ? big : small) };
    },
  };
}

describe("auto", () => {
  it("takes the first accelerator that matches the CPU and is faster", async () => {
    const report = await chooseOn(
      machine({ cuda: { throws: "no driver" }, webgpu: { speed: [0.5, 8] }, dml: { speed: [9, 9] } }),
      "auto",
    );
    expect(report).toMatchObject({ asked: "auto", used: "webgpu" });
    expect(report.reason).toBe(
      "WebGPU: logits match the CPU's, 8.0 times as fast on the probe. Not CUDA (no driver).",
    );
  });

  it("stays on the CPU where nothing else is there, and says of each why not", async () => {
    const report = await chooseOn(
      machine({ webgpu: { throws: "x.cc:136 Init() status was false. Failed to get a WebGPU adapter" } }),
      "auto",
    );
    expect(report.used).toBe("cpu");
    expect(report.tried.map(({ device, ok, reason }) => ({ device, ok, reason }))).toEqual([
      { device: "cuda", ok: false, reason: "it is not installed" },
      { device: "webgpu", ok: false, reason: "Failed to get a WebGPU adapter" },
      { device: "dml", ok: false, reason: "it is not installed" },
      { device: "coreml", ok: false, reason: "it is not installed" },
    ]);
    expect(report.reason).toMatch(
      /^CPU\. Not CUDA \(it is not installed\), not WebGPU \(Failed to get a WebGPU adapter\)/,
    );
  });

  it("does not take a software adapter, nor wait for it to run the large probe", async () => {
    const slow = machine({ webgpu: { speed: [0.01, 0.001] } });
    const report = await chooseOn(slow, "auto");
    expect(report.used).toBe("cpu");
    expect(report.reason).toContain("not WebGPU (100.0 times slower than the CPU)");
    expect(slow.runs).toEqual(["webgpu small", "cpu small"]);
  });

  it("does not take a device that is slower than the CPU on the large probe", async () => {
    const report = await chooseOn(machine({ coreml: { speed: [2, 0.8] } }), "auto");
    expect(report.used).toBe("cpu");
  });

  it.each([0.1, Number.NaN, Infinity])(
    "does not take a fast device whose logits are off by %d",
    async (error) => {
      const report = await chooseOn(machine({ webgpu: { speed: [9, 9], error } }), "auto");
      expect(report.used).toBe("cpu");
      expect(report.reason).toMatch(/WebGPU \(its logits differ from the CPU's by/);
    },
  );
});

describe("a device that is asked for by name", () => {
  it("is used even where it is slow, and the report says so", async () => {
    const report = await chooseOn(machine({ webgpu: { speed: [0.01, 0.01] } }), "webgpu");
    expect(report).toMatchObject({ asked: "webgpu", used: "webgpu" });
    expect(report.reason).toContain("100.0 times slower than the CPU");
  });

  it("is used even where its library did not seem to be there", async () => {
    expect(await chooseOn(machine({ webgpu: { absent: "no Vulkan loader" } }), "webgpu")).toMatchObject({
      used: "webgpu",
    });
  });

  it("is an error where it is not there, naming what is", async () => {
    await expect(
      chooseOn(machine({ webgpu: {}, coreml: { throws: "broken" } }), "cuda"),
    ).rejects.toMatchObject({
      code: "device/unavailable",
      message: "CUDA cannot be used here: it is not installed.",
      next: "Available here: cpu, webgpu. Choose one of these, or auto.",
    });
    await expect(chooseOn(machine({ webgpu: { throws: "no adapter" } }), "webgpu")).rejects.toMatchObject({
      code: "device/unavailable",
      details: { device: "webgpu", reason: "no adapter", available: "cpu" },
    });
  });

  it("is an error where it computes something else than the CPU", async () => {
    await expect(chooseOn(machine({ webgpu: { error: 1 } }), "webgpu")).rejects.toMatchObject({
      code: "device/inexact",
    });
  });

  it("is the CPU without any probe when the CPU is asked for", async () => {
    const quiet = machine({});
    expect(await chooseOn(quiet, "cpu")).toMatchObject({ asked: "cpu", used: "cpu", tried: [] });
    expect(quiet.runs).toEqual([]);
  });
});

it("refuses a provider that onnxruntime does not have on this platform", async () => {
  const foreign = process.platform === "darwin" ? "dml" : "coreml";
  await expect(chooseDevice({ device: foreign, threads: 1 })).rejects.toMatchObject({
    code: "device/unavailable",
  });
});
