import type {
  App,
  BrowserWindow,
  Notification,
  NotificationConstructorOptions,
  PowerSaveBlocker,
} from "electron";
import { EventEmitter } from "node:events";
import { describe, expect, it, vi } from "vitest";
import type { NumberedEvent } from "#shared/contract/events.ts";
import type { JobStatus, JobView } from "#shared/contract/job.ts";
import { settings, type Settings } from "#shared/settings.ts";
import type { Studio } from "#studio/context/studio.ts";
import { LongRuns } from "../../src/main/longRuns.ts";
import { Quit } from "../../src/main/quit.ts";

function job(status: JobStatus, more: Partial<JobView> = {}): JobView {
  return {
    id: "j1",
    kind: "sweep",
    title: "Sweep",
    model: null,
    run: null,
    status,
    progress: null,
    created: "",
    seconds: 60,
    error: null,
    ...more,
  };
}

const progress = (done: number): JobView["progress"] => ({
  done,
  total: 100,
  unit: "variants",
  phase: "",
  rate: null,
  secondsLeft: null,
});

/** LongRuns with everything around it recorded. */
function desk(
  given: Partial<Settings> = {},
  focused = false,
): {
  runs: LongRuns;
  tell: (event: NumberedEvent["event"]) => void;
  bars: number[];
  modes: unknown[];
  notices: string[];
  awake: () => boolean;
} {
  const listeners: ((event: NumberedEvent) => void)[] = [];
  const bars: number[] = [];
  const modes: unknown[] = [];
  const notices: string[] = [];
  const blockers = new Set<number>();
  const window = {
    isFocused: () => focused,
    show: () => undefined,
    setProgressBar: (fraction: number, options: { mode: string }) => {
      bars.push(fraction);
      modes.push(options.mode);
    },
  };
  class Notice extends EventEmitter {
    readonly #text: string;
    constructor({ title, body }: NotificationConstructorOptions) {
      super();
      this.#text = `${title}: ${body}`;
    }
    static isSupported(): boolean {
      return true;
    }
    show(): void {
      notices.push(this.#text);
    }
  }
  const studio = {
    call: () => Promise.resolve(settings.parse(given)),
    on: (listener: (event: NumberedEvent) => void) => listeners.push(listener),
  };
  const powerSaveBlocker = { start: () => blockers.add(1).size, stop: (id: number) => blockers.delete(id) };
  const runs = new LongRuns(
    {
      powerSaveBlocker: powerSaveBlocker as unknown as PowerSaveBlocker,
      Notification: Notice as unknown as typeof Notification,
      windows: () => [window as unknown as BrowserWindow],
    },
    studio as unknown as Studio,
  );
  const tell = (event: NumberedEvent["event"]): void =>
    listeners.forEach((listener) => listener({ seq: 1, event }));
  return { runs, tell, bars, modes, notices, awake: () => blockers.size > 0 };
}

describe("while a job runs", () => {
  it("the machine stays awake, and may sleep while it is paused and when it is over", () => {
    const { tell, awake } = desk();
    for (const [status, expected] of [
      ["waiting", false],
      ["running", true],
      ["paused", false],
      ["running", true],
      ["done", false],
    ] as const) {
      tell({ type: "job", job: job(status) });
      expect(awake()).toBe(expected);
    }
  });

  it("the dock shows how far it is, in steps it can show, and nothing afterwards", () => {
    const { tell, bars, modes } = desk();
    for (const done of [0, 0.1, 0.2, 10, 10.1, 50])
      tell({ type: "job", job: job("running", { progress: progress(done) }) });
    tell({ type: "job", job: job("paused", { progress: progress(50) }) });
    tell({ type: "job", job: job("cancelled", { progress: progress(50) }) });
    expect(bars).toEqual([0, 0.1, 0.5, 0.5, -1]);
    expect(modes.slice(2, 4)).toEqual(["normal", "paused"]);
  });

  it("several jobs share one bar", () => {
    const { tell, bars } = desk();
    tell({ type: "job", job: job("running", { progress: progress(100) }) });
    tell({ type: "job", job: job("running", { id: "j2", progress: progress(0) }) });
    expect(bars.at(-1)).toBe(0.5);
  });
});

describe("when a long job ends", () => {
  it.each([
    ["done", "Sweep: Done."],
    ["cancelled", "Sweep: Cancelled. Finished results are kept."],
    ["failed", "Sweep: The disk is full."],
  ] as const)("as %s, a notice says so", (status, text) => {
    const { tell, notices } = desk();
    tell({ type: "job", job: job("running") });
    tell({
      type: "job",
      job: job(status, {
        error:
          status === "failed" ? { code: "x", message: "The disk is full.", next: "", details: {} } : null,
      }),
    });
    expect(notices).toEqual([text]);
  });

  it.each([
    ["it was short", {}, false, 5],
    ["the window is in front", {}, true, 60],
    ["the settings say no", { notifyWhenDone: false }, false, 60],
  ] as const)("no notice where %s", async (_why, given, focused, seconds) => {
    const { tell, notices } = desk(given, focused);
    await Promise.resolve();
    tell({ type: "job", job: job("running") });
    tell({ type: "job", job: job("done", { seconds }) });
    expect(notices).toEqual([]);
  });
});

describe("quitting", () => {
  /** An app whose quit() asks its listeners, as Electron's does. */
  class FakeApp extends EventEmitter {
    over = false;
    quit(): void {
      let prevented = false;
      this.emit("before-quit", { preventDefault: () => (prevented = true) });
      this.over = !prevented;
    }
  }
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  function quitting(
    jobs: JobView[],
    answers: boolean[],
    close: () => Promise<void> = () => Promise.resolve(),
  ): { app: FakeApp; quit: Quit; asked: () => number } {
    const app = new FakeApp();
    let asked = 0;
    const confirm = (): Promise<boolean> => Promise.resolve(answers[asked++] ?? false);
    return {
      app,
      asked: () => asked,
      quit: new Quit({ app: app as unknown as App, unfinished: () => jobs, confirm, close }),
    };
  }

  it("asks nothing while nothing runs, and closes the studio before the process ends", async () => {
    const order: string[] = [];
    const { app, asked } = quitting([], [], async () => void order.push("closed"));
    app.quit();
    expect(app.over).toBe(false);
    await settle();
    expect([order, app.over, asked()]).toEqual([["closed"], true, 0]);
  });

  it("asks while a job runs, stays when the answer is no, and may be asked again", async () => {
    const { app, quit, asked } = quitting([job("running")], [false, true]);
    expect(quit.windowsMayClose).toBe(false);
    app.quit();
    await settle();
    expect([app.over, asked()]).toEqual([false, 1]);
    app.quit();
    await settle();
    expect([app.over, asked(), quit.windowsMayClose]).toEqual([true, 2, true]);
  });

  it("asks once, however often quit is pressed meanwhile", async () => {
    const { app, asked } = quitting([job("running")], [true]);
    for (let i = 0; i < 5; i++) app.quit();
    await settle();
    expect([app.over, asked()]).toEqual([true, 1]);
  });

  it("ends the process even where the studio cannot close cleanly", async () => {
    const said = vi.spyOn(console, "error").mockReturnValue();
    const { app } = quitting([], [], () => Promise.reject(new Error("disk")));
    app.quit();
    await settle();
    expect([app.over, said.mock.calls.length]).toEqual([true, 1]);
    said.mockRestore();
  });
});
