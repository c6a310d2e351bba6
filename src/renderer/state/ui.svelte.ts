/** What kind of folder or file is being picked. */
export type PickPurpose = "model" | "text" | "tasks" | "export" | "plan";

/** A command of the palette. */
export interface Command {
  id: string;
  /** A verb first: "Find super weights". */
  label: string;
  /** Keys, or the place it leads to, shown at the right. */
  hint?: string;
  keys?: readonly string[];
  icon?: string;
  run(): void;
}

/** State of the frame: what is shown, what the palette offers, what is announced. */
export class Ui {
  navigation = $state(true);
  inspector = $state(true);
  palette = $state(false);
  /** The list of jobs. */
  queue = $state(false);
  /** The list of keys. */
  help = $state(false);
  /** The folder picker of the browser, while it is open. */
  picker: { purpose: PickPurpose; answer: (path: string | null) => void } | null = $state.raw(null);
  /** What the live region says. */
  announcement = $state("");
  #providers: (() => readonly Command[])[] = [];
  #lastAnnounced = -Infinity;

  /** Commands of the view on screen, gathered when the palette opens. */
  get viewCommands(): Command[] {
    return this.#providers.flatMap((provide) => provide());
  }

  /** Adds a view's commands for as long as it is on screen; call inside a component. */
  provide(commands: () => readonly Command[]): void {
    $effect.pre(() => {
      this.#providers.push(commands);
      return () => {
        this.#providers = this.#providers.filter((other) => other !== commands);
      };
    });
  }

  /** Says something to screen readers; what comes within ten seconds is dropped unless it is `urgent`. */
  announce(text: string, urgent = false): void {
    const now = Date.now();
    if (!urgent && now - this.#lastAnnounced < 10_000) return;
    this.#lastAnnounced = now;
    this.announcement = text;
  }

  /** Opens the browser's folder picker; null = nothing was picked. */
  pick(purpose: PickPurpose): Promise<string | null> {
    return new Promise((resolve) => {
      this.picker = {
        purpose,
        answer: (path) => {
          this.picker = null;
          resolve(path);
        },
      };
    });
  }
}
