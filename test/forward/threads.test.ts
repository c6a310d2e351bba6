import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { softwareWebGpuEnvironment } from "./softwareWebGpu.ts";

const THREADS_A_ROUND = 4;
const PATIENCE_MS = 300_000;

/** In a process of its own, so that a crash of the runtime fails this test and no other. */
async function stress(device: string, rounds: number, env: NodeJS.ProcessEnv): Promise<string> {
  const script = join(import.meta.dirname, "threadStress.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, device, String(rounds)], { env });
  return stdout;
}

it(
  "threads open CPU sessions, run and end, some of them in mid-run, without a crash",
  async () => {
    expect(await stress("cpu", 5, process.env)).toBe(String(5 * THREADS_A_ROUND));
  },
  PATIENCE_MS,
);

it(
  "threads that share one WebGPU device take turns instead of crashing",
  async () => {
    expect(await stress("webgpu", 1, softwareWebGpuEnvironment())).toBe(String(THREADS_A_ROUND));
  },
  PATIENCE_MS,
);
