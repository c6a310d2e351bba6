// A studio whose sweeps, experiments and searches are made up and over at once: what is looked at is how their results lie on screen.
import { join } from "node:path";
import { MadeUpSearch } from "./searchServer.ts";
import { serveStudio } from "./serveStudio.ts";

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("Name the folder to serve.");
  const workerFile = join(import.meta.dirname, "..", "..", "test", "studio", "fakeWorker.ts");
  const options = { workerFile, overrides: { device: "cpu", workers: 2, threadsPerWorker: 1 } } as const;
  await serveStudio(folder, options, (studio) => new MadeUpSearch(studio, { answerMs: 0, stepMs: 1 }));
}
