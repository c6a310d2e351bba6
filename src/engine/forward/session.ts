import { locks } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { DeviceReport } from "#shared/device.ts";
import { throughGate } from "./runtime/nativeGate.ts";
import { silenceRuntime } from "./runtime/silenceRuntime.ts";

export type Provider = DeviceReport["used"];

/** Only what is about to fail: the runtime otherwise reports which small integer nodes it keeps on the CPU. */
const LOG_ERRORS_ONLY = 3;
const LONG_MS = 2 ** 30;

export interface SessionOptions {
  readonly provider: Provider;
  readonly threads: number;
}

/** A graph, ready to run. */
export interface Session {
  /** Feeds inputs by name and fills the tensors in `results` by output name; outputs that are not named are not brought back. */
  run(feeds: Readonly<Record<string, Tensor>>, results: Readonly<Record<string, Tensor>>): Promise<void>;
  release(): Promise<void>;
}

/** Opens a session for a graph's bytes, or for the file it lies in. `threads` counts for what runs on the CPU. */
export async function openSession(
  graph: Uint8Array | string,
  { provider, threads }: SessionOptions,
): Promise<Session> {
  const options = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: LOG_ERRORS_ONLY,
  } as const;
  // for sessions of the main thread, where no studio did it
  silenceRuntime();
  const session = await alone(provider, () =>
    typeof graph === "string"
      ? InferenceSession.create(graph, options)
      : InferenceSession.create(graph, options),
  );
  return {
    run: async (feeds, results) => {
      await alone(provider, () => session.run(feeds, results));
    },
    release: () => alone(provider, () => session.release()),
  };
}

/**
 * Keeps the threads of this process off an accelerator while one of them uses it: sessions share one device context, and
 * two of them at work at once end the process (onnxruntime issues 31627 and 32561; seen here too, with WebGPU). The lock
 * goes with its thread, so a thread that is ended while it holds it blocks nobody. CPU sessions share nothing.
 */
async function alone<T>(provider: Provider, work: () => Promise<T>): Promise<T> {
  if (provider === "cpu") return throughGate(work);
  /** A thread that only waits for a lock has nothing to do, and would end. */
  const awake = setInterval(() => undefined, LONG_MS);
  try {
    return await locks.request(`keystone/${provider}`, () => throughGate(work));
  } finally {
    clearInterval(awake);
  }
}

/** An f32 tensor over the caller's memory; nothing is copied. */
export function floats(data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor("float32", data, shape);
}

/** An int32 tensor over the caller's memory. */
export function integers(data: Int32Array, shape: readonly number[]): Tensor {
  return new Tensor("int32", data, shape);
}

/** A vector of int64. */
export function longIntegers(values: readonly number[]): Tensor {
  return new Tensor("int64", BigInt64Array.from(values, BigInt), [values.length]);
}
