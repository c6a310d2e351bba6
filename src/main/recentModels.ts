import type { App } from "electron";
import type { RecentModel } from "#shared/contract/contract.ts";
import type { Studio } from "#studio/context/studio.ts";

/** So many models are listed in the menu. */
const MOST_LISTED = 10;

export interface RecentParts {
  app: App;
  /** Lets the studio use a model that a person opened before, in this window or on the command line. */
  grant(path: string): void;
  /** Shows the list in the menu. */
  show(models: readonly RecentModel[]): void;
}

/** Keeps the menu's and the system's lists of recent models up to date. */
export class RecentModels {
  readonly #parts: RecentParts;
  readonly #studio: Studio;
  #newest: string | null = null;

  constructor(parts: RecentParts, studio: Studio) {
    this.#parts = parts;
    this.#studio = studio;
    studio.on(({ event }) => {
      if (event.type === "recent-models") void this.refresh();
    });
    // The command line may have opened one meanwhile.
    parts.app.on("browser-window-focus", () => void this.refresh());
  }

  async refresh(): Promise<void> {
    const models = await this.#studio.call("model:recent", {}).catch(() => []);
    const present = models.filter((model) => !model.missing);
    for (const model of present) this.#parts.grant(model.path);
    const newest = present[0]?.path ?? null;
    if (newest !== null && newest !== this.#newest) this.#parts.app.addRecentDocument(newest);
    this.#newest = newest;
    this.#parts.show(present.slice(0, MOST_LISTED));
  }
}
