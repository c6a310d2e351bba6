import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { TextInfo } from "#shared/estimate.ts";
import type { JobView } from "#shared/job.ts";
import {
  EXPERIMENTS,
  experimentName,
  type ExperimentName,
  type LabReport,
  type LabReportOf,
  type LabRequest,
  type LabSummary,
} from "#shared/lab.ts";
import { Attempts } from "#renderer/state/attempts.svelte.ts";
import { isOver } from "#renderer/state/endedJobs.ts";
import type { OpenModel } from "#renderer/state/openModel.svelte.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";
import { calibrationText, judgedText } from "#renderer/texts.ts";
import { saveReport } from "#renderer/parts/saveReport.ts";
import { withPointsOf } from "./scaling.ts";
import { compose, newSetup, readSetup, type Composed, type Entry, type Setup } from "./setup.ts";

const KEPT = "keystone.lab.";

/** What one experiment has to show: a report that grows, or the whole of a kept one. */
export interface Shown {
  report: LabReport;
  /** Null while it runs, and until it is read from where it is kept. */
  kept: LabSummary | null;
}

/** The lab of the open model: its form, its jobs, and what each experiment shows. */
export class LabView extends Attempts {
  readonly studio: Studio;
  readonly model: OpenModel;
  setup: Setup = $state.raw(newSetup());
  texts: readonly TextInfo[] = $state.raw([]);
  /** Task files that lie beside the model, and those that were picked. */
  taskFiles: readonly string[] = $state.raw([]);
  /** Why an experiment could not be started. */
  refusals: Readonly<Partial<Record<ExperimentName, KeystoneErrorData>>> = $state.raw({});
  readonly #longest: number;

  constructor(studio: Studio, model: OpenModel) {
    super();
    this.studio = studio;
    this.model = model;
    this.#longest = model.summary.architecture.contextLength || Infinity;
    this.setup = readSetup(sessionStorage.getItem(KEPT + model.path)) ?? newSetup();
    this.taskFiles = this.setup.tasks;
  }

  get longest(): number {
    return this.#longest;
  }

  /** Changes the form; a reload brings it back. */
  change(values: Partial<Setup>): void {
    this.setup = { ...this.setup, ...values };
    sessionStorage.setItem(KEPT + this.model.path, JSON.stringify(this.setup));
  }

  changeEntries(experiment: ExperimentName, entries: Record<string, Entry>): void {
    const { entries: all } = this.setup;
    this.change({ entries: { ...all, [experiment]: { ...all[experiment], ...entries } } });
  }

  composed(experiment: ExperimentName): Composed {
    return compose(this.setup, experiment, this.#longest);
  }

  /** Finds texts and task files beside the model, and chooses where nothing is chosen. */
  async findFiles(): Promise<void> {
    const { path } = this.model;
    await this.attempt(async () => {
      const found = await this.studio.host.call("text:list", { model: path });
      this.texts = [...found, ...this.texts.filter((text) => !found.some((one) => one.path === text.path))];
      const text = this.setup.text ?? judgedText(found)?.path ?? null;
      const calibration = this.setup.calibration ?? calibrationText(found, text)?.path ?? null;
      this.change({ text, calibration });
    });
    const beside = await this.#tasksBeside();
    this.taskFiles = [...beside, ...this.setup.tasks.filter((path) => !beside.includes(path))];
  }

  /** Task files beside the model, by their names; a folder that may not be listed holds none. */
  async #tasksBeside(): Promise<string[]> {
    const folder = this.model.path.replace(/[\\/]+[^\\/]+[\\/]*$/, "");
    try {
      const { entries } = await this.studio.host.call("folder:list", { path: folder });
      return entries
        .filter(({ kind, name }) => kind === "file" && TASK_NAME.test(name))
        .map((one) => one.path);
    } catch {
      return [];
    }
  }

  /** The job of an experiment that still takes time, or null. */
  job(experiment: ExperimentName): JobView | null {
    return this.#jobs(experiment).find((job) => !isOver(job.status)) ?? null;
  }

  /** Its last job, if that failed and nothing was kept since. */
  failure(experiment: ExperimentName): JobView | null {
    const last = this.#jobs(experiment)[0];
    return last?.status === "failed" ? last : null;
  }

