// vLLM loads what Keystone exports as compressed-tensors, GPTQ and AWQ and computes it on a CPU, with the kernels that it has for one.
import { join } from "node:path";
import { vllmCases } from "../packedCases.ts";
import { runPacked } from "../packedExports.ts";
import type { Peer } from "../peer.ts";

export const peer: Peer = {
  title: "vLLM on a CPU",
  section: "peers.md#vllm",
  run: (python) =>
    runPacked(
      python,
      {
        script: join(import.meta.dirname, "vllm_peer.py"),
        tolerance: { float16: 2e-2, bfloat16: 0.15 },
      },
      vllmCases,
    ),
};
