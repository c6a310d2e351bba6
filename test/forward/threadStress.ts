import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createGate, shutGate, useGate, type NativeGate } from "#engine/forward/runtime/nativeGate.ts";
import { LARGE_PROBE, runProbe, SMALL_PROBE } from "#engine/forward/probe.ts";
import { deviceReport } from "#shared/device.ts";

interface WorkerData {
  device: string;
  long: boolean;
  gate: NativeGate;
}

/** Threads at once: more than a pool has on a small machine. */
const THREADS = 4;

/**
 * Starts threads that open sessions, run and close, several times over. Every other thread is ended in the middle of its
 * work, behind its gate, as a cancelled job's is. Prints the number of threads that did as they should.
 */
async function stress(device: string, rounds: number): Promise<number> {
  let good = 0;
  for (let round = 0; round < rounds; round++) {
    const ends = Array.from({ length: THREADS }, (_, i) => (i % 2 === 0 ? finished(device) : cut(device)));
    good += (await Promise.all(ends)).filter(Boolean).length;
  }
  return good;
}

function start(device: string, long: boolean, gate: NativeGate): Worker {
  return new Worker(new URL(import.meta.url), { workerData: { device, long, gate } });
}

async function finished(device: string): Promise<boolean> {
  const worker = start(device, false, createGate());
  const [message]: unknown[][] = await Promise.all([once(worker, "message"), once(worker, "exit")]);
  return message[0] === "finite";
}

async function cut(device: string): Promise<boolean> {
  const gate = createGate();
  const worker = start(device, true, gate);
  await once(worker, "message");
  await shutGate(gate);
  return (await worker.terminate()) === 1;
}

async function work({ device, long, gate }: WorkerData): Promise<void> {
  useGate(gate);
  const provider = deviceReport.shape.used.parse(device);
  if (long) {
    parentPort?.postMessage("begun");
    for (;;) await runProbe(provider, 1, provider === "cpu" ? LARGE_PROBE : SMALL_PROBE);
  }
  const { logits } = await runProbe(provider, 1, SMALL_PROBE);
  parentPort?.postMessage(logits.every(Number.isFinite) ? "finite" : "not finite");
}

const [, , device = "cpu", rounds = "1"] = process.argv;
if (isMainThread) process.stdout.write(String(await stress(device, Number(rounds))));
else await work(workerData as WorkerData);
