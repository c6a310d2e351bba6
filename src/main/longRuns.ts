import type { App, BrowserWindow, Notification as ElectronNotification, PowerSaveBlocker } from "electron";
import type { JobView } from "#shared/job.ts";
import type { Studio } from "#studio/studio.ts";

/** A job shorter than this ends without a notification: the person is still looking. */
const WORTH_A_NOTICE_SECONDS = 30;

export interface LongRunParts {
  app: App;
  powerSaveBlocker: PowerSaveBlocker;
  Notification: typeof ElectronNotification;
  windows(): BrowserWindow[];
}

/** What the desktop shows of long work: progress in the dock or taskbar, no sleep meanwhile, a notice at the end. */
export class LongRuns {
  readonly #parts: LongRunParts;
  readonly #running = new Map<string, JobView>();
  #blocker: number | null = null;
  #notify = true;

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
    return [...this.#running.values()];
  }

  #update(job: JobView): void {
    const active = job.status === "running" || job.status === "paused" || job.status === "waiting";
    const known = this.#running.has(job.id);
    if (active) this.#running.set(job.id, job);
    else this.#running.delete(job.id);
    if (known && !active) this.#announce(job);
    this.#showProgress();
    this.#keepAwake();
  }

  #announce(job: JobView): void {
    const watched = this.#parts.windows().some((window) => window.isFocused());
    if (!this.#notify || watched || job.seconds < WORTH_A_NOTICE_SECONDS || !this.#parts.Notification.isSupported()) return;
    const body = { done: "Done.", failed: job.error?.message ?? "It failed.", cancelled: "Cancelled. Finished results are kept." }[job.status as "done"];
    const notice = new this.#parts.Notification({ title: job.title, body });
    notice.on("click", () => this.#parts.windows()[0]?.show());
    notice.show();
  }

  #showProgress(): void {
    const jobs = this.unfinished.flatMap((job) => (job.progress ? [job.progress] : []));
    const total = jobs.reduce((sum, progress) => sum + progress.total, 0);
    const done = jobs.reduce((sum, progress) => sum + progress.done, 0);
    const fraction = total > 0 ? done / total : -1;
    for (const window of this.#parts.windows()) window.setProgressBar(fraction);
  }

  #keepAwake(): void {
    const busy = this.unfinished.some((job) => job.status === "running");
    if (busy && this.#blocker === null) this.#blocker = this.#parts.powerSaveBlocker.start("prevent-app-suspension");
    if (!busy && this.#blocker !== null) {
      this.#parts.powerSaveBlocker.stop(this.#blocker);
      this.#blocker = null;
    }
  }
}