  /** Newest first. */
  #jobs(experiment: ExperimentName): JobView[] {
    return [...this.studio.jobs.values()]
      .filter((job) => job.experiment === experiment && job.model === this.model.path)
      .sort((a, b) => b.created.localeCompare(a.created));
  }

  /** Kept results of this model, newest first. */
  kept(experiment?: ExperimentName): readonly LabSummary[] {
    return this.studio.lab.of(this.model.summary.fingerprint, experiment);
  }

  /**
   * What stands in an experiment's card: what its job tells, else the kept result that is asked for or the newest one,
   * else what its last job told before it ended.
   */
  shown(experiment: ExperimentName, chosen: string | null = null): Shown | null {
    const shown = this.#own(experiment, chosen);
    if (shown?.report.experiment !== "sensitivity" || chosen !== null) return shown;
    return { ...shown, report: withPointsOf(shown.report, this.#read("sensitivity")) };
  }

  #own(experiment: ExperimentName, chosen: string | null): Shown | null {
    const { lab } = this.studio;
    const live = this.job(experiment);
    const told = live && chosen === null ? lab.reports.get(live.id) : undefined;
    if (told) return { report: told, kept: null };
    const id = chosen ?? this.kept(experiment)[0]?.id;
    const result = id === undefined ? undefined : lab.results.get(id);
    if (result) return { report: result.report, kept: result.summary };
    const last = this.#jobs(experiment)[0];
    const lastTold = last?.status === "done" ? lab.reports.get(last.id) : undefined;
    return lastTold ? { report: lastTold, kept: null } : null;
  }

  /** Reports of this model's kept results, as far as they were read. */
  #read<E extends ExperimentName>(experiment: E): LabReportOf<E>[] {
    return this.kept(experiment).flatMap(({ id }) => {
      const report = this.studio.lab.results.get(id)?.report;
      return report?.experiment === experiment ? [report as LabReportOf<E>] : [];
    });
  }

  /** Reads what the cards show: the newest of each experiment, and every curve that sensitivity's is joined from. */
  wishKept(experiment: ExperimentName): void {
    const kept = this.kept(experiment);
    for (const { id } of experiment === "sensitivity" ? kept : kept.slice(0, 1))
      void this.studio.lab.wish(id);
  }

  /** Starts one experiment; `over` replaces parts of what the form asks. */
  async start(experiment: ExperimentName, over: Partial<LabRequest> = {}): Promise<void> {
    const { request } = this.composed(experiment);
    if (!request) return;
    const others = Object.entries(this.refusals).filter(([name]) => name !== experiment);
    this.refusals = Object.fromEntries(others);
    try {
      await this.studio.host.call("job:lab", {
        model: this.model.path,
        request: { ...request, ...over } as LabRequest,
      });
    } catch (thrown) {
      this.refusals = { ...this.refusals, [experiment]: toErrorData(thrown) };
    }
  }

  /** Starts every experiment that can start and is not at work; they run one after the other. */
  async startAll(): Promise<void> {
    for (const experiment of experimentName.options) {
      if (this.job(experiment) === null) await this.start(experiment);
    }
  }

  /** Experiments that `startAll` would leave out, with the first reason. */
  get unready(): readonly { title: string; reason: string }[] {
    return experimentName.options.flatMap((experiment) => {
      const { problems } = this.composed(experiment);
      const reason = problems && Object.values(problems)[0];
      return reason ? [{ title: EXPERIMENTS[experiment].title, reason }] : [];
    });
  }

  /** Jobs of the lab that still take time, on this model. */
  get active(): readonly JobView[] {
    return this.studio.active.filter(({ kind, model }) => kind === "lab" && model === this.model.path);
  }

  async cancel(jobs: readonly JobView[]): Promise<void> {
    // The last in line first: a cancelled job lets the next one begin.
    for (const { id } of [...jobs].sort((a, b) => b.created.localeCompare(a.created)))
      await this.attempt(() => this.studio.host.call("job:cancel", { job: id }));
  }

  async delete(id: string): Promise<void> {
    await this.attempt(() => this.studio.host.call("lab:delete", { id }));
  }

  /** Saves one file about the named results. */
  async report(ids: readonly string[], format: "html" | "markdown" = "html"): Promise<void> {
    await this.attempt(() => saveReport(this.studio.host, { lab: [...ids], format }));
  }

  /** What a report of the model is about: the newest result of each experiment, and of curves the one with most points. */
  get reportable(): readonly string[] {
    return experimentName.options.flatMap((experiment) => {
      const kept = this.kept(experiment);
      if (experiment !== "sensitivity") return kept[0]?.id ?? [];
      const points = (id: string): number => {
        const report = this.studio.lab.results.get(id)?.report;
        return report?.experiment === "sensitivity" ? report.points.length : 0;
      };
      return [...kept].sort((a, b) => points(b.id) - points(a.id))[0]?.id ?? [];
    });
  }
}

/** Keystone's own task files, and the datasets that it reads by their columns. */
const TASK_NAME =
  /(task|piqa|arc[-_]|hellaswag|lambada|winogrande|sciq|mmlu)[^\\/]*\.(jsonl|json|csv|parquet)$|^arc\.(jsonl|json|csv|parquet)$/i;
