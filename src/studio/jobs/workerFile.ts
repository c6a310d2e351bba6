import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The module that the pool's threads load. From source it is `src/worker/worker.ts`; in a build it is `worker.js` beside
 * the bundles (chunks lie one folder below). A thread cannot be started from inside an asar archive, so a packaged app
 * keeps it unpacked.
 * @param url where this module lies, wherever it was bundled to
 */
export function workerFileFor(url: string = import.meta.url): string {
  const self = fileURLToPath(url);
  const folder = dirname(self);
  if (self.endsWith(".ts")) return join(folder, "..", "..", "worker", "worker.ts");
  const bundles = basename(folder) === "chunks" ? dirname(folder) : folder;
  return join(bundles, "worker.js").replace(/app\.asar(?=[\\/])/, "app.asar.unpacked");
}
