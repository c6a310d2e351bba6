import { KeystoneError } from "#shared/errors.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { Studio } from "./studio.ts";

/**
 * Resolves when a job is done.
 * @throws KeystoneError the job's own error; job/cancelled where it was cancelled
 */
export async function waitForJob(
  studio: Studio,
  job: string,
  options: { onProgress?: (view: JobView) => void } = {},
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = (view: JobView | undefined): void => {
      if (!view) return;
      options.onProgress?.(view);
      if (view.status === "done") settle(resolve);
      else if (view.status === "failed" || view.status === "cancelled") settle(() => reject(errorOf(view)));
    };
    const stop = studio.on(({ event }) => {
      if (event.type === "job" && event.job.id === job) look(event.job);
    });
    const settle = (end: () => void): void => {
      stop();
      end();
    };
    // It may have ended before anybody listened.
    studio.call("job:list", {}).then((jobs) => look(jobs.find((view) => view.id === job)), reject);
  });
}

function errorOf({ id, status, error }: JobView): KeystoneError {
  return error
    ? KeystoneError.fromData(error)
    : new KeystoneError(`job/${status}`, `The job ended as ${status}.`, "Start it again.", { job: id });
}
