import type { BrowserWindow, Notification as ElectronNotification, PowerSaveBlocker } from "electron";
import type { JobView } from "#shared/contract/job.ts";
import type { Studio } from "#studio/context/studio.ts";

/** A job shorter than this ends without a notification: the person is still looking. */
const WORTH_A_NOTICE_SECONDS = 30;
/** The dock is told of steps of this size; it shows no finer ones. */
const PROGRESS_STEP = 0.005;
/** Value of setProgressBar that takes the bar away. */
const NO_BAR = -1;

export interface LongRunParts {
  powerSaveBlocker: PowerSaveBlocker;
  Notification: typeof ElectronNotification;
  windows(): BrowserWindow[];
}

/** What the desktop shows of long work: progress in the dock or taskbar, no sleep meanwhile, a notice at the end. */
export class LongRuns {
  readonly #parts: LongRunParts;
  readonly #unfinished = new Map<string, JobView>();
  /** Notices that are on screen: one that is collected as garbage can no longer be clicked. */
  readonly #notices = new Set<ElectronNotification>();
  #blocker: number | null = null;
  #notify = true;
  #shown = { fraction: NO_BAR, paused: false };

  constructor(parts: LongRunParts, studio: Studio) {
    this.#parts = parts;
    void studio.call("settings:get", {}).then((settings) => (this.#notify = settings.notifyWhenDone));
    studio.on(({ event }) => {
      if (event.type === "settings") this.#notify = event.settings.notifyWhenDone;
      if (event.type === "job") this.#update(event.job);
    });
  }

  /** Jobs that would be interrupted by quitting now. */
  get unfinished(): JobView[] {
    return [...this.#unfinished.values()];
  }

  #update(job: JobView): void {
    const over = job.status === "done" || job.status === "failed" || job.status === "cancelled";
    const known = this.#unfinished.has(job.id);
    if (over) this.#unfinished.delete(job.id);
    else this.#unfinished.set(job.id, job);
    if (known && over) this.#announce(job);
    this.#showProgress();
    this.#keepAwake();
  }

  #announce(job: JobView): void {
    const watched = this.#parts.windows().some((window) => window.isFocused());
    if (
      !this.#notify ||
      watched ||
      job.seconds < WORTH_A_NOTICE_SECONDS ||
      !this.#parts.Notification.isSupported()
    )
      return;
    const notice = new this.#parts.Notification({ title: job.title, body: outcome(job) });
    this.#notices.add(notice);
    notice.on("click", () => this.#parts.windows()[0]?.show());
    notice.on("close", () => this.#notices.delete(notice));
    notice.show();
  }

  #showProgress(): void {
    const jobs = this.unfinished.flatMap((job) => (job.progress ? [job.progress] : []));
    const total = jobs.reduce((sum, progress) => sum + progress.total, 0);
    const done = jobs.reduce((sum, progress) => sum + progress.done, 0);
    const fraction = total > 0 ? Math.min(1, done / total) : NO_BAR;
    const paused = jobs.length > 0 && this.unfinished.every((job) => job.status === "paused");
    const same = paused === this.#shown.paused && (fraction === NO_BAR) === (this.#shown.fraction === NO_BAR);
    if (same && Math.abs(fraction - this.#shown.fraction) < PROGRESS_STEP) return;
    this.#shown = { fraction, paused };
    for (const window of this.#parts.windows())
      window.setProgressBar(fraction, { mode: paused ? "paused" : "normal" });
  }

  #keepAwake(): void {
    const busy = this.unfinished.some((job) => job.status === "running");
    if (busy && this.#blocker === null)
      this.#blocker = this.#parts.powerSaveBlocker.start("prevent-app-suspension");
    if (!busy && this.#blocker !== null) {
      this.#parts.powerSaveBlocker.stop(this.#blocker);
      this.#blocker = null;
    }
  }
}

function outcome(job: JobView): string {
  if (job.status === "failed") return job.error?.message ?? "It failed.";
  return job.status === "cancelled" ? "Cancelled. Finished results are kept." : "Done.";
}
