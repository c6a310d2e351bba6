import type { JobStatus, JobView } from "#shared/contract/job.ts";

/** Whether nothing more will come of the job. */
export function isOver(status: JobStatus): boolean {
  return status === "done" || status === "failed" || status === "cancelled";
}

/** Tells which jobs have ended since it was last asked. */
export class EndedJobs {
  readonly #known = new Set<string>();

  /** Jobs that are over and were not before. */
  take(jobs: Iterable<JobView>): JobView[] {
    return [...jobs].filter((job) => {
      if (!isOver(job.status)) this.#known.delete(job.id);
      else if (!this.#known.has(job.id)) {
        this.#known.add(job.id);
        return true;
      }
      return false;
    });
  }
}
