// AutoAWQ, whose format it is, loads what Keystone exports as AWQ and computes it on a CPU with its own unpacking.
import { join } from "node:path";
import { awqCases } from "../packedCases.ts";
import { runPacked } from "../packedExports.ts";
import type { Peer } from "../peer.ts";

export const peer: Peer = {
  title: "AutoAWQ",
  section: "peers.md#autoawq",
  run: (python) =>
    runPacked(
      python,
      { script: join(import.meta.dirname, "autoawq_peer.py"), tolerance: { float16: 5e-2 } },
      awqCases,
    ),
};
