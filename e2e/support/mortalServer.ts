// A studio whose workers die of one recipe until the folder it serves holds the cure.
import { join } from "node:path";
import { CURE } from "./mortalWorker.ts";
import { serveStudio } from "./serveStudio.ts";

/** The file whose presence keeps the workers alive. */
export const CURE_FILE = "cure";

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("Name the folder to serve.");
  process.env[CURE] = join(folder, CURE_FILE);
  await serveStudio(folder, {
    workerFile: join(import.meta.dirname, "mortalWorker.ts"),
    overrides: { device: "cpu", workers: 2, threadsPerWorker: 1 },
  });
}
