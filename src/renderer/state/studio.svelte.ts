import { SvelteMap } from "svelte/reactivity";
import type { GenerateReport } from "#shared/comparison.ts";
import type { AppInfo, Host, RecentModel, SavedPlan } from "#shared/contract/contract.ts";
import type { DeviceReport } from "#shared/device.ts";
import { KeystoneError, toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { StudioEvent } from "#shared/contract/events.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { RunSummary } from "#shared/run.ts";
import type { Settings } from "#shared/settings.ts";
import { isOver } from "./endedJobs.ts";
import { EventStream } from "./eventStream.ts";
import { Lab } from "./lab.svelte.ts";
import { LiveRun } from "./liveRun.svelte.ts";
import { OpenModel } from "./openModel.svelte.ts";
import { outliving } from "./outliving.svelte.ts";
import { Picks } from "./picks.svelte.ts";
import { modelPathOf } from "./runModel.ts";

const MODEL_KEY = "keystone.model";

/** Everything the window knows of the studio, kept up to date by its events. */
export class Studio {
  readonly host: Host;
  readonly picks = new Picks();
  readonly jobs = new SvelteMap<string, JobView>();
  readonly lab: Lab;
  info: AppInfo | null = $state.raw(null);
  settings: Settings | null = $state.raw(null);
  device: DeviceReport | null = $state.raw(null);
  recent: readonly RecentModel[] = $state.raw([]);
  plans: readonly SavedPlan[] = $state.raw([]);
  runs: readonly RunSummary[] = $state.raw([]);
  connection: "open" | "lost" = $state("open");
  /** The first read of the studio's state failed. */
  error: KeystoneErrorData | null = $state.raw(null);
  ready = $state(false);
  model: OpenModel | null = $state.raw(null);
  /** Path of the model that is being opened now. */
  opening: string | null = $state(null);
  openError: KeystoneErrorData | null = $state.raw(null);
  /** What the job that writes texts has written so far. */
  generated: { readonly job: string; readonly report: GenerateReport } | null = $state.raw(null);
  readonly liveRuns = new SvelteMap<string, LiveRun>();
  /** Jobs that still take time, newest first. */
  readonly active: readonly JobView[] = $derived(
    [...this.jobs.values()].filter((job) => !isOver(job.status)).reverse(),
  );
  readonly #stream: EventStream;

  constructor(host: Host, schedule: (task: () => void) => void = requestAnimationFrame) {
    this.host = host;
    this.lab = new Lab(host);
    this.#stream = new EventStream(host, {
      apply: (events) => this.#apply(events),
      reload: () => this.reload(),
      schedule: (task) => schedule(task),
    });
  }

  /** Listens, then reads the state once. Returns the way to stop. */
  start(): () => void {
    const stopStates = this.host.onConnection((state) => {
      this.connection = state;
    });
    const stopStream = this.#stream.start();
    void this.reload().then(() => this.#reopenModel());
    return () => {
      stopStates();
      stopStream();
    };
  }

  /** Reads everything afresh. */
  async reload(): Promise<void> {
    try {
      const [info, settings, jobs, runs, recent, plans] = await Promise.all([
        this.host.call("app:info", {}),
        this.host.call("settings:get", {}),
        this.host.call("job:list", {}),
        this.host.call("run:list", {}),
        this.host.call("model:recent", {}),
        this.host.call("plan:list", {}),
        this.lab.load(),
      ]);
      Object.assign(this, { info, settings, runs, recent, plans });
      this.jobs.clear();
      for (const job of jobs) this.jobs.set(job.id, job);
      this.error = null;
      this.ready = true;
      await Promise.all([...this.liveRuns.values()].map((run) => run.load()));
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
  }

  /** Opens a checkpoint in this window. The error is kept in `openError`, for the screen that asked. */
  async openModel(path: string): Promise<boolean> {
    this.opening = path;
    this.openError = null;
    try {
      const summary = await this.host.call("model:open", { path });
      if (this.opening !== path) return false;
      const model = new OpenModel(this.host, summary);
      this.model = model;
      this.picks.clear();
      sessionStorage.setItem(MODEL_KEY, path);
      void model.loadDetection();
      return true;
    } catch (thrown) {
      this.openError = toErrorData(thrown);
      return false;
    } finally {
      if (this.opening === path) this.opening = null;
    }
  }

  /** Opens the model of a run, unless it is open; an imported run whose model is not here is left as it is. */
  async openModelOf(run: RunSummary): Promise<void> {
    const path = modelPathOf(run, this.model, this.recent);
    if (path !== null && this.model?.path !== path) await this.openModel(path);
  }

  /** The run's live state; read from the studio the first time it is asked for. */
  run(id: string): LiveRun {
    const known = this.liveRuns.get(id);
    if (known) return known;
    const run = outliving(() => new LiveRun(this.host, id));
    this.liveRuns.set(id, run);
    void run.load();
    return run;
  }

  /** The newest job of a kind for the open model that still takes time, or null. */
  activeJob(kind: JobView["kind"]): JobView | null {
    return this.active.find((job) => job.kind === kind && job.model === this.model?.path) ?? null;
  }

  /** Waits until the studio has told of a job. */
  async known(id: string): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = $effect.root(() => {
        $effect(() => {
          if (!this.jobs.has(id)) return;
          resolve();
          queueMicrotask(() => stop());
        });
      });
    });
  }

  /** Waits until a job has ended. @throws KeystoneError with the job's own error. */
  async finished(id: string): Promise<JobView> {
    const job = await new Promise<JobView>((resolve) => {
      const stop = $effect.root(() => {
        $effect(() => {
          const now = this.jobs.get(id);
          if (now && isOver(now.status)) {
            resolve(now);
            queueMicrotask(() => stop());
          }
        });
      });
    });
    if (job.error) throw KeystoneError.fromData(job.error);
    return job;
  }

  async changeSettings(change: Partial<Settings>): Promise<void> {
    this.settings = await this.host.call("settings:set", change);
  }

  async probeDevices(): Promise<void> {
    this.device = await this.host.call("devices:probe", {});
  }

  async #reopenModel(): Promise<void> {
    const path = sessionStorage.getItem(MODEL_KEY);
    if (path && !this.model && this.opening === null) await this.openModel(path);
  }

  #apply(events: readonly StudioEvent[]): void {
    for (const event of events) this.#applyOne(event);
    for (const run of this.liveRuns.values()) run.apply(events);
  }

  #applyOne(event: StudioEvent): void {
    switch (event.type) {
      case "job":
        this.#applyJob(event.job);
        break;
      case "run":
        this.runs = [event.run, ...this.runs.filter((run) => run.id !== event.run.id)].sort(newestFirst);
        break;
      case "run-deleted":
        this.runs = this.runs.filter((run) => run.id !== event.run);
        this.liveRuns.delete(event.run);
        break;
      case "detect-pass":
        if (this.model && this.jobs.get(event.job)?.model === this.model.path)
          this.model.takePass(event.pass);
        break;
      case "detect-preview":
        if (this.model && this.jobs.get(event.job)?.model === this.model.path)
          this.model.takePreview(event.preview);
        break;
      case "lab-report":
        this.lab.takeReport(event.job, event.report);
        break;
      case "generated":
        this.generated = { job: event.job, report: event.report };
        break;
      case "lab-results":
        this.lab.load().catch((thrown: unknown) => (this.error = toErrorData(thrown)));
        break;
      case "settings":
        this.settings = event.settings;
        break;
      case "recent-models":
        void this.#refresh("recent", () => this.host.call("model:recent", {}));
        break;
      case "plans":
        void this.#refresh("plans", () => this.host.call("plan:list", {}));
        break;
      default:
        break;
    }
  }

  #applyJob(job: JobView): void {
    const before = this.jobs.get(job.id);
    this.jobs.set(job.id, job);
    if (job.kind !== "detect" || job.model !== this.model?.path) return;
    if (!before) this.model.beginSearch();
    if (job.status === "done" && before?.status !== "done") void this.model.endSearch();
  }

  async #refresh<K extends "recent" | "plans">(key: K, read: () => Promise<this[K]>): Promise<void> {
    try {
      this[key] = await read();
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
  }
}

function newestFirst(a: RunSummary, b: RunSummary): number {
  return b.created.localeCompare(a.created);
}
