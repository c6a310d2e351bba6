import { createStudio } from "#studio/createStudio.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";

/** A studio in a process of its own, for tests that kill it: home, worker, model, text and plan come as one JSON argument. */
const { home, workerFile, model, text, plan } = JSON.parse(process.argv[2] ?? "{}") as Record<
  string,
  string
> & { plan: unknown };
const studio = createStudio({
  ...(home ? { home } : {}),
  ...(workerFile ? { workerFile } : {}),
  overrides: { device: "cpu", workers: 2, threadsPerWorker: 1 },
});
studio.on(({ event }) => {
  if (event.type !== "variants") return;
  for (const { status } of event.results) if (status === "done") process.stdout.write("done\n");
});
const { job, run } = await studio.call("job:sweep", { model: model ?? "", plan, text: text ?? "" });
process.stdout.write(`run ${run}\n`);
await waitForJob(studio, job);
await studio.close();
