// Loaded before everything else (node --import) by variations.ts: sessions of the runtime are opened as the environment says, in
// every process and thread of a test. The engine knows nothing of it.
import { InferenceSession } from "onnxruntime-node";

const { KEYSTONE_TEST_THREADS: threads, KEYSTONE_TEST_OPTIMIZATION: graphOptimizationLevel } = process.env;
const create = InferenceSession.create.bind(InferenceSession);

InferenceSession.create = (graph, options) =>
  create(graph, {
    ...options,
    ...(threads ? { intraOpNumThreads: Number(threads) } : {}),
    ...(graphOptimizationLevel ? { graphOptimizationLevel } : {}),
  });
