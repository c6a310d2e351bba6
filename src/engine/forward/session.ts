import { InferenceSession, Tensor } from "onnxruntime-node";
import type { DeviceReport } from "#shared/device.ts";

export type Provider = DeviceReport["used"];

/** Only what is about to fail: the runtime otherwise reports which small integer nodes it keeps on the CPU. */
const LOG_ERRORS_ONLY = 3;

export interface SessionOptions {
  readonly provider: Provider;
  readonly threads: number;
}

/** Opens a session for a graph's bytes. `threads` counts for what runs on the CPU. */
export async function openSession(
  graph: Uint8Array,
  { provider, threads }: SessionOptions,
): Promise<InferenceSession> {
  return InferenceSession.create(graph, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    logSeverityLevel: LOG_ERRORS_ONLY,
  });
}

/** An f32 tensor over the caller's memory; nothing is copied. */
export function floats(data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor("float32", data, shape);
}

/** An int32 tensor over the caller's memory. */
export function integers(data: Int32Array, shape: readonly number[]): Tensor {
  return new Tensor("int32", data, shape);
}
