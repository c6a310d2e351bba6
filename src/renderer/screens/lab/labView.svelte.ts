import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { JobView } from "#shared/contract/job.ts";
import { unfinishedMark, unfinishedReport } from "#shared/lab/reports/unfinished.ts";
import {
  experimentName,
  type ExperimentName,
  type LabReport,
  type LabReportOf,
  type LabRequest,
  type LabSummary,
} from "#shared/lab/index.ts";
import { Attempts } from "#renderer/state/attempts.svelte.ts";
import { isOver } from "#renderer/state/endedJobs.ts";
import type { OpenModel } from "#renderer/state/openModel.svelte.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";
import { saveReport } from "#renderer/parts/saveReport.ts";
import { withPointsOf } from "./scaling.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import {
  compose,
  judgeProblems,
  newSetup,
  readSetup,
  type Composed,
  type Entry,
  type Setup,
} from "./setup.ts";

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
  #form: Setup = $state.raw(newSetup());
  /** Task files that lie beside the model, and those that were picked. */
  taskFiles: readonly string[] = $state.raw([]);
  /** Why an experiment could not be started. */
  refusals: Readonly<Partial<Record<ExperimentName, KeystoneErrorData>>> = $state.raw({});
  /** Experiments whose start was asked for and not answered yet. */
  starting: readonly ExperimentName[] = $state.raw([]);
  readonly #longest: number;

  constructor(studio: Studio, model: OpenModel) {
    super();
    this.studio = studio;
    this.model = model;
    this.#longest = model.summary.architecture.contextLength || Infinity;
    this.#form = readSetup(sessionStorage.getItem(KEPT + model.path)) ?? newSetup();
    this.taskFiles = this.setup.tasks;
  }

  /** The form, with the texts that the model's screens share. No derived: starts that follow one another outlive the screen. */
  get setup(): Setup {
    const { text, calibration } = this.model.texts;
    return { ...this.#form, text, calibration };
  }

  get longest(): number {
    return this.#longest;
  }

  /** Changes the form; a reload brings it back. */
  change(values: Partial<Omit<Setup, "text" | "calibration">>): void {
    this.#form = { ...this.#form, ...values };
    sessionStorage.setItem(KEPT + this.model.path, JSON.stringify(this.#form));
  }

  changeEntries(experiment: ExperimentName, entries: Record<string, Entry>): void {
    const { entries: all } = this.#form;
    this.change({ entries: { ...all, [experiment]: { ...all[experiment], ...entries } } });
  }

  composed(experiment: ExperimentName): Composed {
    return compose(this.setup, experiment, this.#longest);
  }

  /** Finds texts and task files beside the model. */
  async findFiles(): Promise<void> {
    void this.model.texts.load();
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

  /** Its last job, where that was cancelled before anything was measured and nothing was kept since. */
  cancelledEarly(experiment: ExperimentName): boolean {
    const last = this.#jobs(experiment)[0];
    return last?.status === "cancelled" && (this.studio.lab.reports.get(last.id)?.reached?.done ?? 0) === 0;
  }

  /** Whether it was asked for and has not ended. */
  isAtWork(experiment: ExperimentName): boolean {
    return this.starting.includes(experiment) || this.job(experiment) !== null;
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
    const lastTold = last && isOver(last.status) ? lab.reports.get(last.id) : undefined;
    const failed = last?.status === "failed" ? (last.error?.message ?? "") : null;
    const whole = last?.status === "done" ? lastTold : unfinishedReport(lastTold ?? null, failed);
    return whole ? { report: whole, kept: null } : null;
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
    if (this.starting.includes(experiment)) return;
    this.starting = [...this.starting, experiment];
    await this.#start(experiment, over);
  }

  /** Starts every experiment that can start and is not at work; they run one after the other. */
  async startAll(): Promise<void> {
    const ahead = experimentName.options.filter(
      (experiment) => !this.isAtWork(experiment) && this.composed(experiment).request !== null,
    );
    this.starting = [...this.starting, ...ahead];
    for (const experiment of ahead) await this.#start(experiment);
  }

  /** Sends what the form asks now, unless it was taken back meanwhile. */
  async #start(experiment: ExperimentName, over: Partial<LabRequest> = {}): Promise<void> {
    const { request } = this.composed(experiment);
    const others = Object.entries(this.refusals).filter(([name]) => name !== experiment);
    this.refusals = Object.fromEntries(others);
    try {
      if (!request || !this.starting.includes(experiment)) return;
      const { job } = await this.studio.host.call("job:lab", {
        model: this.model.path,
        request: { ...request, ...over },
      });
      await this.studio.known(job);
      if (!this.starting.includes(experiment)) await this.studio.host.call("job:cancel", { job });
    } catch (thrown) {
      this.refusals = { ...this.refusals, [experiment]: toErrorData(thrown) };
    } finally {
      this.starting = this.starting.filter((one) => one !== experiment);
    }
  }

  /** What keeps this experiment alone from running, where no field of its own says it; what concerns all stands above them. */
  ownProblem(experiment: ExperimentName): string | null {
    const problems = Object.entries(this.composed(experiment).problems ?? {});
    const shared = Object.keys(judgeProblems(this.setup, this.#longest));
    const own = problems.find(
      ([key]) =>
        key !== "text" &&
        !shared.includes(key) &&
        !EXPERIMENTS[experiment].options.some((field) => field.key === key),
    );
    return own?.[1] ?? null;
  }

  /** Experiments that `startAll` would start now. */
  get ready(): readonly ExperimentName[] {
    return experimentName.options.filter((experiment) => this.composed(experiment).request !== null);
  }

  /** Experiments on this model that were asked for and have not ended. */
  get active(): readonly ExperimentName[] {
    return experimentName.options.filter((experiment) => this.isAtWork(experiment));
  }

  /** Cancels what is at work, and takes back what was asked for and has not begun. */
  async cancel(experiments: readonly ExperimentName[]): Promise<void> {
    this.starting = this.starting.filter((one) => !experiments.includes(one));
    const jobs = experiments.flatMap((experiment) => this.job(experiment) ?? []);
    // The last in line first: a cancelled job lets the next one begin.
    for (const { id } of jobs.sort((a, b) => b.created.localeCompare(a.created)))
      await this.attempt(() => this.studio.host.call("job:cancel", { job: id }));
  }

  async delete(id: string): Promise<void> {
    await this.attempt(() => this.studio.host.call("lab:delete", { id }));
  }

  /** Saves one file about the named results. */
  async report(ids: readonly string[], format: "html" | "markdown" = "html"): Promise<void> {
    await this.attempt(() => saveReport(this.studio.host, { lab: [...ids], format }));
  }

  /** What a report of the model is about: the newest result of each experiment, unfinished ones last, and of curves the one with most points. */
  get reportable(): readonly string[] {
    return experimentName.options.flatMap((experiment) => {
      const all = this.kept(experiment);
      const whole = all.filter((one) => unfinishedMark(one) === null);
      const kept = whole.length > 0 ? whole : all;
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
