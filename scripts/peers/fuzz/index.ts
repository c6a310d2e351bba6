// Random small checkpoints, whole and disturbed: NumPy, Keystone, and llama.cpp or onnxruntime on what it exports, compute the
// same, or Keystone refuses with a reason. A failure names its seed, which makes the same checkpoint again.
import { llamaLibraries } from "../gguf/llamaLibraries.ts";
import type { Peer, PeerReport } from "../peer.ts";
import { fuzz } from "./fuzz.ts";
import { checksOf, outcomeText } from "./report.ts";

const SEEDS = 500;
/** Checkpoints on the disk at a time. */
const BATCH = 25;

async function run(python: string): Promise<PeerReport> {
  const libraries = llamaLibraries();
  const outcomes = [];
  for (let first = 0; first < SEEDS; first += BATCH) {
    const seeds = Array.from({ length: BATCH }, (_, i) => first + i);
    outcomes.push(...(await fuzz(seeds, { libraries, python })));
  }
  return {
    versions: { ...libraries.versions, Node: process.versions.node },
    text: outcomeText(outcomes),
    checks: checksOf(outcomes),
    failures: outcomes.flatMap(({ seed, disturbed, failures }) =>
      failures.map((failure) => `seed ${seed} (${disturbed.join("; ") || "nothing disturbed"}): ${failure}`),
    ),
  };
}

export const peer: Peer = { title: "NumPy, random checkpoints", section: "fuzzing.md#what-was-found", run };
