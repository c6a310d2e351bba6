// Records how a real sweep says how far it is: node scripts/golden/progress.ts MODEL TEXT > test/golden/progress/NAME.json
// Time is the process's own processor time, with one worker of one thread: on a machine that does nothing else it is the clock's,
// and what others do beside it leaves it as it is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createStudio } from "#studio/createStudio.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";

const [model = "", text = ""] = process.argv.slice(2);
const PLAN = {
  recipes: [
    { scheme: "affine", bits: 4, granularity: "group:64", restore: "super-weights" },
    { scheme: "int", bits: 4, symmetric: true, granularity: "group:32" },
    { scheme: "nf4", granularity: "group:64" },
    { scheme: "affine", bits: 3, granularity: "flat:16384", range: { method: "zscore", threshold: 9 } },
    { scheme: "q8_0" },
  ],
  judge: { context: 512, tokens: 1022 },
};

const home = mkdtempSync(join(tmpdir(), "keystone-progress-"));
const studio = createStudio({ home, overrides: { device: "cpu", workers: 1, threadsPerWorker: 1 } });
const { job } = await studio.call("job:sweep", { model, plan: PLAN, text });
const begun = process.cpuUsage();
const seconds = (): number => {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1e6;
};
const rows: [seconds: number, done: number, total: number, phase: string][] = [];
await waitForJob(studio, job, {
  onProgress: ({ progress }) => {
    if (progress) rows.push([rounded(seconds()), rounded(progress.done), progress.total, progress.phase]);
  },
});
const whole = rounded(seconds());
await studio.close();
rmSync(home, { recursive: true, force: true });
const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
process.stdout.write(
  `{\n  "model": ${JSON.stringify(basename(model))},\n  "seconds": ${whole},\n  "rows": [\n${lines}\n  ]\n}\n`,
);

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
