// A studio that is real and slow: every answer takes its time, some more than others, so that they come in another order than
// they were asked for.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { answeredBy, serveStudio } from "./serveStudio.ts";

/** Answers take 0, 1, … times this, in turn. */
const STEP_MS = 130;
const TURNS = 5;

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("Name the folder to serve.");
  const options = {
    workerFile: join(import.meta.dirname, "walkWorker.ts"),
    overrides: { device: "cpu", workers: 1, threadsPerWorker: 1 },
  } as const;
  let asked = 0;
  await serveStudio(folder, options, (studio) =>
    answeredBy(studio, async (name, args) => {
      await wait((asked++ % TURNS) * STEP_MS);
      return studio.call(name, args);
    }),
  );
}
