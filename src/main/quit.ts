import type { App } from "electron";
import type { JobView } from "#shared/contract/job.ts";

export interface QuitParts {
  app: App;
  /** Jobs that quitting would interrupt. */
  unfinished(): readonly JobView[];
  /** Asks the person; true = quit. */
  confirm(jobs: readonly JobView[]): Promise<boolean>;
  /** Ends the studio: runs in progress become interrupted and can be resumed. */
  close(): Promise<void>;
}

/** Quitting asks while work is running, then lets the studio save its runs before the process ends. */
export class Quit {
  readonly #parts: QuitParts;
  #state: "open" | "closing" | "closed" = "open";

  constructor(parts: QuitParts) {
    this.#parts = parts;
    parts.app.on("before-quit", (event) => {
      if (this.#state === "closed") return;
      event.preventDefault();
      if (this.#state === "open") void this.#end();
    });
  }

  /** Whether windows may close without a question: nothing is running, or the question was answered. */
  get windowsMayClose(): boolean {
    return this.#state === "closed" || this.#parts.unfinished().length === 0;
  }

  async #end(): Promise<void> {
    this.#state = "closing";
    const jobs = this.#parts.unfinished();
    if (jobs.length > 0 && !(await this.#parts.confirm(jobs))) {
      this.#state = "open";
      return;
    }
    try {
      await this.#parts.close();
    } catch (thrown) {
      // Results are saved as they come: the next start finds the run interrupted, whatever failed here.
      console.error(thrown);
    }
    this.#state = "closed";
    this.#parts.app.quit();
  }
}
