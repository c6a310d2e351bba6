// A studio whose sweeps and experiments are made up and whose answers to some calls take a while, so that what a window shows
// in between can be seen.
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Args, CallName, Reply } from "#shared/contract/contract.ts";
import { answeredBy, serveStudio } from "./serveStudio.ts";

/** How long a slow answer takes. */
export const LOOK_MS = 1_500;
/** What shows a press within this long did not wait for the studio, whose answer takes twice as long, however loaded the machine is. */
export const ANSWER_MS = LOOK_MS / 2;
/** Time of one of a wave's ten steps. */
const STEP_MS = "120";
/** Time of each of an experiment's rows. */
const ROW_MS = "700";
/** A model in a folder of this name has no text at hand. */
export const BARE = "bare-of-texts";
/** Environment variable: the calls that are slow, with commas between them. */
export const SLOW_CALLS = "KEYSTONE_SLOW_CALLS";

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("Name the folder to serve.");
  process.env["FAKE_STEP_MS"] ??= STEP_MS;
  process.env["FAKE_LAB_MS"] = ROW_MS;
  // In groups of 64 no weight lies beyond 9 deviations.
  process.env["FAKE_SAME_Z"] = "9";
  const slow = new Set((process.env[SLOW_CALLS] ?? "format:list,export:check").split(","));
  const workerFile = join(import.meta.dirname, "..", "..", "test", "studio", "fakeWorker.ts");
  const options = { workerFile, overrides: { device: "cpu", workers: 1, threadsPerWorker: 1 } } as const;
  await serveStudio(folder, options, (studio) =>
    answeredBy(studio, async <C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>> => {
      // A model without any text, the one that ships with the program included.
      if (name === "text:list" && JSON.stringify(args).includes(BARE)) return [] as unknown as Reply<C>;
      if (slow.has(name)) await wait(LOOK_MS);
      return studio.call(name, args);
    }),
  );
}
