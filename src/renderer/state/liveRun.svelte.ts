import type { Host } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { StudioEvent } from "#shared/contract/events.ts";
import type { LaneView } from "#shared/contract/job.ts";
import type { Scores } from "#shared/evaluation.ts";
import { paretoFront, rankVariants, type Ranking } from "#shared/ranking.ts";
import type { RunDetail, RunSummary, VariantResult } from "#shared/run.ts";
import { placesOf, setOf } from "./collections.ts";

/** Above this many variants, results are shown in steps instead of every frame. */
const LONG_RUN = 1_000;
const REST_MS = 250;

/**
 * One run, read once and kept up to date by events. `results` is in the order of the plan and is replaced at most once
 * a frame, in long runs four times a second, so that 10,000 rows stay cheap.
 */
export class LiveRun {
  readonly id: string;
  detail: RunDetail | null = $state.raw(null);
  summary: RunSummary | null = $state.raw(null);
  baseline: Scores | null = $state.raw(null);
  results: readonly VariantResult[] = $state.raw([]);
  lanes: readonly LaneView[] = $state.raw([]);
  error: KeystoneErrorData | null = $state.raw(null);
  readonly ranking: Ranking = $derived(rankVariants(this.results));
  readonly best: string | null = $derived(this.ranking.best);
  /** Variants whose KL does not differ from the best's. */
  readonly tied: ReadonlySet<string> = $derived(setOf(this.ranking.tied));
  readonly pareto: ReadonlySet<string> = $derived(setOf(paretoFront(this.results)));
  readonly #host: Host;
  #places = placesOf([]);
  /** Results that came since `results` was last replaced, laid over it. */
  #draft: VariantResult[] | null = null;
  #pause: ReturnType<typeof setTimeout> | null = null;
  /** Events that came while the run was being read. */
  #early: StudioEvent[] | null = null;

  constructor(host: Host, id: string) {
    this.#host = host;
    this.id = id;
  }

  /** Reads the whole run; events that arrive meanwhile are applied on top. */
  async load(): Promise<void> {
    this.#early = [];
    try {
      const detail = await this.#host.call("run:get", { run: this.id });
      this.detail = detail;
      this.summary = detail.summary;
      this.baseline = detail.baseline;
      this.results = detail.results;
      this.#draft = null;
      this.#places = placesOf(detail.results);
      this.error = null;
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
    const early = this.#early;
    this.#early = null;
    this.apply(early);
  }

  byId(id: string): VariantResult | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.results[place];
  }

  /** Takes the events of one frame; those of other runs are passed over. */
  apply(events: readonly StudioEvent[]): void {
    const mine = events.filter((event) => this.#isMine(event));
    if (mine.length === 0) return;
    if (this.#early) {
      this.#early.push(...mine);
      return;
    }
    for (const event of mine) {
      if (event.type === "run") this.summary = event.run;
      else if (event.type === "baseline") this.baseline = event.baseline;
      else if (event.type === "lanes") this.lanes = event.lanes;
      else if (event.type === "variants") {
        this.#draft ??= [...this.results];
        for (const result of event.results) this.#place(this.#draft, result);
      }
    }
    if (this.#draft && this.#pause === null) this.#commit();
  }

  /** Shows the results gathered so far; a long list then rests, because every chart and cell looks at it again. */
  #commit(): void {
    this.#pause = null;
    if (!this.#draft) return;
    this.results = this.#draft;
    this.#draft = null;
    if (this.results.length > LONG_RUN) this.#pause = setTimeout(() => this.#commit(), REST_MS);
  }

  #isMine(event: StudioEvent): boolean {
    if (event.type === "run") return event.run.id === this.id;
    return (
      (event.type === "baseline" || event.type === "lanes" || event.type === "variants") &&
      event.run === this.id
    );
  }

  #place(results: VariantResult[], result: VariantResult): void {
    const place = this.#places.get(result.id);
    if (place !== undefined) {
      results[place] = result;
      return;
    }
    this.#places.set(result.id, results.length);
    results.push(result);
  }
}
